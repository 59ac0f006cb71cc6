"""What is known of a machine, named and in words: on its own page and on its asset's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rmm_extension.domain.values import moment as read_moment

from .presentation import moment, span

_LABELS = {
    "os_name": "Operating system",
    "os_type": "System family",
    "os_version": "OS version",
    "agent_version": "Agent version",
    "current_user": "Signed-in user",
    "last_user": "Last user",
    "lan_ip": "LAN address",
    "wan_ip": "WAN address",
    "cpu_model": "CPU",
    "cpu_percent": "CPU use (%)",
    "memory_gb": "Memory (GB)",
    "manufacturer": "Manufacturer",
    "model": "Model",
    "location": "Location",
    "maintenance": "In maintenance at the vendor",
}
_PATCHES = {True: "Pending", False: "None pending", None: "The vendor does not say"}
_REBOOT = {True: "Needed", False: "Not needed", None: None}


@dataclass(frozen=True, slots=True)
class Vitals:
    """Facts by name, disks (name, sizes, percent in use), and what the vendor's own fields hold."""

    facts: Sequence[tuple[str, str | None]]
    disks: Sequence[Mapping[str, Any]]
    custom: Sequence[tuple[str, str]]
    patches: str


def vitals(device: Any) -> Vitals:
    """Of a device's row; what is not known is left out, in a fixed order."""
    told = device.facts or {}
    hardware = told.get("hardware")
    known = {**(hardware if isinstance(hardware, Mapping) else {}), **told}
    disks = known.get("disks")
    return Vitals(
        facts=[*_facts(known), *_running(device, known), *_of_row(device)],
        disks=[disk for disk in disks or () if isinstance(disk, Mapping)],
        custom=_custom(known.get("custom_fields")),
        patches=_PATCHES[device.patches_pending],
    )


def _facts(known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, label in _LABELS.items():
        value = known.get(key)
        if value not in (None, "", []):
            yield label, _shown(value)


def _running(device: Any, known: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    started: datetime | None = read_moment(known.get("boot_at"))
    if started is not None:
        yield "Started", moment(started)
        if device.status == "online":
            yield "Running for", span(started)
    yield "Reboot", _REBOOT[device.needs_reboot]
    yield "Patches", _PATCHES[device.patches_pending]


def _of_row(device: Any) -> Iterator[tuple[str, str | None]]:
    yield "Serial number", device.serial
    yield "MAC addresses", ", ".join(device.macs or ())


def _custom(fields: Any) -> list[tuple[str, str]]:
    if not isinstance(fields, Mapping):
        return []
    return [(str(name), _shown(value)) for name, value in fields.items() if value not in (None, "", [])]


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)
