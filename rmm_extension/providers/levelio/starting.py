"""The actions about automations: listing them, starting one on a device, asking for a run.

Level answers a start with nothing that names the run, so nothing is claimed of how it went.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rmm_extension.domain.actions import ErrorCode, Order, Outcome, Target, failed, requested, succeeded
from rmm_extension.domain.errors import NotFound, nothing_done
from rmm_extension.domain.types import AgentStatus
from rmm_extension.domain.values import identifier, storable, text
from rmm_extension.providers.levelio import automations
from rmm_extension.providers.levelio.automations import Automation
from rmm_extension.providers.levelio.client import LevelClient, path_of

_RESPONSE = 4000
"""Characters of an answer that are kept."""
_NO_RUN = "Level tells no run id: see the automation's runs in Level."


def list_automations(client: LevelClient, order: Order) -> Outcome:
    """Automations whose name has the text in it."""
    part = order.input.get("query", "").casefold()
    found = [one for one in automations.listing(client) if part in one.name.casefold()]
    shown = [_item(one) for one in found[: order.input["limit"]]]
    return succeeded(f"{len(shown)} automations.", {"automations": shown, "count": len(shown)})


def trigger(client: LevelClient, order: Order) -> Outcome:
    """Start the automation on the device, by the webhook that it has now."""
    device, wanted = order.device, order.input["automation_id"]
    with nothing_done():
        found = next((one for one in automations.listing(client) if one.id == wanted), None)
    if found is None:
        return failed(ErrorCode.NOT_FOUND, "Level has no such automation (any more). List them anew.")
    if found.token is None:
        why = f"“{found.name}” has no webhook in Level. Give it one, then try again."
        return failed(ErrorCode.NOT_FOUND, why)
    try:
        reply = automations.start(client, found, [device.external_id])
    except NotFound:
        why = f"“{found.name}” was not started: its webhook is gone, or Level does not know {device.name}."
        return failed(ErrorCode.NOT_FOUND, why)
    said = client.redact(bytes(reply.body).decode("utf-8", "replace"), _RESPONSE) or None
    words = f"Level took “{found.name}” on for {device.name}. {_NO_RUN}{_not_online(device)}"
    return requested(words, _started(found, device, said))


def _started(automation: Automation, device: Target, said: str | None) -> dict[str, Any]:
    return {
        "triggered": True,
        "automation_id": automation.id,
        "automation_name": automation.name,
        "device_id": device.external_id,
        "run_id": None,
        "vendor_response": said,
    }


def run_status(client: LevelClient, order: Order) -> Outcome:
    """A run as Level tells it now; its words are not published, and given as they are."""
    wish = order.input
    steps = {"include_steps": "true"} if wish["include_steps"] else {}
    try:
        reply = client.read(path_of("automation-runs", wish["run_id"]), params=steps)
    except NotFound:
        return failed(ErrorCode.NOT_FOUND, "Level knows no run with this id.")
    row = reply.decode(dict[str, Any])
    status = text(row.get("status"))
    words = f"Level says of the run: {status}." if status else "Level does not say how the run stands."
    return succeeded(words, {"run": _run(wish["run_id"], row), "steps": _steps(row) if steps else None})


def _not_online(device: Target) -> str:
    if device.status in (AgentStatus.ONLINE, AgentStatus.UNKNOWN):
        return ""
    return f" {device.name} was {device.status} when last looked at: it may not begin before that is over."


def _item(one: Automation) -> dict[str, Any]:
    return {
        "automation_id": one.id,
        "name": one.name,
        "description": one.description,
        "group_id": one.group_id,
        "group_name": one.group_name,
        "has_webhook": one.token is not None,
        "webhook_requires_authorization": one.requires_authorization,
    }


def _run(run_id: str, row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("automation_name", "device_hostname", "status", "started_at", "ended_at")
    ids = ("automation_id", "device_id")
    return {
        "run_id": identifier(row.get("id")) or run_id,
        **{name: identifier(row.get(name)) for name in ids},
        **{name: text(row.get(name)) for name in names},
    }


def _steps(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = row.get("steps")
    return [storable(step) for step in found if isinstance(step, dict)] if isinstance(found, list) else []
