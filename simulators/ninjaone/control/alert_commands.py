"""Conditions: letting them trigger, acknowledging and resetting them."""

from __future__ import annotations

from typing import Any

from simulators.ninjaone import conditions
from simulators.ninjaone.control.blueprint import BadCommand, command, device_of, fields, lab, query
from simulators.ninjaone.enums import PRIORITIES, SEVERITIES
from simulators.ninjaone.models import Alert
from simulators.ninjaone.replies import missing


def alert_summary(alert: Alert) -> dict[str, Any]:
    """The alert as the control page shows it."""
    device = lab().fleet.devices.get(alert.device_id)
    return {
        "uid": alert.uid,
        "device_id": alert.device_id,
        "device": device.system_name if device else None,
        "condition": alert.condition,
        "severity": alert.severity,
        "priority": alert.priority,
        "message": alert.message,
        "acknowledged": alert.acknowledged,
    }


@query("/api/alerts")
def list_alerts() -> Any:
    """What is on."""
    return [alert_summary(one) for one in lab().active_alerts()]


@query("/api/conditions")
def list_conditions() -> Any:
    """Names of the conditions that can trigger."""
    return list(conditions.CONDITIONS)


@command("/api/conditions/trigger")
def trigger() -> Any:
    """{"device_id", "condition"?, "uid"?, "severity"?, "priority"?, "message"?}; no alert in maintenance."""
    data = fields()
    name = data.get("condition", "Disk almost full")
    if name not in conditions.CONDITIONS:
        raise BadCommand(f"condition is one of {', '.join(conditions.CONDITIONS)}")
    if data.get("severity") not in (None, *SEVERITIES) or data.get("priority") not in (None, *PRIORITIES):
        raise BadCommand(f"severity: {', '.join(SEVERITIES)}; priority: {', '.join(PRIORITIES)}")
    given = {key: data[key] for key in ("uid", "severity", "priority", "message") if key in data}
    with lab().lock:
        alert = conditions.trigger(lab(), device_of(data["device_id"]), name, **given)
        return {"uid": alert.uid if alert else None, "activity_id": lab().journal.last_id}


def _active(uid: str) -> Alert:
    if uid not in lab().alerts:
        raise missing("Alert")
    return lab().alerts[uid]


@command("/api/alerts/<uid>/reset")
def reset(uid: str) -> Any:
    """The condition holds no more."""
    with lab().lock:
        return {"activity_id": conditions.reset(lab(), _active(uid)).id}


@command("/api/alerts/<uid>/acknowledge")
def acknowledge(uid: str) -> Any:
    """A technician has seen it."""
    with lab().lock:
        return {"activity_id": conditions.acknowledge(lab(), _active(uid), user_id=2).id}


@command("/api/alerts/<uid>/vanish")
def vanish(uid: str) -> Any:
    """Gone without an activity, as when a policy is taken away."""
    with lab().lock:
        return {"gone": lab().alerts.pop(_active(uid).uid, None) is not None}
