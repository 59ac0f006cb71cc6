"""The fleet: organizations, locations and devices, the same for the same seed."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from typing import Any

from simulators.common.companies import COMPANIES
from simulators.ninjaone import names
from simulators.ninjaone.enums import AGENTS, GUESTS, HOSTS, NODE_CLASSES
from simulators.ninjaone.machines import equip
from simulators.ninjaone.models import Device, Location, Organization

COMMON = (
    *("WINDOWS_WORKSTATION",) * 12,
    *("WINDOWS_SERVER",) * 4,
    *("MAC",) * 2,
    *("LINUX_SERVER",) * 2,
    "NMS_SWITCH",
    "NMS_PRINTER",
    "CLOUD_MONITOR_TARGET",
    "VMWARE_VM_GUEST",
    "ANDROID",
)
"""What a fleet consists of beyond one device of each class."""


WARRANTY = {"startDate": 1695099600, "endDate": 1789880399, "manufacturerFulfillmentDate": 1695099600}


@dataclass(frozen=True)
class Twin:
    """A machine that another vendor looks after too."""

    organization: str
    name: str
    serial: str
    manufacturer: str
    model: str
    node_class: str
    macs: tuple[str, ...] = ()


@dataclass(frozen=True)
class FleetOptions:
    """Size and shape of the fleet. `twins` come on top of `devices`."""

    devices: int = 140
    organizations: int = 12
    seed: int = 7
    twins: tuple[Twin, ...] = ()


@dataclass
class Fleet:
    """The generated rows, by id, in the order of their ids."""

    options: FleetOptions
    organizations: dict[int, Organization] = field(default_factory=dict)
    locations: dict[int, Location] = field(default_factory=dict)
    devices: dict[int, Device] = field(default_factory=dict)

    def locations_of(self, organization_id: int) -> list[Location]:
        """Locations of an organization."""
        return [one for one in self.locations.values() if one.organization_id == organization_id]


def build_fleet(options: FleetOptions, now: float) -> Fleet:
    """Generate the fleet. Times are relative to `now`; everything else depends on the options only."""
    fleet = Fleet(options)
    picker = random.Random(options.seed)
    _add_organizations(fleet, picker)
    places = list(fleet.locations.values())
    for device_id in range(1, options.devices + 1):
        place = picker.choice(places)
        fleet.devices[device_id] = new_device(picker, device_id, _class_of(device_id), place, now)
    _house_guests(fleet, picker)
    for twin in options.twins:
        _add_twin(fleet, picker, twin, now)
    return fleet


def _add_organizations(fleet: Fleet, picker: random.Random) -> None:
    """One to three locations each; ids start at 2, as those of a real tenant whose first was removed."""
    for number in range(fleet.options.organizations):
        base = COMPANIES[number % len(COMPANIES)]
        name = base if number < len(COMPANIES) else f"{base} {number + 1}"
        one = Organization(number + 2, name, "" if number % 3 else f"Customer {number + 1}")
        one.approval_mode = ("AUTOMATIC", "AUTOMATIC", "MANUAL", "REJECT")[number % 4]
        fleet.organizations[one.id] = one
        for place in [names.LOCATIONS[0], *picker.sample(names.LOCATIONS[1:], k=picker.randint(0, 2))]:
            location_id = len(fleet.locations) + 2
            address = f"{picker.randint(1, 99)} Example Street, {picker.choice(names.CITIES)}"
            fleet.locations[location_id] = Location(location_id, one.id, place, address)


def _class_of(device_id: int) -> str:
    """Each class once, and from then on what is common."""
    if device_id <= len(NODE_CLASSES):
        return NODE_CLASSES[device_id - 1]
    return COMMON[device_id * 7 % len(COMMON)]


def new_device(picker: random.Random, device_id: int, node_class: str, place: Location, now: float) -> Device:
    """A random device of that class."""
    created = round(now - picker.uniform(5, 300) * 86400, 6)
    seen = round(now - picker.uniform(0, 240), 3)
    name = _name(picker, device_id, node_class)
    device = Device(
        id=device_id,
        uid=str(uuid.UUID(int=picker.getrandbits(128), version=4)),
        organization_id=place.organization_id,
        location_id=place.id,
        node_class=node_class,
        role_id=NODE_CLASSES.index(node_class) + 1,
        role_policy_id=NODE_CLASSES.index(node_class) + 40,
        system_name=name,
        dns_name=f"{name.lower()}.example.local",
        netbios_name=name[:15].upper() if node_class in AGENTS else None,
        created=created,
        last_contact=seen,
        last_update=seen,
    )
    equip(device, picker, now)
    _vary(device, picker, now)
    return device


def _name(picker: random.Random, device_id: int, node_class: str) -> str:
    if node_class in names.PREFIXES:
        return f"{picker.choice(names.PREFIXES[node_class])}-{device_id:05d}"
    short = node_class.removeprefix("NMS_").replace("_", "-")
    return f"{short}-{device_id:05d}"


def _vary(device: Device, picker: random.Random, now: float) -> None:
    """Approval, absence, names and notes given by people."""
    number = device.id
    if number % 20 == 13:
        device.approval = ("PENDING", "STAGED", "DECOMMISSIONED")[number // 20 % 3]
    if number % 8 == 5 or device.approval == "DECOMMISSIONED":
        device.offline = True
        device.last_contact = device.last_update = round(now - picker.uniform(2, 90) * 86400, 3)
    if number % 6 == 0:
        device.display_name = f"Küche – {device.system_name} 🖨"
    if number % 50 == 21:
        device.system_name += "-" + "x" * 60
    note = picker.choice(names.NOTES)
    device.notes = [note] if note else []
    _dress(device, picker)


def _dress(device: Device, picker: random.Random) -> None:
    """Warranties, tags, owners and policies here and there, and answers with less in them than others."""
    number = device.id
    device.references = number % 4 != 0
    if number % 25 == 3:
        device.omitted = frozenset({"dnsName", "netbiosName", "publicIP", "lastUpdate", "uid"})
    if number % 25 == 8:
        device.nulls = frozenset({"displayName", "ipAddresses", "lastContact", "policyId"})
    if number % 9 == 0:
        device.warranty = dict(WARRANTY)
    if number % 11 == 0:
        device.tags = ["VIP", "Büro"]
    if number % 10 == 0:
        device.policy_id = 200 + number % 5
    if number % 12 == 0:
        device.owner = _owner(picker)


def _owner(picker: random.Random) -> dict[str, Any]:
    name = picker.choice(["Mia Lopez", "Zoë Apatel", "Jörg Köhler"])
    first, _, last = name.partition(" ")
    mail = f"{first.lower()}@contora.example"
    return {
        "id": 900 + len(name),
        "firstName": first,
        "lastName": last,
        "email": mail,
        "userType": "END_USER",
    }


def _house_guests(fleet: Fleet, picker: random.Random) -> None:
    """Guests live on a host of their kind and in its organization, where there is one."""
    hosts: dict[str, list[Device]] = {kind: [] for kind in HOSTS}
    for device in fleet.devices.values():
        if device.node_class in hosts:
            hosts[device.node_class].append(device)
    for device in fleet.devices.values():
        if candidates := hosts.get(GUESTS.get(device.node_class, "")):
            host = picker.choice(candidates)
            device.parent_id = host.id
            device.organization_id, device.location_id = host.organization_id, host.location_id


def _add_twin(fleet: Fleet, picker: random.Random, twin: Twin, now: float) -> None:
    """Into the organization of that name, where there is one."""
    for organization in fleet.organizations.values():
        if organization.name != twin.organization:
            continue
        place = fleet.locations_of(organization.id)[0]
        device = new_device(picker, max(fleet.devices, default=0) + 1, twin.node_class, place, now)
        device.system_name, device.display_name = twin.name, None
        device.dns_name, device.netbios_name = twin.name.lower(), twin.name[:15].upper()
        device.approval, device.omitted, device.nulls = "APPROVED", frozenset(), frozenset()
        if device.hardware is not None:
            device.hardware.serial = device.hardware.bios_serial = twin.serial
            device.hardware.manufacturer, device.hardware.model = twin.manufacturer, twin.model
        device.mac_addresses = list(twin.macs) or device.mac_addresses
        fleet.devices[device.id] = device
