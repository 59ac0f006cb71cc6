"""/v2/alerts: what is on now, as one list, and resetting it."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from simulators.ninjaone import conditions
from simulators.ninjaone.endpoints import Action, Endpoint, body, grant, lab, reads, the_device
from simulators.ninjaone.filters import wanted_devices
from simulators.ninjaone.models import Alert
from simulators.ninjaone.replies import empty, missing

Row = dict[str, Any]


def alert_row(alert: Alert) -> Row:
    """Without an organization; severity and priority only where the condition sets them."""
    row: Row = {
        "uid": alert.uid,
        "deviceId": alert.device_id,
        "message": alert.message,
        "createTime": alert.created,
        "updateTime": alert.updated,
        "sourceType": alert.source_type,
        "sourceConfigUid": alert.source_config_uid,
        "sourceName": alert.source_name,
        "subject": alert.subject,
        "data": conditions.alert_data(alert),
        "conditionName": alert.condition,
    }
    more = {"severity": alert.severity, "priority": alert.priority, "conditionHealthStatus": alert.health}
    return row | {key: value for key, value in more.items() if value is not None}


def alerts() -> list[Row]:
    """All that are on, unpaged."""
    wanted, source, known = wanted_devices(), request.args.get("sourceType"), lab().fleet.devices
    return [
        alert_row(one)
        for one in lab().active_alerts()
        if source in (None, "", one.source_type)
        and (one.device_id not in known or wanted(known[one.device_id]))
    ]


def alerts_of(device_id: int) -> list[Row]:
    """Those of one device."""
    the_device(device_id)
    return [alert_row(one) for one in lab().active_alerts(device_id)]


def _active(uid: str) -> Alert:
    found = lab().alerts.get(uid)
    if found is None:
        raise missing("Alert")
    return found


def delete(uid: str) -> Response:
    """Reset it."""
    conditions.reset(lab(), _active(uid), user_id=grant().user_id)
    return empty()


def reset(uid: str) -> Response:
    """Reset it; the body's object is kept in the activity."""
    conditions.reset(lab(), _active(uid), user_id=grant().user_id, data=body())
    return empty()


ENDPOINTS = [
    reads("/alerts", alerts),
    reads("/device/<int:device_id>/alerts", alerts_of),
    Endpoint("/alert/<uid>", {"DELETE": Action(delete, "management")}),
    Endpoint("/alert/<uid>/reset", {"POST": Action(reset, "management")}),
]
