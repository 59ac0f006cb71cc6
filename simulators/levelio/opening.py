"""What has happened before anybody looks: alerts, some of them over."""

from __future__ import annotations

from simulators.levelio.lab import Lab
from simulators.levelio.monitors import MONITORS, raise_alert, resolve_alert

HOUR = 3600.0


def open_initial(lab: Lab, alerts: int) -> None:
    """Let monitors find something on some devices, each of the last hours; every fourth is over."""
    names = [name for name in MONITORS if name != "Device offline"]
    watched = [one for one in lab.devices() if not one.maintenance][::3]
    for place, device in enumerate(watched[:alerts]):
        alert = raise_alert(lab, device, names[place % len(names)] if device.online else "Device offline")
        if alert is None:
            continue
        if place % 4 == 3:
            resolve_alert(lab, alert)
        alert.started -= (place + 1) * HOUR
