"""The health summary of a device, counted from what it has."""

from __future__ import annotations

from typing import Any

from simulators.ninjaone.enums import AGENTS
from simulators.ninjaone.lab import Lab
from simulators.ninjaone.models import Alert, Device
from simulators.ninjaone.patches import Rows, os_patches, software_patches

RANK = ("UNKNOWN", "HEALTHY", "NEEDS_ATTENTION", "UNHEALTHY")


def health_row(lab: Lab, device: Device) -> dict[str, Any]:
    """A row of device-health."""
    system, products = _failed_and_pending(os_patches(device)), _failed_and_pending(software_patches(device))
    alerts = lab.active_alerts(device.id) if lab.alerts else []
    parent = lab.fleet.devices.get(device.parent_id or 0)
    row: dict[str, Any] = {
        "activeThreatsCount": len(device.threats),
        "quarantinedThreatsCount": 0,
        "blockedThreatsCount": 0,
        "failedOSPatchesCount": system[0],
        "pendingOSPatchesCount": system[1],
        "alertCount": len(alerts),
        "activeJobCount": 0,
        "failedSoftwarePatchesCount": products[0],
        "pendingSoftwarePatchesCount": products[1],
        "productsInstallationStatuses": {},
        "offline": device.offline,
        "parentOffline": bool(parent and parent.offline),
        "healthStatus": _status(device, alerts),
        "installationIssuesCount": 0,
    }
    if device.system and device.system.needs_reboot:
        row["pendingRebootReason"] = "WINDOWS_PM"
    if parent:
        row["parentDeviceId"] = parent.id
    if device.id % 3 == 0 and device.node_class in AGENTS:
        row |= _vulnerabilities(device.id)
    return row | device.health


def _failed_and_pending(rows: Rows) -> tuple[int, int]:
    failed = sum(row["status"] == "FAILED" for row in rows)
    return failed, sum(row["status"] not in ("FAILED", "REJECTED") for row in rows)


def _status(device: Device, alerts: list[Alert]) -> str:
    if device.approval != "APPROVED":
        return "UNKNOWN"
    own = "UNHEALTHY" if device.threats else "HEALTHY"
    needs = "NEEDS_ATTENTION" if device.system and device.system.needs_reboot else own
    return max([own, needs, *(one.health or "NEEDS_ATTENTION" for one in alerts)], key=RANK.index)


def _vulnerabilities(number: int) -> dict[str, int]:
    names = ("critical", "high", "medium", "low")
    return {f"{name}VulnerabilityCount": number % (place + 2) for place, name in enumerate(names)}
