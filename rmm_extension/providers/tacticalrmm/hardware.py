"""Hardware facts out of the heavy rows: ``disks``, ``total_ram`` and ``wmi_detail`` of Tactical RMM 1.5.1."""

from __future__ import annotations

import re

import msgspec

from rmm_extension.domain.addresses import usable_macs
from rmm_extension.domain.types import Disk, Hardware
from rmm_extension.domain.values import text
from rmm_extension.providers.tacticalrmm.schemas import Details, HardwareRow, Volume

_SIZE = re.compile(r"([\d.]+)\s*([KMGTP]?)i?B?", re.IGNORECASE)
_FACTORS = {"K": 1 / 1024**2, "M": 1 / 1024, "G": 1.0, "T": 1024.0, "P": 1024.0**2, "": 1 / 1024**3}


class Extra(msgspec.Struct, frozen=True):
    """What the beta list adds to an agent; kept instead of its row, which is a hundred times larger."""

    hardware: Hardware
    offline_minutes: int | None
    overdue_minutes: int | None


def extra_of(row: HardwareRow) -> Extra:
    """The part of a heavy row that is kept."""
    return Extra(hardware_of(row), row.offline_time, row.overdue_time)


def gigabytes(value: str | None) -> float | None:
    """``465.3`` from ``"465.3G"`` or ``"465.3 GB"``; ``None`` for other text."""
    match = _SIZE.fullmatch((value or "").strip())
    if match is None:
        return None
    try:
        return round(float(match[1]) * _FACTORS[match[2].upper()], 2)
    except ValueError:
        return None


def hardware_of(row: HardwareRow) -> Hardware:
    """The hardware facts of a heavy row."""
    details = row.wmi_detail or Details()
    product = next((found for group in details.comp_sys_prod for found in group), None)
    model = text(product.Name) if product else text(details.make_model)
    return Hardware(
        memory_gb=row.total_ram if row.total_ram and row.total_ram > 0 else None,
        disks=tuple(_disk(volume) for volume in row.disks or () if volume.device),
        macs=usable_macs(
            (card.MACAddress, card.Description) for group in details.network_config for card in group
        ),
        manufacturer=text(product.Vendor) if product else None,
        model=None if model == "unknown make/model" else model,
        cpu_model=processor_of(details),
        last_user=text(row.last_logged_in_user),
    )


def serial_of(details: Details) -> str | None:
    """The serial number as the machine tells it: from the BIOS on Windows, directly on Linux and macOS."""
    bios = next((found for group in details.bios for found in group), None)
    return bios.SerialNumber if bios else details.serialnumber


def processor_of(details: Details) -> str | None:
    """The name of the first processor."""
    windows = (found.Name for group in details.cpu for found in group)
    return next((name for name in map(text, [*windows, *details.cpus]) if name), None)


def _disk(volume: Volume) -> Disk:
    percent = volume.percent
    return Disk(
        name=text(volume.device) or "?",
        total_gb=gigabytes(volume.total),
        free_gb=gigabytes(volume.free),
        utilization_percent=percent if percent is not None and 0 <= percent <= 100 else None,
    )
