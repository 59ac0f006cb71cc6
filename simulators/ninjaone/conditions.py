"""Conditions of policies: they trigger, are acknowledged and reset; each makes an activity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulators.ninjaone.events import happen
from simulators.ninjaone.lab import Lab
from simulators.ninjaone.models import Activity, Alert, Device

DETAILS = "00000000-0000-4000-8000-0000000000"


@dataclass(frozen=True)
class Condition:
    """A condition of a policy. Severity and priority are set by hand and do not follow each other."""

    name: str
    source_type: str
    code: str
    message: str
    params: dict[str, Any]
    severity: str | None = None
    priority: str | None = None
    health: str | None = "NEEDS_ATTENTION"
    source_name: str = ""
    subject: str = ""
    number: int = 0

    @property
    def config_uid(self) -> str:
        """UUID of the policy element."""
        return f"{DETAILS}{self.number:02d}"


CONDITIONS = {
    one.name: one
    for one in (
        Condition(
            "Agent offline",
            "AGENT_OFFLINE",
            "agent_offline",
            "Device is offline for 30 minutes",
            {"duration": 30},
            "CRITICAL",
            "HIGH",
            "UNHEALTHY",
            number=1,
        ),
        Condition(
            "Disk almost full",
            "CONDITION_AGENT_DISK_FREE_SPACE",
            "agent_cond_disk_free_space_lt",
            "Free disk space on C: is less than 10% – 6.2 % left",
            {"target": "C:", "threshold": 10, "unit": "%", "value": 6.2},
            "MODERATE",
            "LOW",
            source_name="Disk almost full",
            subject="C:",
            number=2,
        ),
        Condition(
            "Memory",
            "CONDITION_AGENT_MEMORY",
            "agent_cond_memory_usage_ge",
            "Memory Utilization is greater than or equal to 80% for 5 minutes",
            {"duration": 5, "target": "_average_", "threshold": 80, "unit": "%", "value": 84.80957683284261},
            source_name="_average_",
            number=3,
        ),
        Condition(
            "Event log",
            "CONDITION_WINDOWS_EVENT_LOG_TRIGGERED",
            "agent_cond_eventlog2",
            "EventId: 41, Source: Microsoft-Windows-Kernel-Power, Message: Rebooted uncleanly.",
            {"event_id": "41", "event_source": "Microsoft-Windows-Kernel-Power"},
            None,
            None,
            None,
            subject="41",
            number=4,
        ),
        Condition(
            "Uptime",
            "CONDITION_SYSTEM_UPTIME",
            "agent_cond_uptime",
            "Uptime is greater than 30 days",
            {"threshold": 30},
            "NONE",
            "NONE",
            "HEALTHY",
            number=5,
        ),
        Condition(
            "Service stopped",
            "CONDITION_WINDOWS_SERVICE_STATE_CHANGED",
            "agent_cond_service",
            "Service Druckwarteschlange (Spooler) is stopped",
            {"service": "Spooler"},
            "MAJOR",
            "MEDIUM",
            number=6,
        ),
        Condition(
            "Ping",
            "CONDITION_PING",
            "cloud_cond_ping",
            "Host does not answer to ping",
            {},
            "CRITICAL",
            "MEDIUM",
            "UNHEALTHY",
            number=7,
        ),
        Condition(
            "Toner",
            "CONDITION_CUSTOM_SNMP",
            "nms_cond_snmp",
            "Toner is low",
            {"value": 4},
            "MINOR",
            "LOW",
            number=8,
        ),
    )
}
"""The conditions there are, by name."""


def trigger(
    lab: Lab,
    device: Device,
    name: str = "Disk almost full",
    *,
    uid: str | None = None,
    message: str | None = None,
    severity: str | None = None,
    priority: str | None = None,
) -> Alert | None:
    """The condition begins to hold on a device; the alert, which stays the same one while it is on.

    None while maintenance keeps alerts off. `uid` lets a series begin anew.
    """
    condition = CONDITIONS[name]
    if alerts_are_off(lab, device):
        return None
    for one in lab.active_alerts(device.id):
        if one.condition == name and (uid is None or one.uid == uid):
            one.updated = lab.now()
            return one
    alert = _alert(lab, device, condition, uid or lab.new_uid())
    alert.message = message or alert.message
    alert.severity, alert.priority = severity or alert.severity, priority or alert.priority
    lab.alerts[alert.uid] = alert
    condition_activity(lab, alert, "TRIGGERED")
    return alert


def _alert(lab: Lab, device: Device, condition: Condition, uid: str) -> Alert:
    return Alert(
        uid=uid,
        device_id=device.id,
        message=condition.message,
        created=lab.now(),
        updated=lab.now(),
        source_type=condition.source_type,
        source_config_uid=condition.config_uid,
        source_name=condition.source_name,
        subject=condition.subject,
        code=condition.code,
        params=dict(condition.params),
        condition=condition.name,
        severity=condition.severity,
        priority=condition.priority,
        health=condition.health,
    )


def alerts_are_off(lab: Lab, device: Device) -> bool:
    """Whether a maintenance window with ALERTS is running."""
    window = device.maintenance
    return window is not None and window.keeps_off("ALERTS", lab.clock.timestamp())


def reset(
    lab: Lab, alert: Alert, *, user_id: int | None = None, data: dict[str, Any] | None = None
) -> Activity:
    """The condition holds no more, or a person or an application resets it (with data of their own)."""
    del lab.alerts[alert.uid]
    return condition_activity(lab, alert, "RESET", user_id, data)


def acknowledge(lab: Lab, alert: Alert, *, user_id: int | None = None) -> Activity:
    """Somebody has seen it; the alert stays on."""
    alert.acknowledged, alert.updated = True, lab.now()
    return condition_activity(lab, alert, "ACKNOWLEDGED", user_id)


def condition_activity(
    lab: Lab, alert: Alert, code: str, user_id: int | None = None, data: dict[str, Any] | None = None
) -> Activity:
    """An entry of the alert's series."""
    return happen(
        lab,
        "CONDITION",
        code,
        lab.fleet.devices.get(alert.device_id),
        seriesUid=alert.uid,
        severity=alert.severity,
        priority=alert.priority,
        sourceConfigUid=alert.source_config_uid,
        sourceName=alert.source_name,
        subject=alert.subject,
        userId=user_id,
        message=alert.message,
        data=alert_data(alert) | (data or {}),
    )


def alert_data(alert: Alert) -> dict[str, Any]:
    """What the condition measured."""
    return {"message": {"code": alert.code, "params": alert.params}}
