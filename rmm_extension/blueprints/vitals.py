"""What is known of a machine, named and in words: on its own page and on its asset's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rmm_extension.domain.values import moment as read_moment
from rmm_extension.providers.contract import Manifest

from .context import provider_of
from .presentation import moment, span, words

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
    "cpu_cores": "CPU cores",
    "cpu_percent": "CPU use (%)",
    "memory_gb": "Memory (GB)",
    "storage_gb": "Storage (GB)",
    "manufacturer": "Manufacturer",
    "model": "Model",
    "location": "Location",
    "maintenance": "In maintenance at the vendor",
}
_TOLD_OTHERWISE = {
    "antivirus": "Antivirus",
    "boot_at": "Started",
    "needs_reboot": "Reboot",
    "security_score": "Security score",
    "serial": "Serial number",
    "threats": "Active threats",
}
"""What has more to say than its value."""
_PATCHES = {True: "Pending", False: "None pending", None: "The vendor does not say"}
_REBOOT = {True: "Needed", False: "Not needed", None: None}
_ANTIVIRUS = {"protected": "Protected", "at_risk": "At risk", "unknown": "State not known"}
_PATCHED = {"os": "the system", "software": "software"}
_APPROVAL = {
    "pending": "Waits for approval at the vendor",
    "staged": "Prepared at the vendor, not taken into use yet",
    "decommissioned": "Decommissioned at the vendor",
}


@dataclass(frozen=True, slots=True)
class Vitals:
    """Facts by name, disks (name, sizes, percent in use), network interfaces with their addresses, and what
    the vendor's own fields hold."""

    facts: Sequence[tuple[str, str | None]]
    disks: Sequence[Mapping[str, Any]]
    network: Sequence[tuple[str, str]]
    custom: Sequence[tuple[str, str]]
    patches: str


def vitals_of(device: Any, provider_key: str) -> Vitals:
    """:func:`vitals` with what its vendor says of itself."""
    provider = provider_of(provider_key)
    return vitals(device, provider.manifest if provider else None)


def vitals(device: Any, manifest: Manifest | None = None) -> Vitals:
    """Of a device's row; what is not known is left out, in a fixed order. What its vendor never tells, by its
    manifest, is named as such."""
    told = device.facts or {}
    hardware = told.get("hardware")
    known = {**(hardware if isinstance(hardware, Mapping) else {}), **told}
    disks = known.get("disks")
    return Vitals(
        facts=[
            *_approval(known),
            *_facts(known),
            *_running(device, known),
            *_safety(known),
            *_of_row(device),
            *_lacking(device, known, manifest),
        ],
        disks=[disk for disk in disks or () if isinstance(disk, Mapping)],
        network=list(_network(known.get("interfaces"))),
        custom=_custom(known.get("custom_fields")),
        patches=_patches(device, known),
    )


def _approval(known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if word := _APPROVAL.get(str(known.get("approval"))):
        yield "Approval", word


def _facts(known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, label in _LABELS.items():
        value = known.get(key)
        if value not in (None, "", []):
            yield label, _shown(value)


def _lacking(device: Any, known: Mapping[str, Any], manifest: Manifest | None) -> Iterator[tuple[str, str]]:
    """What the vendor never tells, but for what came all the same."""
    if manifest is None:
        return
    for name in manifest.lacks:
        if known.get(name) is None and getattr(device, name, None) is None:
            yield (
                _LABELS.get(name) or _TOLD_OTHERWISE.get(name) or words(name),
                f"Not available from {manifest.label}",
            )


def _running(device: Any, known: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    started: datetime | None = read_moment(known.get("boot_at"))
    if started is not None:
        yield "Started", moment(started)
        if device.status == "online":
            yield "Running for", span(started)
    yield "Reboot", _REBOOT[device.needs_reboot]
    yield "Patches", _patches(device, known)


def _patches(device: Any, known: Mapping[str, Any]) -> str:
    """How many wait and how many failed, where the vendor counts them."""
    told = [_counted(known, "pending"), _counted(known, "failed")]
    return ", ".join(text for text in told if text) or _PATCHES[device.patches_pending]


def _counted(known: Mapping[str, Any], state: str) -> str | None:
    """``3 pending (2 of the system, 1 of software)``; ``None`` where there is no number or none failed."""
    numbers = {name: known.get(f"{key}_patches_{state}") for key, name in _PATCHED.items()}
    told = {name: number for name, number in numbers.items() if type(number) is int}
    total = sum(told.values())
    if not told or (not total and state == "failed"):
        return None
    parts = ", ".join(f"{number} of {name}" for name, number in told.items() if number)
    return f"{total} {state}" + (f" ({parts})" if total else "")


def _safety(known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    state, product = _ANTIVIRUS.get(str(known.get("antivirus"))), known.get("antivirus_product")
    if state:
        yield "Antivirus", ", ".join([state, *([str(product)] if product else [])])
    if type(known.get("threats")) is int:
        yield "Active threats", str(known["threats"])
    if type(known.get("security_score")) is int:
        yield "Security score", f"{known['security_score']} of 100"


def _of_row(device: Any) -> Iterator[tuple[str, str | None]]:
    yield "Serial number", device.serial
    yield "MAC addresses", ", ".join(device.macs or ())


def _network(cards: Any) -> Iterator[tuple[str, str]]:
    for card in cards if isinstance(cards, list) else ():
        if isinstance(card, Mapping):
            addresses = card.get("ips") if isinstance(card.get("ips"), list) else []
            told = [card.get("mac"), *(addresses or ())]
            yield str(card.get("name") or "?"), ", ".join(str(one) for one in told if one) or "no address"


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
