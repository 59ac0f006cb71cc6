"""Looking at devices and changing them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request

from simulators.ninjaone import drift, patches, software
from simulators.ninjaone.control.blueprint import (
    BadCommand,
    command,
    device_of,
    fields,
    flag,
    lab,
    query,
    scheduled,
)
from simulators.ninjaone.enums import APPROVALS
from simulators.ninjaone.events import device_event
from simulators.ninjaone.lab import ScheduledDrift
from simulators.ninjaone.models import Device

EDITABLE: dict[str, Callable[[Any], Any]] = {
    "display_name": str,
    "system_name": str,
    "dns_name": str,
    "public_ip": str,
    "user": str,
    "offline": flag,
    "references": flag,
    "approval": str,
    "node_class": str,
    "parent_id": int,
    "location_id": int,
    "extra": dict,
    "health": dict,
    "warranty": dict,
    "omitted": frozenset,
    "nulls": frozenset,
    "ip_addresses": list,
    "mac_addresses": list,
    "antivirus": list,
    "threats": list,
    "os_patches": list,
    "software_patches": list,
}


def device_summary(device: Device) -> dict[str, Any]:
    """The device as the control page shows it."""
    organization = lab().fleet.organizations[device.organization_id]
    return {
        "id": device.id,
        "name": device.display_name or device.system_name,
        "system_name": device.system_name,
        "node_class": device.node_class,
        "approval": device.approval,
        "offline": device.offline,
        "organization": organization.name,
        "organization_id": organization.id,
        "location_id": device.location_id,
        "parent_id": device.parent_id,
        "serial": device.hardware.serial if device.hardware else None,
        "maintenance": bool(device.maintenance),
        "alerts": [one.uid for one in lab().active_alerts(device.id)],
    }


def search_devices(text: str, limit: int) -> list[dict[str, Any]]:
    """Devices whose name, serial, class, approval or organization contains the text."""
    found: list[dict[str, Any]] = []
    keys = ("name", "system_name", "serial", "node_class", "approval", "organization")
    for device in lab().devices():
        row = device_summary(device)
        if any(text.lower() in str(row[key]).lower() for key in keys):
            found.append(row)
            if len(found) >= limit:
                break
    return found


@query("/api/devices")
def list_devices() -> Any:
    """?search= and ?limit= (default 500)."""
    return search_devices(request.args.get("search", ""), int(request.args.get("limit", "500")))


@query("/api/devices/<int:device_id>")
def show_device(device_id: int) -> Any:
    """One device."""
    return device_summary(device_of(device_id))


@query("/api/organizations")
def list_organizations() -> Any:
    """Organizations with their locations."""
    return [
        {
            "id": one.id,
            "name": one.name,
            "locations": [{"id": p.id, "name": p.name} for p in lab().fleet.locations_of(one.id)],
        }
        for one in lab().fleet.organizations.values()
    ]


@command("/api/devices")
def add_device() -> Any:
    """{"organization_id", "node_class"?, "name"?}; with "after_requests" (and "prefix"?) one for later."""
    data = fields()
    with lab().lock:
        organization_id = _known_organization(data["organization_id"])
        if later := scheduled(data):
            lab().scheduled.append(ScheduledDrift(*later, "add", organization_id=organization_id))
            return {"scheduled": True}
        kind = data.get("node_class", "WINDOWS_WORKSTATION")
        return device_summary(drift.add_device(lab(), organization_id, kind, data.get("name")))


def _known_organization(given: Any) -> int:
    if int(given) not in lab().fleet.organizations:
        raise BadCommand(f"no organization {given}")
    return int(given)


@command("/api/devices/<int:device_id>/delete")
def delete_device(device_id: int) -> Any:
    """{} now; {"after_requests": n, "prefix"?} after n more answered requests below the prefix."""
    with lab().lock:
        device = device_of(device_id)
        if later := scheduled(fields()):
            lab().scheduled.append(ScheduledDrift(*later, "delete", device.id))
            return {"scheduled": True}
        drift.delete_device(lab(), device)
    return {"deleted": True}


@command("/api/devices/<int:device_id>/move")
def move_device(device_id: int) -> Any:
    """{"organization_id"}, now or "after_requests"."""
    data = fields()
    with lab().lock:
        device, organization_id = device_of(device_id), _known_organization(data["organization_id"])
        if later := scheduled(data):
            plan = ScheduledDrift(*later, "move", device.id, organization_id)
            lab().scheduled.append(plan)
            return {"scheduled": True}
        drift.move_device(lab(), device, organization_id)
        return device_summary(device)


@command("/api/devices/<int:device_id>/serial")
def change_serial(device_id: int) -> Any:
    """{"serial"}, now or "after_requests"; without one the device has none."""
    data = fields()
    with lab().lock:
        device = device_of(device_id)
        if later := scheduled(data):
            lab().scheduled.append(ScheduledDrift(*later, "serial", device.id, serial=data.get("serial")))
            return {"scheduled": True}
        drift.change_serial(lab(), device, data.get("serial"))
        return device_summary(device)


@command("/api/devices/<int:device_id>/offline")
def take_offline(device_id: int) -> Any:
    """{"offline"?}: it does not answer from now on, or with false does again."""
    with lab().lock:
        drift.take_offline(lab(), device_of(device_id), offline=flag(fields().get("offline", True)))
        return device_summary(device_of(device_id))


@command("/api/devices/<int:device_id>/set")
def set_device(device_id: int) -> Any:
    """Any of EDITABLE; no activity is made."""
    data = fields()
    with lab().lock:
        device = device_of(device_id)
        for name, value in data.items():
            if name not in EDITABLE:
                raise BadCommand(f"one can set {', '.join(EDITABLE)}")
            setattr(device, name, None if value is None else EDITABLE[name](value))
        return device_summary(device)


@command("/api/devices/<int:device_id>/approval")
def approve(device_id: int) -> Any:
    """{"approval", "by"?}: approved by hand, or automatically where "by" is "automatic"."""
    data = fields()
    if data["approval"] not in APPROVALS:
        raise BadCommand(f"approval is one of {', '.join(APPROVALS)}")
    with lab().lock:
        device = device_of(device_id)
        device.approval = data["approval"]
        manual = data.get("by") != "automatic"
        approved = "NODE_MANUALLY_APPROVED" if manual else "NODE_AUTOMATICALLY_APPROVED"
        device_event(lab(), device, approved if device.approval == "APPROVED" else "NODE_UPDATED")
        return device_summary(device)


@command("/api/devices/<int:device_id>/event")
def make_event(device_id: int) -> Any:
    """{"code", "type"?, "severity"?, "message"?, "result"?}: any activity about the device."""
    data = fields()
    more = {"severity": data.get("severity"), "activityResult": data.get("result")}
    if data.get("message"):
        more["message"] = data["message"]
    with lab().lock:
        entry = device_event(lab(), device_of(device_id), data["code"], data.get("type", "SYSTEM"), **more)
    return {"activity_id": entry.id}


@command("/api/devices/<int:device_id>/software/install")
def install_software(device_id: int) -> Any:
    """{"name", "version", "publisher"?}."""
    data = fields()
    with lab().lock:
        device = device_of(device_id)
        software.install(device, data["name"], data["version"], data.get("publisher"))
        entry = device_event(lab(), device, "SOFTWARE_ADDED", message=f"{data['name']} installed")
    return {"activity_id": entry.id}


@command("/api/devices/<int:device_id>/software/remove")
def remove_software(device_id: int) -> Any:
    """{"name"}."""
    data = fields()
    with lab().lock:
        device = device_of(device_id)
        software.remove(device, data["name"])
        entry = device_event(lab(), device, "SOFTWARE_REMOVED", message=f"{data['name']} removed")
    return {"activity_id": entry.id}


@command("/api/devices/<int:device_id>/patches/install")
def install_patch(device_id: int) -> Any:
    """{"id", "failed"?}: one of the waiting patches, of the system or of software."""
    data, failed = fields(), flag(fields().get("failed", False))
    with lab().lock:
        device = device_of(device_id)
        row = patches.install_patch(device, data["id"], lab().now(), failed=failed)
        kind = "PATCH_MANAGEMENT" if "name" in row else "SOFTWARE_PATCH_MANAGEMENT"
        code = f"{kind}_INSTALL_FAILED" if failed else f"{kind}_INSTALLED"
        entry = device_event(lab(), device, code, kind, message=row.get("name") or row["title"])
    return {"activity_id": entry.id}
