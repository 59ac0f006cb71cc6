"""Doing things on devices of NinjaOne, and what its answers mean.

=====================  =====================================================================================
answer                 outcome
=====================  =====================================================================================
2xx                    handed over; what its body says is not documented, and kept as it came
404                    the device, or the script, is not there (any more)
400, 409 "offline"     the device cannot be reached
400                    refused, in NinjaOne's words
401, 403, 429          the session, the scope or the role, patience: surely not done
5xx, no answer         it may have happened
=====================  =====================================================================================

Nothing here is sent twice. How a script ended is told by its activities alone (:mod:`.results`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from rmm_extension.domain.actions import (
    ActionContext,
    ErrorCode,
    Order,
    Outcome,
    Target,
    failed,
    kept_output,
    requested,
    succeeded,
)
from rmm_extension.domain.errors import NotFound, nothing_done
from rmm_extension.domain.types import AgentStatus
from rmm_extension.domain.window_words import moment_words
from rmm_extension.providers.ninjaone import maintenance, results, scripts
from rmm_extension.providers.ninjaone.action_specs import ACTION, FEATURES, SCRIPT
from rmm_extension.providers.ninjaone.client import NinjaOneClient
from rmm_extension.providers.ninjaone.contracts import JobActivity, Runnable, ScriptingOptions
from rmm_extension.providers.ninjaone.errors import Refused, WrongHost
from rmm_extension.providers.ninjaone.results import Sought
from rmm_extension.providers.reply import Reply
from rmm_extension.providers.values import identifier, text

_RESPONSE = 4000
"""Characters of an answer that are kept."""
_WHERE = "Its activities in NinjaOne tell how it went."


def reboot(client: NinjaOneClient, order: Order) -> Outcome:
    """Restart the device."""
    device, wish = order.device, order.input
    body = {"reason": wish["reason"]} if wish.get("reason") else {}
    client.write("POST", _path(device, f"reboot/{wish['mode']}"), json=body).require_json()
    return requested(
        f"NinjaOne took the reboot of {device.name} on. {_WHERE}{_not_online(device)}",
        {"reboot_requested": True, "external_device_id": device.external_id},
    )


def run_script(client: NinjaOneClient, order: Order) -> Outcome:
    """Run a script of the library or a built-in action, if NinjaOne offers it for this device."""
    device, wish = order.device, order.input
    with nothing_done():
        found = scripts.options(client, device.external_id)
        chosen = scripts.runnable(found, **_key(wish))
        if chosen is None:
            return _not_offered(wish, device)
        if problem := _wrong_role(found, wish.get("run_as")):
            return failed(ErrorCode.VALIDATION_ERROR, problem)
        name = text(chosen.name) or "The script"
        sought = _sought(client, device, name, wish) if wish["wait_for_result"] else None
    reply = client.write("POST", _path(device, "script/run"), json=_body(chosen, wish))
    reply.require_json()
    ran = _ran(device, vendor_response=_said(client, reply))
    if sought is None:
        words = f"NinjaOne took “{name}” on for {device.name}. {_WHERE}{_not_online(device)}"
        return requested(words, ran)
    return _ended(client, device, name, results.follow(client, sought), ran)


def scripting_options(client: NinjaOneClient, order: Order) -> Outcome:
    """What can be run on the device and as whom; nothing secret is in it."""
    device = order.device
    found = scripts.options(client, device.external_id)
    offered = [_option(one) for one in found.scripts or () if identifier(one.id) or text(one.uid)]
    told, _ = kept_output("\n".join(_listed(offered, scripts.named_roles(found))))
    return succeeded(
        f"{len(offered)} scripts and built-in actions can be run on {device.name}.",
        {"scripts": offered, "run_as": scripts.roles(found), "count": len(offered), "output": told},
    )


def set_maintenance(client: NinjaOneClient, order: Order) -> Outcome:
    """Put the device into maintenance from now on."""
    device, wish = order.device, order.input
    until = (datetime.now(UTC) + timedelta(minutes=wish["minutes"])).replace(microsecond=0)
    features = [word for name, word in FEATURES.items() if wish[name]]
    reason = wish.get("reason") or "Maintenance"
    maintenance.put(client, device.external_id, until=until, reason=reason, features=features)
    return succeeded(
        f"{device.name} is in maintenance in NinjaOne until {moment_words(until)} UTC.",
        {"external_device_id": device.external_id, "until": until.isoformat()},
    )


def end_maintenance(client: NinjaOneClient, order: Order) -> Outcome:
    """Take the device out of maintenance."""
    device = order.device
    maintenance.end(client, device.external_id)
    words = f"{device.name} is in no maintenance in NinjaOne any more."
    return succeeded(words, {"external_device_id": device.external_id, "until": None})


def sync(order: Order, context: ActionContext) -> Outcome:
    """Read the device anew, as a sync of it does."""
    device = order.device
    found = context.sync_device(device.external_id)
    if found is None:
        words = f"NinjaOne does not know {device.name} (any more), or its organization is not mapped."
        return failed(ErrorCode.NOT_FOUND, words)
    words = f"{found.name} is as NinjaOne describes it now."
    told = {"synced": True, "external_device_id": found.external_id, "asset_id": found.asset_id}
    return succeeded(words, told)


def in_words(do: Callable[[], Outcome], device: Target) -> Outcome:
    """What is done, or the outcome of a refusal that is about the device; any other goes on."""
    try:
        return do()
    except WrongHost:
        raise
    except NotFound as error:
        return failed(ErrorCode.NOT_FOUND, f"Nothing was done on {device.name}: {error}")
    except Refused as error:
        if "offline" not in error.said.casefold():
            raise
        words = f"NinjaOne cannot reach {device.name}: it is offline."
        return failed(ErrorCode.AGENT_UNREACHABLE, words)


def _key(wish: dict[str, Any]) -> dict[str, str | None]:
    script = wish.get("script_id")
    return {"script_id": None if script is None else str(script), "action_uid": wish.get("action_uid")}


def _not_offered(wish: dict[str, Any], device: Target) -> Outcome:
    what = "this script" if wish.get("action_uid") is None else "this built-in action"
    why = "it was deleted, is switched off, or is made for another system"
    return failed(ErrorCode.NOT_FOUND, f"NinjaOne does not offer {what} for {device.name}: {why}.")


def _wrong_role(found: ScriptingOptions, role: str | None) -> str | None:
    """Why it cannot be run as this; where NinjaOne names no roles it is the judge."""
    known = scripts.roles(found)
    if role is None or not known or role in known:
        return None
    named = ", ".join(scripts.named_roles(found)[:20])
    return f"It cannot be run as “{role}” there. Known are: {named}."


def _sought(client: NinjaOneClient, device: Target, name: str, wish: dict[str, Any]) -> Sought:
    after = results.newest(client, device.external_id)
    return Sought(device.external_id, name, after, wish.get("action_uid"))


def _body(chosen: Runnable, wish: dict[str, Any]) -> dict[str, Any]:
    key: dict[str, Any] = (
        {"type": SCRIPT, "id": wish["script_id"]}
        if wish.get("action_uid") is None
        else {"type": ACTION, "uid": text(chosen.uid)}
    )
    more = {"parameters": wish.get("parameters"), "runAs": wish.get("run_as")}
    return {**key, **{name: value for name, value in more.items() if value is not None}}


def _ended(
    client: NinjaOneClient, device: Target, name: str, found: JobActivity | str, ran: dict[str, Any]
) -> Outcome:
    """What the activity that ended the run says; a success only where it says so."""
    what = f"“{name}” on {device.name}"
    if isinstance(found, str):
        return requested(f"NinjaOne took {what} on; {found}. {_WHERE}{_not_online(device)}", ran)
    code, result = text(found.status_code), text(found.activity_result)
    output, is_cut = kept_output(client.hide(text(found.message) or ""))
    ran = {**ran, "result": result, "output": output, "output_is_cut": is_cut}
    if code != "COMPLETED":
        word = "cancelled" if code == "CANCELLED" else "blocked"
        return failed(ErrorCode.VENDOR_ERROR, f"{what} was {word} in NinjaOne.", ran)
    if result == "SUCCESS":
        return succeeded(f"{what} ended well, by NinjaOne's activities.", ran)
    if result is None:
        return requested(f"{what} is over; NinjaOne does not say how it ended.", ran)
    return failed(ErrorCode.SCRIPT_FAILED, f"{what} {_ENDS.get(result, f'ended with {result}')}.", ran)


_ENDS = {
    "FAILURE": "ran and failed",
    "UNSUPPORTED": "is not supported there",
    "UNCOMPLETED": "did not come to its end",
}


def _ran(device: Target, **more: Any) -> dict[str, Any]:
    return {
        "run_requested": True,
        "external_device_id": device.external_id,
        "result": None,
        "output": None,
        "output_is_cut": False,
        "vendor_response": None,
        **more,
    }


def _said(client: NinjaOneClient, reply: Reply) -> str | None:
    return client.redact(bytes(reply.body).decode("utf-8", "replace"), _RESPONSE) or None


def _option(one: Runnable) -> dict[str, Any]:
    uid = text(one.uid)
    return {
        "type": text(one.type) or (SCRIPT if uid is None else ACTION),
        "id": identifier(one.id),
        "uid": uid,
        "name": text(one.name) or "Without a name",
        "language": text(one.language),
    }


def _listed(offered: list[dict[str, Any]], roles: list[str]) -> Iterator[str]:
    for heading, kind in (("Built-in actions", ACTION), ("Scripts", SCRIPT)):
        mine = [one for one in offered if one["type"] == kind]
        if mine:
            yield f"{heading}:"
            yield from (f"  {one['name']}  {one['uid'] or one['id']}" for one in mine)
    yield f"Run as: {', '.join(roles) or 'nothing is told'}"


def _not_online(device: Target) -> str:
    if device.status in (AgentStatus.ONLINE, AgentStatus.UNKNOWN):
        return ""
    return f" {device.name} was {device.status} when last looked at: it may not begin before that is over."


def _path(device: Target, call: str) -> str:
    return f"/v2/device/{quote(device.external_id, safe='')}/{call}"
