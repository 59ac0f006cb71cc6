"""Looking at devices and changing them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request

from simulators.levelio import drift
from simulators.levelio.control.blueprint import (
    BadCommand,
    command,
    device_of,
    fields,
    flag,
    home_of,
    lab,
    now_or_later,
    query,
)
from simulators.levelio.control.group_commands import path_of
from simulators.levelio.models import Device
from simulators.levelio.names import SYSTEMS

EDITABLE: dict[str, Callable[[Any], Any]] = {
    "hostname": str,
    "nickname": str,
    "user": str,
    "online": flag,
    "maintenance": flag,
    "security_score": float,
    "last_seen": float,
    "tags": list,
    "extra": dict,
    "omitted": frozenset,
}


def device_summary(device: Device) -> dict[str, Any]:
    """The device as the control page shows it."""
    return {
        "id": device.id,
        "hostname": device.hostname,
        "nickname": device.nickname,
        "platform": device.platform,
        "role": device.role,
        "online": device.online,
        "maintenance": device.maintenance,
        "group_id": device.group_id,
        "group": path_of(device.group_id),
        "serial": device.hardware.serial,
        "alerts": [one.id for one in lab().active_alerts(device.id)],
    }


def search_devices(text: str, limit: int) -> list[dict[str, Any]]:
    """Devices whose name, serial, platform, role or group contains the text."""
    keys = ("hostname", "nickname", "serial", "platform", "role", "group")
    rows = map(device_summary, lab().devices())
    return [row for row in rows if any(text.lower() in str(row[key]).lower() for key in keys)][:limit]


@query("/api/devices")
def list_devices() -> Any:
    """?search= and ?limit= (default 500)."""
    return search_devices(request.args.get("search", ""), int(request.args.get("limit", "500")))


@query("/api/devices/<device_id>")
def show_device(device_id: str) -> Any:
    """One device."""
    return device_summary(device_of(device_id))


@command("/api/devices")
def add_device() -> Any:
    """{"group_id"?, "platform"?, "role"?, "hostname"?}, now or "after_requests" (below "prefix")."""
    data = fields()
    kind = (data.get("platform", "Windows"), data.get("role", "workstation"))
    if kind not in SYSTEMS:
        raise BadCommand(f"platform and role are one of {sorted(SYSTEMS)}")
    with lab().lock:
        home, server, made = home_of(data), lab(), []
        hostname = data.get("hostname")
        now_or_later(data, lambda: made.append(drift.add_device(server, home, kind, hostname)))
        return device_summary(made[0]) if made else {"scheduled": True}


@command("/api/devices/<device_id>/delete")
def delete_device(device_id: str) -> Any:
    """{}, now or "after_requests" (below "prefix")."""
    with lab().lock:
        device, server = device_of(device_id), lab()
        return {"deleted": now_or_later(fields(), lambda: drift.delete_device(server, device))}


@command("/api/devices/<device_id>/move")
def move_device(device_id: str) -> Any:
    """{"group_id"} ("null" for none), now or "after_requests"."""
    data = fields()
    with lab().lock:
        device, home, server = device_of(device_id), home_of(data), lab()
        now_or_later(data, lambda: drift.move_device(server, device, home))
        return device_summary(device)


@command("/api/devices/<device_id>/serial")
def change_serial(device_id: str) -> Any:
    """{"serial"}, now or "after_requests"; without one the device has none."""
    data = fields()
    with lab().lock:
        device, server = device_of(device_id), lab()
        now_or_later(data, lambda: drift.change_serial(server, device, data.get("serial")))
        return device_summary(device)


@command("/api/devices/<device_id>/offline")
def take_offline(device_id: str) -> Any:
    """{"offline"?}: it is not seen from now on, or with false it is again; or "after_requests"."""
    data = fields()
    gone = flag(data.get("offline", True))
    with lab().lock:
        device, server = device_of(device_id), lab()
        now_or_later(data, lambda: drift.take_offline(server, device, offline=gone))
        return device_summary(device)


@command("/api/devices/<device_id>/set")
def set_device(device_id: str) -> Any:
    """Any of EDITABLE; no event is told."""
    data = fields()
    with lab().lock:
        device = device_of(device_id)
        for name, value in data.items():
            if name not in EDITABLE:
                raise BadCommand(f"one can set {', '.join(EDITABLE)}")
            setattr(device, name, None if value is None else EDITABLE[name](value))
        return device_summary(device)
