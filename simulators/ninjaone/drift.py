"""Changes of the fleet between, or in the middle of, two crawls; each makes the activity the vendor makes."""

from __future__ import annotations

from simulators.ninjaone.events import device_event
from simulators.ninjaone.fleet import new_device
from simulators.ninjaone.lab import Lab, ScheduledDrift
from simulators.ninjaone.models import Device


def add_device(
    lab: Lab, organization_id: int, node_class: str = "WINDOWS_WORKSTATION", name: str | None = None
) -> Device:
    """A newly installed device that is online."""
    place = lab.fleet.locations_of(organization_id)[0]
    device_id = max(lab.fleet.devices, default=0) + 1
    device = new_device(lab.picker, device_id, node_class, place, lab.clock.timestamp())
    device.created = lab.now()
    device.approval, device.offline = "APPROVED", False
    device.omitted = device.nulls = frozenset()
    device.system_name = name or device.system_name
    lab.fleet.devices[device.id] = device
    device_event(lab, device, "NODE_CREATED")
    return device


def delete_device(lab: Lab, device: Device) -> None:
    """Remove it with its alerts. The activity's device is told as it was."""
    del lab.fleet.devices[device.id]
    lab.alerts = {uid: one for uid, one in lab.alerts.items() if one.device_id != device.id}
    device_event(lab, device, "NODE_DELETED")


def move_device(lab: Lab, device: Device, organization_id: int) -> None:
    """Into another organization, at its first location."""
    device.organization_id = organization_id
    device.location_id = lab.fleet.locations_of(organization_id)[0].id
    device_event(lab, device, "NODE_UPDATED")


def change_serial(lab: Lab, device: Device, serial: str | None) -> None:
    """As after a new mainboard."""
    if device.hardware is None:
        raise ValueError("a device without hardware has no serial number")
    device.hardware.serial = device.hardware.bios_serial = serial
    device_event(lab, device, "NODE_UPDATED")


def take_offline(lab: Lab, device: Device, *, offline: bool = True) -> None:
    """It does not answer from now on, or does again."""
    device.offline = offline
    if not offline:
        device.last_contact = device.last_update = lab.now()


def run_scheduled(lab: Lab, path: str) -> None:
    """Count an answered request; change what has its moment now."""
    for plan in list(lab.scheduled):
        if not path.startswith(plan.prefix):
            continue
        plan.remaining -= 1
        if plan.remaining <= 0:
            lab.scheduled.remove(plan)
            _carry_out(lab, plan)


def _carry_out(lab: Lab, plan: ScheduledDrift) -> None:
    if plan.action == "add":
        add_device(lab, plan.organization_id)
        return
    device = lab.fleet.devices.get(plan.device_id)
    if device is None:
        return
    if plan.action == "delete":
        delete_device(lab, device)
    elif plan.action == "move":
        move_device(lab, device, plan.organization_id)
    elif plan.action == "serial":
        change_serial(lab, device, plan.serial)
