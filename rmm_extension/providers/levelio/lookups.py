"""The actions about devices, alerts and updates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from rmm_extension.domain.actions import (
    ActionContext,
    ErrorCode,
    LocalAlert,
    Order,
    Outcome,
    Target,
    failed,
    succeeded,
)
from rmm_extension.domain.errors import NotFound
from rmm_extension.domain.types import AgentStatus, AlertEvent, AlertStatus
from rmm_extension.providers.levelio import alerts, patches, rows
from rmm_extension.providers.levelio.client import LevelClient, path_of
from rmm_extension.providers.levelio.errors import KEY
from rmm_extension.providers.levelio.mapping import device_of
from rmm_extension.providers.levelio.organizations import DEVICES, UNGROUPED
from rmm_extension.providers.values import flag, identifier, text

_MOST_LOCAL = 1000
_BLOCKS = {"include_operating_system": "true"}


def find_devices(client: LevelClient, order: Order, context: ActionContext) -> Outcome:
    """Devices by id, asset, group or a part of the name."""
    found = _live(client, order.input, context) if order.input["live"] else _here(order.input, context)
    return succeeded(f"{len(found)} devices.", {"devices": found, "count": len(found)})


def get_device(client: LevelClient, order: Order) -> Outcome:
    """The device as Level describes it now."""
    device = order.device
    row = _one(client, device.external_id)
    if row is None:
        return failed(ErrorCode.NOT_FOUND, f"Level does not know {device.name} (any more).")
    return succeeded(f"{device.name} as Level describes it now.", {"device": _item(row, device)})


def list_alerts(client: LevelClient, order: Order, context: ActionContext) -> Outcome:
    """Open alerts, the newest first: as they stand here, or as Level lists them now."""
    limit, device_id = order.input["limit"], order.input.get("device_id")
    if order.input["live"]:
        newest = sorted(alerts.active(client, device_id), key=lambda one: one.occurred_at, reverse=True)
        found = [_told(one) for one in newest[:limit] if device_id in (None, one.external_device_id)]
    else:
        known = context.find_alerts(limit=_MOST_LOCAL if device_id else limit)
        mine = [one for one in known if device_id in (None, one.external_device_id)]
        found = [_known(one) for one in mine[:limit]]
    return succeeded(f"{len(found)} open alerts.", {"alerts": found, "count": len(found)})


def resolve_alert(client: LevelClient, order: Order, context: ActionContext) -> Outcome:
    """Resolve the alert in Level; then it ends here as if Level had told so."""
    alert_id = order.input["alert_id"]
    receipt = alerts.resolve(client, alert_id)
    context.alert_was_reset(alert_id, receipt.message)
    return succeeded(receipt.message, {"resolved": True, "alert_id": alert_id})


def list_updates(client: LevelClient, order: Order) -> Outcome:
    """Updates as Level lists them now; only as many pages are read as are shown."""
    wish = order.input
    params = {name: wish[name] for name in ("device_id", "status") if wish.get(name)}
    pages = client.listing(patches.PATH, rows.Update, errors=[], params=params)
    found = [_update(row) for row in islice((row for page in pages for row in page), wish["limit"])]
    return succeeded(f"{len(found)} updates.", {"updates": found, "count": len(found)})


def _here(wish: dict[str, Any], context: ActionContext) -> list[dict[str, Any]]:
    known = {"external_id": wish.get("device_id"), "asset_id": wish.get("asset_id")}
    group, limit = wish.get("group_id"), wish["limit"]
    most = _MOST_LOCAL if group else limit
    found = context.find_devices(**known, text=wish.get("query"), limit=most)
    mine = [one for one in found if group in (None, one.external_organization_id)]
    return [_local(one) for one in mine[:limit]]


def _live(client: LevelClient, wish: dict[str, Any], context: ActionContext) -> list[dict[str, Any]]:
    wanted = wish.get("device_id")
    if wish.get("asset_id"):
        of_asset = context.find_devices(external_id=wanted, asset_id=wish["asset_id"], limit=1)
        if not of_asset:
            return []
        wanted = of_asset[0].external_id
    found = list(_listed(client, wish)) if wanted is None else [_one(client, wanted)]
    by_id = {key: row for row in found if row is not None and (key := identifier(row.id)) is not None}
    synced = context.find_devices(external_ids=list(by_id), limit=len(by_id) or 1)
    here = {one.external_id: one for one in synced}
    return [_item(row, here.get(key)) for key, row in by_id.items()]


def _one(client: LevelClient, device_id: str) -> rows.Device | None:
    try:
        return client.read(path_of("devices", device_id), params=_BLOCKS).decode(rows.Device)
    except NotFound:
        return None


def _listed(client: LevelClient, wish: dict[str, Any]) -> Iterator[rows.Device]:
    """The first devices of the group, or of all, that have the text in a name."""
    group = {"group_id": wish["group_id"]} if wish.get("group_id") else {}
    pages = client.listing(DEVICES, rows.Device, errors=[], params={**_BLOCKS, **group})
    fits = _named(wish.get("query") or "")
    return islice((row for page in pages for row in page if fits(row)), wish["limit"])


def _named(part: str) -> Callable[[rows.Device], bool]:
    return lambda row: any(
        part.casefold() in name.casefold() for name in (text(row.hostname) or "", text(row.nickname) or "")
    )


def _local(device: Target) -> dict[str, Any]:
    seen = device.last_seen_at
    return {
        "device_id": device.external_id,
        "asset_id": device.asset_id,
        "hostname": device.name,
        "nickname": None,
        "group_id": _group(device.external_organization_id),
        "online": None if device.status == AgentStatus.UNKNOWN else device.status == AgentStatus.ONLINE,
        "platform": device.platform,
        "os_name": device.os_name,
        "serial_number": None,
        "last_seen_at": seen.isoformat() if seen else None,
        "security_score": None,
        "source": "local",
    }


def _item(row: rows.Device, known: Target | None) -> dict[str, Any]:
    device = device_of(row, full=False)
    seen = device.last_seen_at
    return {
        "device_id": device.external_id,
        "asset_id": known.asset_id if known else None,
        "hostname": text(row.hostname),
        "nickname": text(row.nickname),
        "group_id": _group(device.external_organization_id),
        "online": flag(row.online),
        "platform": device.platform,
        "os_name": device.os_type,
        "serial_number": device.serial,
        "last_seen_at": seen.isoformat() if seen else None,
        "security_score": device.security_score,
        "source": KEY,
    }


def _group(key: str) -> str | None:
    return None if key == UNGROUPED else key


def _known(alert: LocalAlert) -> dict[str, Any]:
    return {
        "alert_id": alert.external_id,
        "device_id": alert.external_device_id,
        "device_hostname": text(alert.raw.get("device_hostname")),
        "name": text(alert.raw.get("name")) or alert.title,
        "description": text(alert.raw.get("description")),
        "severity": text(alert.raw.get("severity")) or alert.severity,
        "is_resolved": not AlertStatus(alert.status).is_open,
        "started_at": alert.triggered_at.isoformat(),
        "resolved_at": None,
    }


def _told(event: AlertEvent) -> dict[str, Any]:
    return {
        "alert_id": event.external_id,
        "device_id": event.external_device_id,
        "device_hostname": event.device_name,
        "name": event.alert_class,
        "description": text(event.raw.get("description")),
        "severity": text(event.raw.get("severity")) or event.severity.value,
        "is_resolved": False,
        "started_at": event.occurred_at.isoformat(),
        "resolved_at": None,
    }


def _update(row: rows.Update) -> dict[str, Any]:
    return {
        "update_id": identifier(row.id) or "",
        "device_id": identifier(row.device_id),
        "device_hostname": text(row.device_hostname),
        "name": text(row.name),
        "category": text(row.category),
        "is_available": flag(row.is_available),
        "installed_on": text(row.installed_on),
    }
