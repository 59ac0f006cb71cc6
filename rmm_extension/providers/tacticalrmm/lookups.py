"""The actions that only read: scripts of the library, agents as last synced or as they are now."""

from __future__ import annotations

from typing import Any

from rmm_extension.domain.actions import (
    ActionContext,
    ErrorCode,
    Order,
    Outcome,
    Script,
    Target,
    failed,
    succeeded,
)
from rmm_extension.domain.types import AgentStatus
from rmm_extension.domain.values import storable
from rmm_extension.providers.tacticalrmm.action_specs import LONGEST_RUN
from rmm_extension.providers.tacticalrmm.client import KEY, TacticalClient
from rmm_extension.providers.tacticalrmm.schemas import AgentDetail, ScriptDetail
from rmm_extension.providers.tacticalrmm.status import vendor_status

_LONGEST = 4000
"""Characters of a text of the library that are kept."""


def script_of(row: ScriptDetail) -> Script:
    """A script of the library. Its arguments and variables stay at the vendor: they may hold secrets."""
    timeout = row.default_timeout
    return Script(
        external_id=str(row.id),
        name=storable(row.name)[:_LONGEST],
        description=storable(row.description or "")[:_LONGEST],
        category=storable(row.category or "")[:_LONGEST],
        shell=storable(row.shell or "")[:_LONGEST],
        platforms=tuple(storable(list(row.supported_platforms or ()))),
        default_timeout=timeout if timeout is not None and 0 < timeout <= LONGEST_RUN else None,
        run_as_user=bool(row.run_as_user),
        favorite=bool(row.favorite),
    )


def list_scripts(client: TacticalClient, order: Order) -> Outcome:
    """The scripts whose name has the text in it."""
    part = order.input.get("query", "").casefold()
    found = [one for one in client.scripts() if part in one.name.casefold()]
    shown = [_script_item(one) for one in found[: order.input["limit"]]]
    return succeeded(f"{len(shown)} scripts.", {"scripts": shown, "count": len(shown)})


def _script_item(row: ScriptDetail) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "shell": row.shell,
        "category": row.category,
        "description": row.description,
        "platforms": list(row.supported_platforms or ()),
    }


def find_agents(client: TacticalClient, order: Order, context: ActionContext) -> Outcome:
    """Agents by id, asset or a part of the name."""
    wish = order.input
    known = {"external_id": wish.get("agent_id"), "asset_id": wish.get("asset_id")}
    if wish["live"]:
        found = _live(client, wish, context)
    else:
        text, limit = wish.get("query"), wish["limit"]
        found = [_local(one) for one in context.find_devices(**known, text=text, limit=limit)]
    return succeeded(f"{len(found)} devices.", {"agents": found, "count": len(found)})


def get_agent(client: TacticalClient, order: Order) -> Outcome:
    """The agent as the server describes it now."""
    device = order.device
    found = client.agent(device.external_id)
    if found is None:
        return failed(ErrorCode.NOT_FOUND, f"Tactical RMM does not know {device.name} (any more).")
    return succeeded(f"{device.name} as it is now.", {"agent": _detailed(found[0], device)})


def _live(client: TacticalClient, wish: dict[str, Any], context: ActionContext) -> list[dict[str, Any]]:
    wanted = wish.get("agent_id")
    if wish.get("asset_id"):
        of_asset = context.find_devices(external_id=wanted, asset_id=wish["asset_id"], limit=1)
        if not of_asset:
            return []
        wanted = of_asset[0].external_id
    if wanted:
        found = client.agent(wanted)
        known = {one.external_id: one for one in context.find_devices(external_id=wanted, limit=1)}
        return [_detailed(found[0], known.get(wanted))] if found else []
    part = wish.get("query", "").casefold()
    rows = [row for row in client.id_map() if part in row.hostname.casefold()][: wish["limit"]]
    synced = context.find_devices(external_ids=[row.agent_id for row in rows], limit=len(rows) or 1)
    by_id = {one.external_id: one for one in synced}
    return [_item(row.agent_id, row.hostname, by_id.get(row.agent_id), KEY) for row in rows]


def _local(device: Target) -> dict[str, Any]:
    seen = device.last_seen_at
    return _item(
        device.external_id,
        device.name,
        device,
        "local",
        agent_online=None if device.status == AgentStatus.UNKNOWN else device.status == AgentStatus.ONLINE,
        last_seen_at=seen.isoformat() if seen else None,
        os_name=device.os_name,
    )


def _detailed(row: AgentDetail, device: Target | None) -> dict[str, Any]:
    status = vendor_status(row.status)
    return _item(
        row.agent_id,
        row.hostname or row.agent_id,
        device,
        KEY,
        agent_online=None if status is None else status is AgentStatus.ONLINE,
        last_seen_at=row.last_seen.isoformat() if row.last_seen else None,
        os_name=row.operating_system,
    )


def _item(agent_id: str, name: str, device: Target | None, source: str, **told: Any) -> dict[str, Any]:
    base = {"agent_online": None, "last_seen_at": None, "os_name": None}
    return {
        "agent_id": agent_id,
        "asset_id": device.asset_id if device else None,
        "hostname": name,
        "organization_id": device.external_organization_id if device else None,
        **base,
        **told,
        "source": source,
    }
