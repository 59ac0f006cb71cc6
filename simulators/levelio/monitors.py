"""What Level watches on devices; a finding is an alert, which stays the same one until it is resolved."""

from __future__ import annotations

from dataclasses import dataclass

from simulators.levelio.events import alert_event
from simulators.levelio.lab import Lab
from simulators.levelio.models import Alert, Device

SEVERITIES = ("information", "warning", "critical", "emergency")


@dataclass(frozen=True)
class Monitor:
    """A monitor with what its alerts say."""

    name: str
    severity: str
    description: str
    payload: str | None = None


MONITORS = {
    one.name: one
    for one in (
        Monitor("Disk space low", "critical", "C: below 10% – 6.2 % left"),
        Monitor("High CPU usage", "warning", "CPU usage was above 90% for 10 minutes"),
        Monitor("Device offline", "emergency", "The device has not been seen for 15 minutes"),
        Monitor("Service stopped", "critical", "Druckwarteschlange (Spooler) is stopped", "Spooler: stopped"),
        Monitor("Reboot required", "information", "A restart has been pending since Tuesday"),
        Monitor("Antivirus disabled", "emergency", "Windows Defender is off"),
        Monitor("Backup age", "warning", "The last backup is 3 days old", "age_hours=74\n<none>"),
    )
}
"""The monitors there are, by name."""


def raise_alert(
    lab: Lab,
    device: Device,
    name: str = "Disk space low",
    *,
    severity: str | None = None,
    description: str | None = None,
) -> Alert | None:
    """The monitor finds something on a device; the alert that is on already, if any. None in maintenance."""
    if device.maintenance:
        return None
    for one in lab.active_alerts(device.id):
        if one.name == name:
            return one
    monitor = MONITORS.get(name) or Monitor(name, "warning", name)
    alert = Alert(
        number=lab.next_number("Alert"),
        device_id=device.id,
        device_hostname=device.hostname,
        name=name,
        description=description or monitor.description,
        severity=severity or monitor.severity,
        started=lab.now(),
        payload=monitor.payload,
    )
    lab.alerts[alert.id] = alert
    alert_event(lab, "alert_active", alert)
    return alert


def resolve_alert(lab: Lab, alert: Alert) -> None:
    """The finding is gone, or somebody resolves it; once is enough."""
    if alert.resolved is None:
        alert.resolved = lab.now()
        alert_event(lab, "alert_resolved", alert)
