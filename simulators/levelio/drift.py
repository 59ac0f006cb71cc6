"""Changes of the fleet; each tells the event the vendor tells."""

from __future__ import annotations

from simulators.levelio.events import device_event, group_event
from simulators.levelio.fleet import Kind
from simulators.levelio.lab import Lab
from simulators.levelio.models import Device, Group
from simulators.levelio.monitors import raise_alert, resolve_alert


def add_device(
    lab: Lab, group_id: str | None, kind: Kind = ("Windows", "workstation"), hostname: str | None = None
) -> Device:
    """A newly installed device that is online."""
    device = lab.fleet.add_device(lab.picker, lab.clock.timestamp(), group_id, kind)
    device.hostname, device.nickname = hostname or device.hostname, None
    device.omitted, device.online, device.maintenance = frozenset(), True, False
    device_event(lab, "device_created", device)
    return device


def delete_device(lab: Lab, device: Device) -> None:
    """Remove it with its alerts and updates. The event's device is told as it was."""
    del lab.fleet.devices[device.id]
    lab.alerts = {key: one for key, one in lab.alerts.items() if one.device_id != device.id}
    kept = {key: one for key, one in lab.fleet.updates.items() if one.device_id != device.id}
    lab.fleet.updates = kept
    device_event(lab, "device_deleted", device)


def move_device(lab: Lab, device: Device, group_id: str | None) -> None:
    """Into another group, or into none."""
    device.group_id = group_id
    device_event(lab, "device_updated", device)


def change_serial(lab: Lab, device: Device, serial: str | None) -> None:
    """As after a new mainboard."""
    device.hardware.serial = serial
    device_event(lab, "device_updated", device)


def take_offline(lab: Lab, device: Device, *, offline: bool = True) -> None:
    """It is not seen from now on, which its monitor finds; or it is back, and the alert is over."""
    device.online = not offline
    device_event(lab, "device_updated", device)
    if offline:
        raise_alert(lab, device, "Device offline")
        return
    device.last_seen = lab.now()
    for alert in lab.active_alerts(device.id):
        if alert.name == "Device offline":
            resolve_alert(lab, alert)


def add_group(lab: Lab, name: str, parent_id: str | None = None) -> Group:
    """A new group."""
    group = lab.fleet.add_group(name, parent_id)
    group_event(lab, "group_created", group)
    return group


def change_group(lab: Lab, group: Group, name: str, parent_id: str | None) -> None:
    """Another name, another place. ValueError for a place below itself."""
    if parent_id in lab.fleet.subtree(group.id):
        raise ValueError("a group cannot be below itself")
    group.name, group.parent_id = name, parent_id
    group_event(lab, "group_updated", group)


def delete_group(lab: Lab, group: Group) -> None:
    """Its groups and devices go to the group above."""
    for child in lab.fleet.children(group.id):
        child.parent_id = group.parent_id
    for device in lab.devices():
        if device.group_id == group.id:
            device.group_id = group.parent_id
    del lab.fleet.groups[group.id]
    group_event(lab, "group_deleted", group)
