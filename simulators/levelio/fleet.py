"""The fleet: nested groups, devices and their updates, the same for the same seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from simulators.common.companies import COMPANIES
from simulators.levelio import names
from simulators.levelio.hardware import equip
from simulators.levelio.models import Device, Group, Update
from simulators.ninjaone.fleet import Twin

DAY = 86400
Kind = tuple[str, str]
"""Platform and role."""


@dataclass(frozen=True)
class FleetOptions:
    """Size and shape of the fleet. `companies` are top-level groups; `twins` come on top of `devices`."""

    devices: int = 120
    companies: int = 12
    seed: int = 7
    twins: tuple[Twin, ...] = ()


@dataclass
class Fleet:
    """The generated rows, by id, in the order of their numbers."""

    groups: dict[str, Group] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    updates: dict[str, Update] = field(default_factory=dict)

    def children(self, group_id: str | None) -> list[Group]:
        """The groups right below; those on top for None."""
        return [one for one in self.groups.values() if one.parent_id == group_id]

    def subtree(self, group_id: str) -> set[str]:
        """The group's id and those of all groups below it."""
        found = {group_id}
        for child in self.children(group_id):
            found |= self.subtree(child.id)
        return found

    def add_group(self, name: str, parent_id: str | None = None) -> Group:
        """A new group."""
        group = Group(_next(self.groups), name, parent_id)
        self.groups[group.id] = group
        return group

    def add_device(
        self, picker: random.Random, now: float, group_id: str | None, kind: Kind | None = None
    ) -> Device:
        """A new random device, of that platform and role if given, with its updates."""
        number = _next(self.devices)
        device = _device(picker, number, kind or names.KINDS[number * 5 % len(names.KINDS)], now)
        device.group_id = group_id
        self.devices[device.id] = device
        self.add_updates(device, picker, now)
        return device

    def add_updates(self, device: Device, picker: random.Random, now: float) -> None:
        """Some updates that wait, and the others as installed."""
        for name, category in names.UPDATES[device.platform]:
            installed = None if picker.random() < 0.4 else now - picker.uniform(1, 60) * DAY
            update = Update(_next(self.updates), device.id, name, category, installed)
            self.updates[update.id] = update


def _next(rows: dict[str, Group] | dict[str, Device] | dict[str, Update]) -> int:
    """The number after the newest row's; rows are in the order of their numbers."""
    newest = next(reversed(rows.values()), None)
    return newest.number + 1 if newest else 101


def build_fleet(options: FleetOptions, now: float) -> Fleet:
    """Generate the fleet. Times are relative to `now`; everything else depends on the options only."""
    fleet, picker = Fleet(), random.Random(options.seed)
    for number in range(options.companies):
        _add_company(fleet, number)
    places: list[str | None] = list(fleet.groups)
    for number in range(options.devices):
        fleet.add_device(picker, now, None if number % 15 == 9 or not places else picker.choice(places))
    for place, twin in enumerate(options.twins):
        _add_twin(fleet, picker, place, twin, now)
    return fleet


def _add_company(fleet: Fleet, number: int) -> None:
    """A group on top; below every second one two branches, and below those groups of equal names."""
    base = COMPANIES[number % len(COMPANIES)]
    top = fleet.add_group(base if number < len(COMPANIES) else f"{base} {number + 1}")
    if number % 2:
        return
    for turn in range(2):
        branch = fleet.add_group(names.BRANCHES[(number // 2 + turn) % len(names.BRANCHES)], top.id)
        fleet.add_group(names.INNER[0], branch.id)
        fleet.add_group(names.INNER[1 + turn], branch.id)


def _device(picker: random.Random, number: int, kind: Kind, now: float) -> Device:
    platform, role = kind
    device = Device(
        number=number,
        hostname=f"{picker.choice(names.PREFIXES[role])}-{number:05d}",
        platform=platform,
        role=role,
        last_seen=now - picker.uniform(0, 60),
        last_reboot=now - picker.uniform(1, 40) * DAY,
        user=picker.choice(names.USERS),
    )
    equip(device, picker)
    _vary(device, picker, now)
    return device


def _vary(device: Device, picker: random.Random, now: float) -> None:
    """Absence, names given by people, tags, and answers with less in them than others."""
    number = device.number
    device.city, device.country = picker.choice(names.PLACES)
    if number % 8 == 5:
        device.online, device.last_seen = False, now - picker.uniform(2, 90) * DAY
    if number % 6 == 0:
        device.nickname = f"Küche – {device.hostname} 🖨"
    if number % 11 == 0:
        device.tags, device.flag = [names.TAGS[number % 3]], "red"
    device.maintenance = number % 20 == 7
    if number % 25 == 3:
        device.omitted = frozenset({"nickname", "tags", "flag", "role", "serial_number", "security"})


def _add_twin(fleet: Fleet, picker: random.Random, place: int, twin: Twin, now: float) -> None:
    """Into the group of its company, or into one below; nowhere without such a group."""
    company = next((one for one in fleet.children(None) if one.name == twin.organization), None)
    if company is None:
        return
    inside = sorted(fleet.subtree(company.id))
    device = fleet.add_device(picker, now, inside[place % len(inside)], kind_of(twin.node_class))
    device.hostname, device.nickname, device.omitted = twin.name, None, frozenset()
    device.online, device.maintenance, device.last_seen = True, False, now
    hardware = device.hardware
    hardware.serial, hardware.manufacturer, hardware.model = twin.serial, twin.manufacturer, twin.model
    for interface, mac in zip(reversed(hardware.interfaces), twin.macs, strict=False):
        interface["mac_address"] = mac


def kind_of(node_class: str) -> Kind:
    """Platform and role of a machine that NinjaOne has in this class."""
    platform = {"WINDOWS": "Windows", "LINUX": "Linux"}.get(node_class.partition("_")[0], "Mac")
    return platform, "server" if node_class.endswith("_SERVER") else "workstation"
