"""Which columns an RMM fills, and how a reported value becomes one of theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rmm_extension.host.types import AssetChange


@dataclass(frozen=True, slots=True)
class _Text:
    """A text without what PostgreSQL cannot hold, cut to the column's length."""

    length: int | None = None

    def __call__(self, value: Any) -> str:
        return str(value).replace("\x00", "")[: self.length]


def _number(value: Any) -> float:
    return round(float(value), 2)


def _whole(value: Any) -> int:
    return round(float(value))


def _moment(value: Any) -> datetime:
    found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _same(value: Any) -> Any:
    return value


ASSET_COLUMNS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "client_id": ("text", _same),
    "name": ("text", _Text(255)),
    "asset_type": ("text", _Text(30)),
    "serial_number": ("text", _Text(255)),
    "mac_addresses": ("jsonb", list),
    "location": ("text", _Text(255)),
    "asset_tag": ("text", _Text(255)),
    "rmm_provider": ("text", _Text(50)),
    "rmm_device_id": ("text", _Text(255)),
    "rmm_organization_id": ("text", _Text(255)),
    "agent_status": ("text", _Text(20)),
    "last_seen_at": ("timestamptz", _moment),
}
"""Column of ``assets``: its SQL type and how a value is read."""

VITAL_COLUMNS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "os_name": ("text", _Text()),
    "os_version": ("text", _Text()),
    "manufacturer": ("text", _Text()),
    "model": ("text", _Text()),
    "cpu_model": ("text", _Text()),
    "cpu_cores": ("int", _whole),
    "ram_gb": ("int", _whole),
    "storage_gb": ("int", _whole),
    "agent_version": ("text", _Text()),
    "antivirus_status": ("text", _Text(20)),
    "antivirus_product": ("text", _Text()),
    "last_reboot_at": ("timestamptz", _moment),
    "needs_reboot": ("boolean", bool),
    "has_pending_patches": ("boolean", bool),
    "pending_patches": ("int", _whole),
    "failed_patches": ("int", _whole),
    "pending_os_patches": ("int", _whole),
    "pending_software_patches": ("int", _whole),
    "last_patch_scan_at": ("timestamptz", _moment),
    "system_info": ("jsonb", dict),
    "current_user": ("text", _Text(255)),
    "uptime_seconds": ("bigint", _whole),
    "lan_ip": ("text", _Text(45)),
    "wan_ip": ("text", _Text(45)),
    "memory_used_gb": ("float8", _number),
    "memory_usage_percent": ("float8", _number),
    "disk_usage": ("jsonb", list),
    "network_interfaces": ("jsonb", list),
    "installed_software": ("jsonb", list),
    "cpu_percent": ("float8", _number),
}
"""Column of the workstation and server tables; ``cpu_percent`` stands for the one they name differently."""

CPU_COLUMN = {"workstation": "cpu_utilization_percent", "server": "cpu_usage_percent"}
MEASUREMENTS = frozenset(
    {
        "last_seen_at",
        "last_patch_scan_at",
        "uptime_seconds",
        "memory_used_gb",
        "memory_usage_percent",
        "cpu_percent",
    }
)
"""What moves by itself from minute to minute; written, but no entry of the asset's history."""

_KNOWN = frozenset({*VITAL_COLUMNS, "mac_addresses"})
_ALIASES = {
    "cpu_utilization_percent": "cpu_percent",
    "cpu_usage_percent": "cpu_percent",
    "os_type": "os_name",
    "memory_gb": "ram_gb",
    "boot_at": "last_reboot_at",
}


_CONVERT = {column: convert for column, (_, convert) in {**ASSET_COLUMNS, **VITAL_COLUMNS}.items()}
_LENGTHS = {column: convert.length for column, convert in _CONVERT.items() if isinstance(convert, _Text)}


def reported(change: AssetChange) -> tuple[dict[str, Any], dict[str, Any]]:
    """The columns the change speaks about, with readable values only: the asset's own, and the vitals."""
    asset = _read(
        {
            "client_id": change.client_id,
            "name": change.name,
            "asset_type": change.asset_type,
            "serial_number": change.serial,
            "location": change.location,
            "asset_tag": change.asset_tag,
            "rmm_provider": change.rmm_provider,
            "rmm_device_id": change.rmm_device_id,
            "rmm_organization_id": change.rmm_organization_id,
            "agent_status": change.agent_status,
            "last_seen_at": change.last_seen_at,
        }
    )
    if asset.get("name") == "":
        asset["name"] = change.rmm_device_id
    vitals = _read(_vitals(change.vitals))
    if "mac_addresses" in vitals:
        asset["mac_addresses"] = vitals.pop("mac_addresses")
    return asset, vitals


def _vitals(vitals: dict[str, Any]) -> dict[str, Any]:
    if vitals.keys() <= _KNOWN:
        return vitals
    named = {_ALIASES.get(key, key): value for key, value in vitals.items()}
    strange = {
        key: value for key, value in named.items() if key not in VITAL_COLUMNS and key != "mac_addresses"
    }
    known = {key: value for key, value in named.items() if key not in strange}
    info = {key: value for key, value in strange.items() if value is not None}
    return {**known, "system_info": {**(known.get("system_info") or {}), **info}} if info else known


def _read(values: dict[str, Any]) -> dict[str, Any]:
    read = {}
    for column, value in values.items():
        if value is None:
            continue
        if type(value) is str and column in _LENGTHS and "\x00" not in value:
            # Nearly every value of nearly every device: not worth a call each.
            read[column] = value[: _LENGTHS[column]]
            continue
        try:
            read[column] = _CONVERT[column](value)
        except (TypeError, ValueError):
            # A vendor's odd value is no reason to lose the others: what is there stays.
            continue
    return read
