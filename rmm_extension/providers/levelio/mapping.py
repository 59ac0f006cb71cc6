"""Devices of Level as devices. Pure: typed rows in, domain values out.

What its API lacks stays unknown: public address, agent version, software, whether a restart is due. Level
tells who signed in last, not who is signed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rmm_extension.domain.addresses import is_virtual_adapter, lan_ipv4, normal_mac, usable_macs
from rmm_extension.domain.platforms import LABELS
from rmm_extension.domain.serials import usable_serial
from rmm_extension.domain.types import AgentStatus, Device, DeviceKind, Disk, Hardware, Interface
from rmm_extension.domain.values import moment
from rmm_extension.providers.device_pages import Unreadable
from rmm_extension.providers.levelio import rows
from rmm_extension.providers.levelio.organizations import UNGROUPED
from rmm_extension.providers.levelio.protection import antivirus
from rmm_extension.providers.values import (
    count,
    flag,
    gigabytes,
    identifier,
    maker,
    number,
    text,
    used_percent,
)

_SERVERS = frozenset({"server", "domain_controller"})
_PLATFORMS = {"windows": "windows", "mac": "darwin", "macos": "darwin", "linux": "linux"}
_STATUSES = {True: AgentStatus.ONLINE, False: AgentStatus.OFFLINE, None: AgentStatus.UNKNOWN}
_MOST_TAGS = 100


def device_of(row: rows.Device, *, full: bool) -> Device:
    """The device; ``full`` where every block was asked for. Raises :class:`Unreadable`."""
    external_id = identifier(row.id)
    if external_id is None:
        raise Unreadable("it has no id")
    platform = _PLATFORMS.get((text(row.platform) or "").casefold())
    system, version = _system(row, platform)
    state, product = antivirus(row.security)
    return Device(
        external_id=external_id,
        external_organization_id=identifier(row.group_id) or UNGROUPED,
        name=text(row.nickname) or text(row.hostname) or external_id,
        kind=DeviceKind.SERVER if text(row.role) in _SERVERS else DeviceKind.WORKSTATION,
        status=_STATUSES[flag(row.online)],
        last_seen_at=moment(row.last_seen_at),
        serial=usable_serial(text(row.serial_number)),
        location=", ".join(filter(None, (text(row.city), text(row.country)))) or None,
        platform=platform,
        os_type=system,
        os_version=version,
        boot_at=moment(row.last_reboot_time),
        lan_ip=_lan(row.network_interfaces or ()),
        model=maker(row.model),
        antivirus=state,
        antivirus_product=product,
        security_score=_score(row),
        maintenance=flag(row.maintenance_mode),
        custom_fields=_marks(row),
        hardware=_hardware(row) if full else None,
    )


def _system(row: rows.Device, platform: str | None) -> tuple[str | None, str | None]:
    """Name and version. The version is the minor one, which holds the build, else the major one."""
    told = row.operating_system or rows.OperatingSystem()
    name = (text(told.full_operating_system) or "").removeprefix("Microsoft ") or LABELS.get(platform or "")
    return name, text(told.minor_version) or text(told.major_version)


def _lan(cards: Sequence[rows.Card]) -> str | None:
    real = [card for card in cards if not is_virtual_adapter(_description(card))]
    return lan_ipv4(",".join(address for card in real for address in _addresses(card)))


def _score(row: rows.Device) -> int | None:
    found = number(row.security_score)
    if found is None and row.security is not None:
        found = number(row.security.score)
    return round(found) if found is not None and 0 <= found <= 100 else None


def _marks(row: rows.Device) -> dict[str, Any]:
    """What people marked the device with at Level."""
    tags = row.tags if isinstance(row.tags, list) else []
    names = [found for tag in tags[:_MOST_TAGS] if (found := _tag(tag))]
    marks = {"Tags": ", ".join(names), "Flag": text(row.flag)}
    return {name: value for name, value in marks.items() if value}


def _tag(tag: Any) -> str | None:
    """A tag by its name, also where it comes as an object."""
    found = tag.get("name") if isinstance(tag, dict) else tag
    return text(found) if isinstance(found, str) else None


def _hardware(row: rows.Device) -> Hardware:
    cards, processors = row.network_interfaces or (), row.cpus or ()
    adapters = [(text(card.mac_address), _description(card)) for card in cards]
    models = [found for one in processors if (found := text(one.model))]
    return Hardware(
        memory_gb=gigabytes(row.total_memory),
        storage_gb=_storage(row),
        cpu_cores=count(row.cpu_cores) or sum(count(one.cores) or 0 for one in processors) or None,
        interfaces=tuple(_interface(card) for card in cards),
        disks=tuple(disk for one in row.disk_partitions or () if (disk := _disk(one))),
        macs=usable_macs(adapters),
        manufacturer=maker(row.manufacturer),
        model=maker(row.model),
        cpu_model=models[0] if models else None,
        last_user=text(row.last_logged_in_user),
    )


def _storage(row: rows.Device) -> float | None:
    """The sum of the drives, or of the partitions where no drive tells its size."""
    for parts in (row.disks, row.disk_partitions):
        total = sum(number(one.size) or 0 for one in parts or ())
        if total > 0:
            return gigabytes(total)
    return None


def _disk(part: rows.Partition) -> Disk | None:
    name = text(part.mount_point) or text(part.label)
    if name is None:
        return None
    size, free = number(part.size), number(part.free_space)
    return Disk(
        name=name,
        total_gb=gigabytes(size),
        free_gb=0.0 if free == 0 else gigabytes(free),
        utilization_percent=used_percent(size, free),
    )


def _interface(card: rows.Card) -> Interface:
    name = text(card.label) or text(card.interface) or text(card.description) or "Network interface"
    return Interface(name=name, mac=normal_mac(text(card.mac_address)), ips=_addresses(card))


def _addresses(card: rows.Card) -> tuple[str, ...]:
    several = card.ip_addresses if isinstance(card.ip_addresses, list) else [card.ip_addresses]
    return tuple(found for one in several if (found := text(one)))


def _description(card: rows.Card) -> str:
    return " ".join(filter(None, map(text, (card.description, card.label, card.interface))))
