"""What of a device goes to the host's asset (vitals), and what our own pages show of it (facts).

A value that the vendor did not give has no key, so that merging leaves what is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from .types import AgentStatus, Device, DeviceKind, Disk, Hardware, Interface

_LONGEST_UPTIME = 5 * 366 * 86_400
_FACTS = (
    "location",
    "platform",
    "os_type",
    "os_version",
    "agent_version",
    "current_user",
    "boot_at",
    "lan_ip",
    "wan_ip",
    "cpu_model",
    "model",
    "needs_reboot",
    "has_pending_patches",
    "os_patches_pending",
    "os_patches_failed",
    "software_patches_pending",
    "software_patches_failed",
    "antivirus",
    "antivirus_product",
    "threats",
    "approval",
    "security_score",
    "maintenance",
)
_LONGEST_SPOKEN = 16
"""Characters of an id that still goes over the telephone."""
_ASSET_TYPES = {
    DeviceKind.VIRTUAL_HOST: "server",
    DeviceKind.VIRTUAL_GUEST: "server",
    DeviceKind.CLOUD: "network_device",
}
"""The kinds that hosts have no type of their own for."""


def vitals(device: Device, now: datetime) -> dict[str, Any]:
    """The columns of the host's workstation or server row that the device fills."""
    values = {
        "os_name": device.os_type,
        "os_version": device.os_version,
        "agent_version": device.agent_version,
        "current_user": device.current_user,
        "last_reboot_at": device.boot_at,
        "uptime_seconds": _uptime(device, now),
        "lan_ip": device.lan_ip,
        "wan_ip": device.wan_ip,
        "cpu_model": device.cpu_model,
        "model": device.model,
        "needs_reboot": device.needs_reboot,
        "has_pending_patches": device.has_pending_patches,
        **_patches(
            device.os_patches_pending,
            device.software_patches_pending,
            device.os_patches_failed,
            device.software_patches_failed,
        ),
        "antivirus_status": device.antivirus,
        "antivirus_product": device.antivirus_product,
        "system_info": device.custom_fields,
    }
    told = {key: value for key, value in values.items() if value is not None}
    # What the routine listing says too stays in its words: a heavy listing must not turn it round each time.
    return told if device.hardware is None else _hardware(device.hardware) | told


def patch_vitals(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that a device's facts about patches fill."""
    names = ("os_patches_pending", "software_patches_pending", "os_patches_failed", "software_patches_failed")
    values = {"has_pending_patches": facts.get("has_pending_patches"), **_patches(*map(facts.get, names))}
    return {key: value for key, value in values.items() if value is not None}


def facts(device: Device) -> dict[str, Any]:
    """What pages show of a device beside its columns, ready for JSON."""
    found: dict[str, Any] = {}
    for name in _FACTS:
        value = getattr(device, name)
        if value is not None:
            found[name] = value
    if device.custom_fields is not None:
        found["custom_fields"] = device.custom_fields
    if device.hardware is not None:
        found["hardware"] = device.hardware
    return found


def asset_type(device: Device, *, is_new: bool) -> str | None:
    """The host's asset type; ``None`` leaves the type of an existing asset when the vendor does not know."""
    if device.kind is DeviceKind.UNKNOWN and not is_new:
        return None
    return _ASSET_TYPES.get(device.kind, device.kind.value)


def asset_tag(vendor: str, device: Device, *, by_serial: bool) -> str:
    """The tag of an asset made for a device: where it comes from, in the vendor's short name, and its id.

    ``by_serial``: its serial number, where it has one, and of an id that nobody could read out ten digits.
    """
    if not by_serial:
        return f"{vendor}:{device.external_id}"
    return f"{vendor}-{device.serial or _short(device.external_id)}"


def _short(external_id: str) -> str:
    if len(external_id) <= _LONGEST_SPOKEN:
        return external_id
    return blake2b(external_id.encode(), digest_size=5).hexdigest().upper()


def _uptime(device: Device, now: datetime) -> int | None:
    if device.boot_at is None or device.status is not AgentStatus.ONLINE:
        return None
    seconds = int((now - device.boot_at).total_seconds())
    return seconds if 0 <= seconds <= _LONGEST_UPTIME else None


def _patches(
    os_pending: int | None, software_pending: int | None, os_failed: int | None, software_failed: int | None
) -> dict[str, int | None]:
    return {
        "pending_patches": _sum(os_pending, software_pending),
        "pending_os_patches": os_pending,
        "pending_software_patches": software_pending,
        "failed_patches": _sum(os_failed, software_failed),
    }


def _sum(*numbers: int | None) -> int | None:
    """Of the numbers that are known; ``None`` where none is."""
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _hardware(hardware: Hardware) -> dict[str, Any]:
    values = {
        "ram_gb": None if hardware.memory_gb is None else round(hardware.memory_gb),
        "cpu_cores": hardware.cpu_cores,
        "storage_gb": None if hardware.storage_gb is None else round(hardware.storage_gb),
        "disk_usage": [_disk(disk) for disk in hardware.disks] or None,
        "network_interfaces": [_interface(one) for one in hardware.interfaces] or None,
        "mac_addresses": list(hardware.macs) or None,
        "manufacturer": hardware.manufacturer,
        "model": hardware.model,
        "cpu_model": hardware.cpu_model,
    }
    return {key: value for key, value in values.items() if value is not None}


def _disk(disk: Disk) -> dict[str, Any]:
    numbers = {
        "total_gb": disk.total_gb,
        "free_gb": disk.free_gb,
        "utilization_percent": disk.utilization_percent,
    }
    return {"name": disk.name} | {key: round(value, 2) for key, value in numbers.items() if value is not None}


def _interface(one: Interface) -> dict[str, Any]:
    return {"name": one.name} | ({"mac": one.mac} if one.mac else {}) | {"ips": list(one.ips)}
