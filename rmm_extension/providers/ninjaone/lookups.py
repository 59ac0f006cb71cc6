"""The actions about devices and alerts that only read, and the reset of an alert."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import msgspec

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
from rmm_extension.providers.ninjaone import alerts, rows
from rmm_extension.providers.ninjaone.client import NinjaOneClient
from rmm_extension.providers.ninjaone.contracts import Found
from rmm_extension.providers.ninjaone.errors import KEY, WrongHost
from rmm_extension.providers.values import epoch, flag, identifier, text

_MOST_LOCAL = 1000


def find_devices(client: NinjaOneClient, order: Order, context: ActionContext) -> Outcome:
    """Devices by id, asset or a part of the name."""
    wish = order.input
    wanted = str(wish["device_id"]) if "device_id" in wish else None
    if wish["live"]:
        found = _live(client, wanted, wish, context)
    else:
        known = {"external_id": wanted, "asset_id": wish.get("asset_id")}
        here = context.find_devices(**known, text=wish.get("query"), limit=wish["limit"])
        found = [_local(one) for one in here]
    return succeeded(f"{len(found)} devices.", {"devices": found, "count": len(found)})


def list_alerts(client: NinjaOneClient, order: Order, context: ActionContext) -> Outcome:
    """Open alerts, the newest first: as they stand here, or as NinjaOne lists them now."""
    limit = order.input["limit"]
    if order.input["live"]:
        known = {one.external_id: one for one in context.find_alerts(limit=_MOST_LOCAL)}
        newest = sorted(alerts.active(client), key=lambda one: one.occurred_at, reverse=True)
        found = [_told(one, known.get(one.external_id)) for one in newest[:limit]]
    else:
        found = [_known(one) for one in context.find_alerts(limit=limit)]
    return succeeded(f"{len(found)} open alerts.", {"alerts": found, "count": len(found)})


def get_alert(order: Order, context: ActionContext) -> Outcome:
    """One alert as it stands here, open or not."""
    uid = _uid(order)
    found = next(iter(context.find_alerts(external_id=uid, open_only=False, limit=1)), None)
    if found is None:
        return failed(ErrorCode.NOT_FOUND, f"No alert {uid} is known here.")
    return succeeded(f"The alert is {found.status}.", {"alert": _known(found)})


def reset_alert(client: NinjaOneClient, order: Order, context: ActionContext) -> Outcome:
    """Reset the alert in NinjaOne; then it ends here as if NinjaOne had told so."""
    uid = _uid(order)
    receipt = alerts.reset(client, uid)
    if not receipt.accepted:
        return failed(ErrorCode.VENDOR_ERROR, receipt.message)
    known = context.alert_was_reset(uid, receipt.message)
    return succeeded(receipt.message, {"acknowledged": True, "alert_id": known.alert_id if known else None})


def _uid(order: Order) -> str:
    return str(order.input.get("alert_uid") or order.input["external_alert_id"])


def _live(
    client: NinjaOneClient, wanted: str | None, wish: dict[str, Any], context: ActionContext
) -> list[dict[str, Any]]:
    if wish.get("asset_id"):
        of_asset = context.find_devices(external_id=wanted, asset_id=wish["asset_id"], limit=1)
        if not of_asset:
            return []
        wanted = of_asset[0].external_id
    nodes = _listed(client, wish) if wanted is None else _one(client, wanted)
    by_id = {key: node for node in nodes if (key := identifier(node.id)) is not None}
    synced = context.find_devices(external_ids=list(by_id), limit=len(by_id) or 1)
    here = {one.external_id: one for one in synced}
    return [_item(key, node, here.get(key)) for key, node in by_id.items()]


def _one(client: NinjaOneClient, device_id: str) -> Sequence[rows.Node]:
    try:
        return [client.read(f"/v2/device/{quote(device_id, safe='')}").decode(rows.Node)]
    except WrongHost:
        raise
    except NotFound:
        return []


def _listed(client: NinjaOneClient, wish: dict[str, Any]) -> list[rows.Node]:
    """The first devices, or those that NinjaOne finds by the text."""
    limit = wish["limit"]
    if wish.get("query"):
        reply = client.read("/v2/devices/search", params={"q": wish["query"], "limit": limit})
        found = reply.decode(Found).devices or []
    else:
        found = client.read("/v2/devices", params={"pageSize": limit}).decode(list[msgspec.Raw])
    readable = []
    for raw in found[:limit]:
        try:
            readable.append(msgspec.json.decode(raw, type=rows.Node))
        except msgspec.ValidationError:
            continue  # one odd row keeps no other from being found
    return readable


def _local(device: Target) -> dict[str, Any]:
    seen = device.last_seen_at
    return {
        "external_device_id": device.external_id,
        "asset_id": device.asset_id,
        "organization_id": device.external_organization_id,
        "hostname": device.name,
        "display_name": device.name,
        "dns_name": None,
        "agent_online": None if device.status == AgentStatus.UNKNOWN else device.status == AgentStatus.ONLINE,
        "last_seen_at": seen.isoformat() if seen else None,
        "os_name": device.os_name,
        "node_class": None,
        "source": "local",
    }


def _item(key: str, node: rows.Node, device: Target | None) -> dict[str, Any]:
    seen, offline = epoch(node.last_contact), flag(node.offline)
    names = [text(name) for name in (node.display_name, node.system_name, node.dns_name)]
    return {
        "external_device_id": key,
        "asset_id": device.asset_id if device else None,
        "organization_id": identifier(node.organization_id),
        "hostname": text(node.system_name),
        "display_name": next(filter(None, names), f"Device {key}"),
        "dns_name": text(node.dns_name),
        "agent_online": None if offline is None else not offline,
        "last_seen_at": seen.isoformat() if seen else None,
        "os_name": (text(node.os.name) if node.os else None) or (device.os_name if device else None),
        "node_class": text(node.node_class),
        "source": KEY,
    }


def _known(alert: LocalAlert) -> dict[str, Any]:
    return {
        "alert_id": alert.alert_id,
        "external_alert_id": alert.external_id,
        "status": alert.status,
        "severity": alert.severity,
        "priority": text(alert.raw.get("priority")),
        "title": alert.title,
        "message": alert.message,
        "device_id": alert.external_device_id,
        "asset_id": alert.asset_id,
        "source_type": alert.source_type,
        "created_at": alert.triggered_at.isoformat(),
        "updated_at": alert.updated_at.isoformat(),
        "acknowledged": alert.acknowledged_at is not None,
    }


def _told(event: AlertEvent, known: LocalAlert | None) -> dict[str, Any]:
    at = event.occurred_at.isoformat()
    return {
        "alert_id": known.alert_id if known else None,
        "external_alert_id": event.external_id,
        "status": known.status if known else AlertStatus.ACTIVE.value,
        "severity": event.severity.value,
        "priority": text(event.raw.get("priority")),
        "title": event.alert_class,
        "message": event.message,
        "device_id": event.external_device_id,
        "asset_id": known.asset_id if known else None,
        "source_type": event.source_type,
        "created_at": at,
        "updated_at": known.updated_at.isoformat() if known else at,
        "acknowledged": known is not None and known.acknowledged_at is not None,
    }
