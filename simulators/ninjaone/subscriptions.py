"""Who is told of an activity: the webhooks of API applications, and notification channels."""

from __future__ import annotations

from typing import Any

import msgspec

from simulators.ninjaone import nodes
from simulators.ninjaone.lab import Lab
from simulators.ninjaone.models import Activity, Device, Subscription


def announce(lab: Lab, entry: Activity, device: Device | None) -> None:
    """Hand the activity to the courier once for each that asked for it."""
    for one in lab.subscriptions:
        if one.enabled and asked_for(one, entry):
            lab.courier.send(one, entry.id, payload(lab, one, entry, device))


def asked_for(one: Subscription, entry: Activity) -> bool:
    """Exactly the types and codes of the subscription, and its organizations where it names any."""
    codes = one.activities.get(entry.row["activityType"], [])
    if "*" not in codes and entry.row.get("statusCode") not in codes:
        return False
    return not one.organization_ids or entry.organization_id in one.organization_ids


def payload(lab: Lab, one: Subscription, entry: Activity, device: Device | None) -> bytes:
    """The activity and, if wanted, its device. A channel's device has no references."""
    row: dict[str, Any] = dict(entry.row)
    if row.get("statusCode") == "NODE_DELETED" and not lab.settings.deleted_with_device:
        device = None
    if device is not None and ("device" in one.expand or one.channel):
        row["device"] = nodes.in_webhook(lab, device, [] if one.channel else one.expand)
    return msgspec.json.encode(row)
