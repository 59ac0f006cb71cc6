"""Doing what Huntress can be asked to do.

Isolation is asynchronous there: an answer says that it was taken on, and a later look at the agent how far it
is. Nothing here is sent twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

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
from rmm_extension.domain.errors import NotFound
from rmm_extension.domain.values import identifier, text
from rmm_extension.providers.huntress import alerts, inventory, organizations
from rmm_extension.providers.huntress.changes import INCIDENTS
from rmm_extension.providers.huntress.client import HuntressClient, member
from rmm_extension.providers.huntress.errors import InTheWay, ReadOnlyKey, Refused
from rmm_extension.providers.huntress.events import organization_id
from rmm_extension.providers.huntress.plain import line, plain
from rmm_extension.providers.huntress.report import indicators, objects

_FILTERS = ("status", "severity", "platform", "organization_id", "agent_id")


def find_incidents(client: HuntressClient, order: Order) -> Outcome:
    """Incidents by the filters, the newest change first."""
    wish = order.input
    params = {name: wish[name] for name in _FILTERS if name in wish}
    params |= {"limit": wish["limit"], "sort_field": "updated_at", "sort_direction": "desc"}
    page = client.read(INCIDENTS, params=params).decode(dict[str, Any])
    found = [one for row in objects(page.get("incident_reports"))[: wish["limit"]] if (one := _incident(row))]
    return succeeded(f"{len(found)} incidents.", {"incidents": found, "count": len(found)})


def get_incident(client: HuntressClient, order: Order, subdomain: str) -> Outcome:
    """One incident as it is now."""
    number = str(order.input["incident_id"])
    event = alerts.single(client, number, subdomain)
    item = _incident(event.raw) if event else None
    if event is None or item is None:
        return failed(ErrorCode.NOT_FOUND, f"Huntress has no incident {number} (any more).")
    told, _ = kept_output(event.report or "")
    words = f"Incident {number} is {event.vendor_status or 'without a status'} in Huntress."
    return succeeded(words, {"incident": item, "body": plain(event.raw.get("body")), "output": told})


def resolve_incident(client: HuntressClient, order: Order, context: ActionContext, subdomain: str) -> Outcome:
    """Close it in Huntress; then its alert ends here as if Huntress had told so."""
    number = str(order.input["incident_id"])
    try:
        receipt = alerts.reset(client, number, subdomain)
    except InTheWay as error:
        return failed(ErrorCode.CONFLICT, str(error))
    except ReadOnlyKey as error:
        return failed(ErrorCode.FORBIDDEN, str(error))
    if receipt.status == 404:
        return failed(ErrorCode.NOT_FOUND, f"Huntress has no incident {number} (any more).")
    context.alert_was_reset(number, receipt.message)
    return succeeded(receipt.message, {"resolved": True, "incident_id": number, "status": "closed"})


def list_organizations(client: HuntressClient, order: Order) -> Outcome:
    """Organizations whose name has the text in it."""
    part = order.input.get("query", "").casefold()
    found = [one for one in organizations.listing(client) if part in one.name.casefold()]
    shown = [
        {
            "organization_id": one.external_id,
            "name": one.name,
            "key": text(one.metadata.get("key")),
            "agents_count": _count(one.metadata.get("agents_count")),
        }
        for one in found[: order.input["limit"]]
    ]
    return succeeded(f"{len(shown)} organizations.", {"organizations": shown, "count": len(shown)})


def get_agent(client: HuntressClient, order: Order) -> Outcome:
    """One agent as it is now."""
    number = str(order.input["agent_id"])
    try:
        row, _ = client.single(f"{inventory.PATH}/{number}", "agent")
    except NotFound:
        return failed(ErrorCode.NOT_FOUND, f"Huntress has no agent {number} (any more).")
    item = {
        "agent_id": number,
        "organization_id": identifier(row.get("organization_id")),
        "os_name": line(row.get("os")),
        "internal_ip": line(row.get("ipv4_address")),
    }
    names = (
        "hostname platform version edr_version defender_status firewall_status external_ip serial_number"
        " last_callback_at"
    )
    item |= {name: line(row.get(name)) for name in names.split()}
    return succeeded(f"{item['hostname'] or f'Agent {number}'} as it is now.", {"agent": item})


def get_account(client: HuntressClient) -> Outcome:
    """The account of the key."""
    found = member(client.read("/v1/account"), "account")
    told = {"account_id": identifier(found.get("id"))}
    told |= {name: text(found.get(name)) for name in ("name", "subdomain")}
    return succeeded(f"The key is of the account {told['name'] or 'without a name'}.", told)


def isolate(client: HuntressClient, order: Order) -> Outcome:
    """Ask Huntress to cut the host off from the network."""
    wish = order.input
    body = {"strict_isolation": wish["strict_isolation"]}
    if wish.get("reason"):
        body["reason"] = wish["reason"]
    return _isolation(client, order.device, "POST", body, "isolation")


def release(client: HuntressClient, order: Order) -> Outcome:
    """Ask Huntress to give the host its network back."""
    return _isolation(client, order.device, "DELETE", None, "release")


def _isolation(
    client: HuntressClient, device: Target, method: str, body: dict[str, Any] | None, what: str
) -> Outcome:
    path = f"{inventory.PATH}/{quote(device.external_id, safe='')}/isolation"
    try:
        reply = client.write(method, path, json=body)
    except NotFound as error:
        return failed(ErrorCode.NOT_FOUND, f"Nothing was done on {device.name}: {error}")
    except ReadOnlyKey as error:
        return failed(ErrorCode.FORBIDDEN, str(error))
    except Refused as error:
        if error.status != 409:
            raise
        why = error.said.rstrip(".") or "its agent does not support it, or it could not be scheduled"
        return failed(ErrorCode.VENDOR_ERROR, f"Huntress did not take the {what} of {device.name} on: {why}.")
    reply.require_json()
    return requested(
        f"Huntress took the {what} of {device.name} on; the host does it when its agent calls. Its firewall"
        " status in Huntress tells how far it is.",
        {"requested": True, "agent_id": device.external_id, "firewall_status": _firewall(reply.body)},
    )


def _firewall(body: bytes | bytearray) -> str | None:
    """How far it is, where the answer says so; a release is answered with nothing."""
    try:
        agent = msgspec.json.decode(body, type=dict[str, Any]).get("agent")
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return text(agent.get("firewall_status")) if isinstance(agent, Mapping) else None


def _incident(row: Mapping[str, Any]) -> dict[str, Any] | None:
    number = identifier(row.get("id"))
    if number is None:
        return None
    names = ("status", "severity", "platform", "sent_at", "closed_at", "updated_at")
    return {
        "incident_id": number,
        "summary": plain(row.get("summary")),
        "subject": line(row.get("subject")),
        "organization_id": organization_id(row),
        "agent_id": identifier(row.get("agent_id")),
        "indicator_types": list(indicators(row)),
        **{name: text(row.get(name)) for name in names},
    }


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
