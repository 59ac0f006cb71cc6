"""What has happened before anybody looks: alerts that are on, and some history."""

from __future__ import annotations

from simulators.ninjaone.conditions import CONDITIONS, trigger
from simulators.ninjaone.enums import AGENTS
from simulators.ninjaone.events import device_event
from simulators.ninjaone.lab import Lab
from simulators.ninjaone.models import Device

HISTORY = 250
"""Devices whose arrival is in the log."""

KINDS = {
    "CLOUD_MONITOR_TARGET": ("Ping",),
    "NMS_PRINTER": ("Toner",),
}
"""Conditions of classes that have no agent."""


def open_initial(lab: Lab, alerts: int) -> None:
    """Write the arrival of the first devices, and let conditions trigger on some."""
    for device in list(lab.devices())[:HISTORY]:
        device_event(lab, device, "NODE_CREATED", at=device.created)
    lab.journal.skip(7)
    names = [name for name in CONDITIONS if name not in ("Ping", "Toner", "Agent offline")]
    for place, device in enumerate(_suitable(lab)[:alerts]):
        chosen = KINDS.get(device.node_class, names)
        name = "Agent offline" if device.offline else chosen[place % len(chosen)]
        trigger(lab, device, name)


def _suitable(lab: Lab) -> list[Device]:
    kinds = (*AGENTS, *KINDS)
    devices = list(lab.devices())
    return [one for one in devices if one.node_class in kinds and one.approval == "APPROVED"][::3]
