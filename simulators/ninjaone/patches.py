"""Patches a device waits for, failed to install or has installed; made of its id when first asked for."""

from __future__ import annotations

import random
import uuid
from functools import cache
from typing import Any

from simulators.ninjaone import names
from simulators.ninjaone.enums import WINDOWS
from simulators.ninjaone.models import Device

Rows = list[dict[str, Any]]

STATUSES = ("MANUAL", "MANUAL", "APPROVED", "PENDING", "REJECTED", "FAILED")
"""Of patches not installed: waiting for a decision, approved, on their way, rejected, failed."""

TYPES = ("SECURITY_UPDATES", "CRITICAL_UPDATES", "UPDATE_ROLLUPS", "DEFINITION_UPDATES", "REGULAR_UPDATES")
OS_SEVERITIES = ("CRITICAL", "IMPORTANT", "MODERATE", "LOW", "OPTIONAL", "NONE")


@cache
def os_catalogue() -> tuple[dict[str, Any], ...]:
    """Operating system patches."""
    picker = random.Random(73)
    return tuple(_os_patch(picker, number) for number in range(73))


def _os_patch(picker: random.Random, number: int) -> dict[str, Any]:
    knowledge = f"KB{5030000 + number * 13}"
    row = {
        "id": str(uuid.UUID(int=picker.getrandbits(128), version=4)),
        "name": f"2025-{number % 12 + 1:02d} Cumulative Update for Windows ({knowledge})",
        "severity": OS_SEVERITIES[number % len(OS_SEVERITIES)],
        "type": TYPES[number % len(TYPES)],
        "kbNumber": knowledge,
    }
    if number % 9 == 4:
        del row["kbNumber"]
    return row


@cache
def software_catalogue() -> tuple[dict[str, Any], ...]:
    """Patches of other software."""
    picker = random.Random(41)
    return tuple(_software_patch(picker, number) for number in range(41))


def _software_patch(picker: random.Random, number: int) -> dict[str, Any]:
    product = names.PRODUCTS[number % len(names.PRODUCTS)]
    return {
        "id": str(uuid.UUID(int=picker.getrandbits(128), version=4)),
        "productIdentifier": str(uuid.UUID(int=number % len(names.PRODUCTS) + 2**64, version=4)),
        "title": f"{product} {number}.2",
        "impact": ("CRITICAL", "RECOMMENDED", "OPTIONAL")[number % 3],
        "type": ("PATCH", "INSTALLER")[number % 2],
    }


def os_patches(device: Device) -> Rows:
    """Patches of the operating system that are not installed."""
    if device.os_patches is None:
        device.os_patches = _waiting(device, os_catalogue(), 1, most=9)
    return device.os_patches


def os_patch_installs(device: Device, now: float) -> Rows:
    """What was installed or failed to."""
    if device.os_patch_installs is None:
        device.os_patch_installs = _installed(device, os_catalogue(), 2, now)
    return device.os_patch_installs


def software_patches(device: Device) -> Rows:
    """Patches of other software that are not installed."""
    if device.software_patches is None:
        device.software_patches = _waiting(device, software_catalogue(), 3, most=4)
    return device.software_patches


def software_patch_installs(device: Device, now: float) -> Rows:
    """What was installed or failed to."""
    if device.software_patch_installs is None:
        device.software_patch_installs = _installed(device, software_catalogue(), 4, now)
    return device.software_patch_installs


def _waiting(device: Device, catalogue: tuple[dict[str, Any], ...], salt: int, most: int) -> Rows:
    if device.node_class not in WINDOWS:
        return []
    picker = random.Random(device.id * 8 + salt)
    chosen = picker.sample(catalogue, k=picker.choice([0, *range(most)]))
    return [{**row, "status": picker.choice(STATUSES)} for row in chosen]


def _installed(device: Device, catalogue: tuple[dict[str, Any], ...], salt: int, now: float) -> Rows:
    if device.node_class not in WINDOWS:
        return []
    picker = random.Random(device.id * 8 + salt)
    return [
        {
            **row,
            "status": "FAILED" if picker.random() < 0.15 else "INSTALLED",
            "installedAt": round(now - picker.uniform(1, 200) * 86400, 3),
        }
        for row in picker.sample(catalogue, k=picker.randint(2, 12))
    ]


def install_patch(device: Device, patch_id: str, now: float, *, failed: bool = False) -> dict[str, Any]:
    """Install one of the waiting patches (or fail to); the row of its attempt."""
    for waiting, attempts in (
        (os_patches(device), os_patch_installs(device, now)),
        (software_patches(device), software_patch_installs(device, now)),
    ):
        for row in [one for one in waiting if one["id"] == patch_id]:
            status = "FAILED" if failed else "INSTALLED"
            attempts.insert(0, {**row, "status": status, "installedAt": now})
            if failed:
                row["status"] = status
            else:
                waiting.remove(row)
            return attempts[0]
    raise ValueError(f"the device waits for no patch {patch_id}")
