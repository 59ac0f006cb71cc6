"""Agents of Tactical RMM as devices. Pure: typed rows in, domain values out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from rmm_extension.domain.addresses import lan_ipv4
from rmm_extension.domain.serials import usable_serial
from rmm_extension.domain.types import AgentStatus, Device, DeviceKind
from rmm_extension.providers.tacticalrmm.hardware import Extra, hardware_of, processor_of, serial_of
from rmm_extension.providers.tacticalrmm.schemas import (
    Agent,
    AgentDetail,
    CustomValue,
    Details,
    HardwareRow,
)
from rmm_extension.providers.tacticalrmm.status import computed_status, vendor_status

# Texts that Tactical RMM 1.5.1 puts where it knows nothing.
_UNKNOWN = frozenset(
    {
        "",
        "-",
        "none",
        "null",
        "undefined",
        "unknown make/model",
        "unknown cpu model",
        "unknown disk",
        "error getting local ips",
    }
)
_KINDS = {"server": DeviceKind.SERVER, "workstation": DeviceKind.WORKSTATION}
_NO_FIELDS: Mapping[int, str] = {}


# Most texts repeat within a fleet (versions, models, sites, users): a look-up is a tenth of the work.
@lru_cache(maxsize=16_384)
def known(value: str | None) -> str | None:
    """The trimmed text; ``None`` for blank, ``None`` and the server's phrases for "not known"."""
    if value is None:
        return None
    stripped = value.strip()
    if stripped.lower() in _UNKNOWN:
        return None
    return stripped.replace("\x00", "") if "\x00" in stripped else stripped


@lru_cache(maxsize=4096)
def operating_system(value: str | None) -> tuple[str | None, str | None]:
    """``("Windows", "11 Pro, 64 bit …")``: the first word is the type, the rest the version."""
    cleaned = known(value)
    if cleaned is None:
        return None, None
    kind, _, version = cleaned.removeprefix("Microsoft ").partition(" ")
    return kind, version.strip() or None


@lru_cache(maxsize=4096)
def device_kind(monitoring_type: str | None, operating_system_text: str | None) -> DeviceKind:
    """Server or workstation as the agent says; by the name of its system only where it says nothing."""
    if monitoring_type in _KINDS:
        return _KINDS[monitoring_type]
    system = known(operating_system_text)
    if system is None:
        return DeviceKind.UNKNOWN
    return DeviceKind.SERVER if "server" in system.lower() else DeviceKind.WORKSTATION


@lru_cache(maxsize=4096)
def system_facts(
    monitoring_type: str | None, system: str | None
) -> tuple[DeviceKind, str | None, str | None]:
    """Kind, type and version in one look-up: a fleet has few distinct systems."""
    return device_kind(monitoring_type, system), *operating_system(system)


def boot_moment(value: float | None) -> datetime | None:
    """The boot time in whole seconds; ``None`` for what cannot be one."""
    if not value or not 946_684_800 <= value <= 4_102_444_800:
        return None
    return datetime.fromtimestamp(int(value), UTC)


def aware(value: datetime | None) -> datetime | None:
    """The instant in UTC; a text without a zone was UTC."""
    if value is None or value.tzinfo is UTC:
        return value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def first_text(value: list[str] | str | None) -> str | None:
    """The first of several texts, or the text itself."""
    if isinstance(value, list):
        value = value[0] if value else None
    return known(value)


def signed_in(value: str | None) -> str | None:
    """Who is signed in: empty where the server says that nobody is (``None`` or ``-`` as text)."""
    return None if value is None else known(value) or ""


def custom_values(values: list[CustomValue] | None, names: Mapping[int, str]) -> dict[str, Any] | None:
    """Values by field name, or by ``field <number>`` where the key may not read the names."""
    if values is None:
        return None
    return {names.get(one.field) or f"field {one.field}": one.value for one in values}


def device_from_agent(
    row: Agent, client_id: str, names: Mapping[int, str] = _NO_FIELDS, extra: Extra | None = None
) -> Device:
    """A device from a row of ``GET /agents/``; ``extra`` comes from the beta list, where that was read."""
    kind, os_type, os_version = system_facts(row.monitoring_type, row.operating_system)
    return Device(
        external_id=row.agent_id,
        external_organization_id=client_id,
        name=known(row.hostname) or row.agent_id,
        kind=kind,
        status=vendor_status(row.status) or AgentStatus.UNKNOWN,
        last_seen_at=aware(row.last_seen),
        serial=usable_serial(row.serial_number),
        location=known(row.site_name),
        platform=known(row.plat),
        os_type=os_type,
        os_version=os_version,
        agent_version=known(row.version),
        current_user="" if row.italic else signed_in(row.logged_username),
        boot_at=boot_moment(row.boot_time),
        lan_ip=lan_ipv4(row.local_ips),
        wan_ip=known(row.public_ip),
        cpu_model=first_text(row.cpu_model),
        model=known(row.make_model),
        needs_reboot=row.needs_reboot,
        has_pending_patches=row.has_patches_pending,
        maintenance=row.maintenance_mode,
        offline_after_minutes=extra.offline_minutes if extra else None,
        overdue_after_minutes=extra.overdue_minutes if extra else None,
        custom_fields=custom_values(row.custom_fields, names),
        hardware=extra.hardware if extra else None,
    )


def device_from_beta(row: HardwareRow, client_id: str, site_name: str | None, now: datetime) -> Device:
    """A device from the beta list alone, which gives neither status nor serial number nor address as such."""
    return _from_hardware_row(row, client_id, known(site_name), now)


def device_from_detail(row: AgentDetail, client_id: str, names: Mapping[int, str], now: datetime) -> Device:
    """A device from ``GET /agents/<agent_id>/``."""
    device = _from_hardware_row(row, client_id, known(row.site_name), now)
    return msgspec.structs.replace(
        device,
        status=vendor_status(row.status) or device.status,
        lan_ip=lan_ipv4(row.local_ips) or device.lan_ip,
        cpu_model=first_text(row.cpu_model) or device.cpu_model,
        model=known(row.make_model) or device.model,
        custom_fields=custom_values(row.custom_fields, names),
    )


def _from_hardware_row(row: HardwareRow, client_id: str, location: str | None, now: datetime) -> Device:
    kind, os_type, os_version = system_facts(row.monitoring_type, row.operating_system)
    details = row.wmi_detail or Details()
    hardware = hardware_of(row)
    last_seen = aware(row.last_seen)
    return Device(
        external_id=row.agent_id,
        external_organization_id=client_id,
        name=known(row.hostname) or row.agent_id,
        kind=kind,
        status=computed_status(last_seen, row.offline_time, row.overdue_time, now),
        last_seen_at=last_seen,
        serial=usable_serial(serial_of(details)),
        location=location,
        platform=known(row.plat),
        os_type=os_type,
        os_version=os_version,
        agent_version=known(row.version),
        current_user=signed_in(row.logged_in_username),
        boot_at=boot_moment(row.boot_time),
        lan_ip=lan_ipv4(",".join(_addresses(details))),
        wan_ip=known(row.public_ip),
        cpu_model=processor_of(details),
        model=" ".join(part for part in (hardware.manufacturer, hardware.model) if part) or None,
        needs_reboot=row.needs_reboot,
        maintenance=row.maintenance_mode,
        offline_after_minutes=row.offline_time,
        overdue_after_minutes=row.overdue_time,
        hardware=hardware,
    )


def _addresses(details: Details) -> list[str]:
    windows = [ip for group in details.network_config for card in group for ip in card.IPAddress or ()]
    return windows + details.local_ips
