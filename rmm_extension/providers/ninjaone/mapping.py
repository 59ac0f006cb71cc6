"""Devices of NinjaOne as devices. Pure: typed rows in, domain values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rmm_extension.domain.addresses import lan_ipv4, normal_mac, usable_macs
from rmm_extension.domain.serials import usable_serial
from rmm_extension.domain.types import AgentStatus, Device, DeviceKind, Disk, Hardware, Interface
from rmm_extension.providers.device_pages import Unreadable
from rmm_extension.providers.ninjaone import facts, rows
from rmm_extension.providers.ninjaone.classes import NODE_CLASSES, node_class
from rmm_extension.providers.ninjaone.reports import Told
from rmm_extension.providers.values import epoch, flag, gigabytes, identifier, maker, text, used_percent

_GIB = 1024**3
_PROTECTED_KINDS = frozenset({DeviceKind.WORKSTATION, DeviceKind.SERVER})
"""What has an antivirus program, and is told to have none where the report names none."""
_RANKS = {"protected": 0, "at_risk": 1, "unknown": 2}


@dataclass(frozen=True, slots=True)
class Context:
    """What a run knows beside the rows: names of locations by id, whether antivirus programs were listed
    completely, and whether hardware is wanted."""

    locations: Mapping[str, str] = field(default_factory=dict)
    lists_antivirus: bool = False
    full: bool = False


def device_from_list(node: rows.Node, told: Told, context: Context) -> Device:
    """A device from a row of ``/v2/devices-detailed`` and what the reports say of it."""
    return _device(node, told, context, _hardware(node, told) if context.full else None)


def device_alone(node: rows.Node) -> Device:
    """A device from ``/v2/device/{id}``, which knows its machine but nothing of patches and protection.

    What only a report tells stays unknown: the reports take no single device (``df=deviceId`` fails).
    """
    told = _told(node)
    has_hardware = any((node.processors, node.volumes, node.memory, node.memory_size, node.cpu_model))
    return _device(node, told, Context(), _hardware_alone(node, told) if has_hardware else None)


def _device(node: rows.Node, told: Told, context: Context, hardware: Hardware | None) -> Device:
    external_id, organization = identifier(node.id), identifier(node.organization_id)
    if external_id is None or organization is None:
        raise Unreadable("it has no id" if external_id is None else "it names no organization")
    kind, platform = node_class(text(node.node_class))
    machine, system = told.machine or facts.Machine(), told.system or facts.System()
    health, approval = told.health, _approval(node.approval_status)
    antivirus, product = _antivirus(told, kind, context)
    return Device(
        external_id=external_id,
        external_organization_id=organization,
        name=_name(node) or f"Device {external_id}",
        kind=kind,
        status=_status(node.offline, approval),
        last_seen_at=epoch(node.last_contact),
        serial=machine.serial,
        location=_location(node, context.locations),
        platform=platform,
        os_type=system.name,
        os_version=system.version,
        boot_at=None if system.booted is None else datetime.fromtimestamp(system.booted, UTC),
        lan_ip=lan_ipv4(",".join(facts.texts(node.ip_addresses))),
        wan_ip=text(node.public_ip),
        model=machine.model,
        needs_reboot=_needs_reboot(system, health),
        has_pending_patches=_has_pending(health),
        os_patches_pending=health.os_pending if health else None,
        os_patches_failed=health.os_failed if health else None,
        software_patches_pending=health.software_pending if health else None,
        software_patches_failed=health.software_failed if health else None,
        antivirus=antivirus,
        antivirus_product=product,
        threats=health.threats if health else None,
        approval=approval,
        maintenance=_in_maintenance(node),
        custom_fields=_strange_class(node),
        hardware=hardware,
    )


def _name(node: rows.Node) -> str | None:
    names = (node.display_name, node.system_name, node.dns_name, node.netbios_name)
    return next((found for name in names if (found := text(name))), None)


def _approval(value: Any) -> str | None:
    word = text(value)
    return None if word is None else word.casefold()


def _status(offline: Any, approval: str | None) -> AgentStatus:
    """By the flag. What is decommissioned is not online, whatever its flag was left at."""
    if approval == "decommissioned":
        return AgentStatus.OFFLINE
    return {True: AgentStatus.OFFLINE, False: AgentStatus.ONLINE, None: AgentStatus.UNKNOWN}[flag(offline)]


def _location(node: rows.Node, names: Mapping[str, str]) -> str | None:
    reference = node.references.location if node.references else None
    named = text(reference.name) if reference else None
    return named or names.get(identifier(node.location_id) or "")


def _in_maintenance(node: rows.Node) -> bool:
    """A device tells of a window only while there is one, also of one to come and of one that failed."""
    word = text(node.maintenance.status) if node.maintenance else None
    return (word or "").upper() == "IN_MAINTENANCE"


def _needs_reboot(system: facts.System, health: facts.Health | None) -> bool | None:
    """Either report may ask for it. Where the one that gives reasons was not read, a no is not sure."""
    if system.needs_reboot or (health and health.reboots):
        return True
    return None if health is None else False


def _has_pending(health: facts.Health | None) -> bool | None:
    numbers = (health.os_pending, health.software_pending) if health else ()
    known = [one for one in numbers if one is not None]
    return any(known) if known else None


def _antivirus(told: Told, kind: DeviceKind, context: Context) -> tuple[str | None, str | None]:
    """State and product: one that protects outweighs others that do not, which Windows lists as switched off.

    Of equal ones the first by name counts, because a report has no order.
    """
    if not told.antivirus:
        return ("unknown", "") if context.lists_antivirus and kind in _PROTECTED_KINDS else (None, None)
    best = min(told.antivirus, key=lambda one: (_RANKS[one.state], one.product.casefold(), one.product))
    return best.state, best.product


def _strange_class(node: rows.Node) -> dict[str, Any] | None:
    """The class as it came, where it is one that nobody knows yet."""
    word = text(node.node_class)
    return None if word is None or word.upper() in NODE_CLASSES else {"Class": word}


def _hardware(node: rows.Node, told: Told) -> Hardware:
    """What a full run knows. An address counts as one of the machine where no virtual card bears it."""
    cards = told.cards
    bearers = {normal_mac(mac): card.name for card in cards for mac in card.macs}
    listed = facts.texts(node.mac_addresses)
    adapters = [(mac, bearers.get(normal_mac(mac))) for mac in listed]
    adapters += [(mac, card.name) for card in cards for mac in card.macs]
    machine = told.machine or facts.Machine()
    volumes = told.volumes
    return Hardware(
        memory_gb=machine.memory_gb,
        storage_gb=_storage(volumes),
        cpu_cores=sum(one.cores or 0 for one in told.processors) or None,
        interfaces=tuple(_interface(card) for card in cards),
        disks=tuple(_disk(volume) for volume in volumes),
        macs=usable_macs(adapters),
        manufacturer=machine.manufacturer,
        model=machine.model,
        cpu_model=next((one.name for one in told.processors if one.name), None),
        last_user=told.sign_in.user if told.sign_in else None,
    )


def _hardware_alone(node: rows.Node, told: Told) -> Hardware:
    """Without interfaces and addresses: which of the addresses are real cards only a report tells."""
    known = _hardware(rows.Node(id=node.id), told)
    return Hardware(
        memory_gb=known.memory_gb,
        storage_gb=known.storage_gb,
        cpu_cores=known.cpu_cores,
        disks=known.disks,
        manufacturer=known.manufacturer,
        model=known.model,
        cpu_model=known.cpu_model,
        last_user=known.last_user,
    )


def _told(node: rows.Node) -> Told:
    """What a device fetched alone says of itself, in the shape of the reports."""
    volumes = [found for row in node.volumes or () if (found := facts.volume(row))]
    processors = [facts.processor(row) for row in node.processors or ()]
    if not processors and text(node.cpu_model):
        processors = [facts.Processor(text(node.cpu_model))]
    user = text(node.last_logged_in_user)
    return Told(
        machine=_machine(node),
        system=_system(node),
        processors=tuple(processors),
        sign_in=facts.SignIn(user) if user else None,
    ).with_volumes(volumes)


def _machine(node: rows.Node) -> facts.Machine:
    """Of an agent in a part of its own; of a virtual host and of what has no agent on the top level."""
    told = facts.machine(node.system) if node.system else facts.Machine()
    memory = gigabytes(node.memory.capacity) if node.memory else None
    return facts.Machine(
        serial=told.serial
        or usable_serial(text(node.service_tag))
        or usable_serial(text(node.serial_number)),
        manufacturer=told.manufacturer or maker(node.vendor),
        model=told.model or maker(node.model),
        memory_gb=told.memory_gb or memory or gigabytes(node.memory_size),
    )


def _system(node: rows.Node) -> facts.System | None:
    if node.os is not None:
        return facts.system(node.os)
    name, version = facts.named_system(node.release_name)
    booted = facts.seconds(node.last_boot_time)
    return facts.System(name, version, booted) if name or booted else None


def _storage(volumes: Sequence[facts.Volume]) -> float | None:
    total = sum(volume.capacity or 0 for volume in volumes)
    return round(total / _GIB, 2) if total else None


def _disk(volume: facts.Volume) -> Disk:
    size, free = volume.capacity, volume.free
    return Disk(
        name=volume.name,
        total_gb=round(size / _GIB, 2) if size else None,
        free_gb=round(free / _GIB, 2) if free is not None else None,
        utilization_percent=used_percent(size, free),
    )


def _interface(card: facts.Card) -> Interface:
    macs = [found for mac in card.macs if (found := normal_mac(mac))]
    return Interface(name=card.name, mac=macs[0] if macs else None, ips=card.ips)
