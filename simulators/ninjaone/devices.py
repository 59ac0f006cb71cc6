"""/v2/devices, /v2/devices-detailed and what is below /v2/device/{id} to read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request

from simulators.ninjaone import nodes, patches
from simulators.ninjaone.change import change
from simulators.ninjaone.endpoints import Action, Endpoint, lab, moment, number, reads, the_device
from simulators.ninjaone.filters import wanted_devices
from simulators.ninjaone.models import Device
from simulators.ninjaone.paging import after_page
from simulators.ninjaone.replies import missing
from simulators.ninjaone.software import software_of

Row = dict[str, Any]


def devices() -> list[Row]:
    """The short forms."""
    return [nodes.listed(lab(), one) for one in after_page(lab().fleet.devices, wanted_devices())]


def devices_detailed() -> list[Row]:
    """With addresses and references; `expand=warranty` is undocumented and works."""
    warranty = "warranty" in request.args.get("expand", "").split(",")
    found = after_page(lab().fleet.devices, wanted_devices())
    return [nodes.detailed(lab(), one, warranty=warranty) for one in found]


def devices_of(organization_id: int) -> list[Row]:
    """Those of one organization."""
    if organization_id not in lab().fleet.organizations:
        raise missing("Organization")
    found = after_page(lab().fleet.devices, lambda one: one.organization_id == organization_id)
    return [nodes.listed(lab(), one) for one in found]


def device(device_id: int) -> Row:
    """One device, with more keys than documented."""
    return nodes.alone(lab(), the_device(device_id))


def search() -> Row:
    """Devices whose names, addresses or user contain the text."""
    text, limit = request.args.get("q", ""), number("limit", 10) or 10
    found = [(one, hit) for one in lab().devices() if (hit := _hit(one, text.lower()))][:limit]
    return {"query": text, "devices": [nodes.listed(lab(), one) | _match(*hit) for one, hit in found]}


def _hit(one: Device, text: str) -> tuple[str, str] | None:
    values = {"systemName": one.system_name, "displayName": one.display_name, "lastLoggedInUser": one.user}
    serial = one.hardware.serial if one.hardware else None
    pairs = [*values.items(), ("serialNumber", serial), *(("ipAddress", ip) for ip in one.ip_addresses)]
    return next(((name, value) for name, value in pairs if value and text in value.lower()), None)


def _match(name: str, value: str) -> Row:
    return {"score": 100, "matchAttr": name, "matchAttrValue": value}


def software(device_id: int) -> list[Row]:
    """Its installed software."""
    return list(software_of(the_device(device_id)))


def os_patches(device_id: int) -> list[Row]:
    """Its patches that are not installed."""
    return [
        row for row in patches.os_patches(the_device(device_id)) if chosen(row, "status", "type", "severity")
    ]


def os_patch_installs(device_id: int) -> list[Row]:
    """Its attempts to install patches."""
    found = patches.os_patch_installs(the_device(device_id), lab().now())
    return [row for row in filter(installed_when(), found) if chosen(row, "status")]


def software_patches(device_id: int) -> list[Row]:
    """Its software patches that are not installed."""
    found = patches.software_patches(the_device(device_id))
    return [row for row in found if chosen(row, "status", "type", "impact", "productIdentifier")]


def software_patch_installs(device_id: int) -> list[Row]:
    """Its attempts to install software patches."""
    found = patches.software_patch_installs(the_device(device_id), lab().now())
    return [
        row
        for row in filter(installed_when(), found)
        if chosen(row, "status", "type", "impact", "productIdentifier")
    ]


def chosen(row: Row, *names: str) -> bool:
    """Whether the row has the values that the query asks for."""
    return all(row.get(name) == request.args[name] for name in names if request.args.get(name))


def installed_when() -> Callable[[Row], bool]:
    """Whether a row was installed when the query asks for, as of the request."""
    low, high = (moment(request.args.get(f"installed{name}")) for name in ("After", "Before"))

    def check(row: Row) -> bool:
        at = row.get("installedAt") or moment(row.get("installDate"))
        return at is not None and (low is None or at >= low) and (high is None or at < high)

    return check if (low, high) != (None, None) else lambda _: True


def disks(device_id: int) -> list[Row]:
    """Its disks."""
    found = the_device(device_id).hardware
    return found.disks if found else []


def volumes(device_id: int) -> list[Row]:
    """Its volumes."""
    found = the_device(device_id).hardware
    return found.volumes if found else []


def last_logged_on_user(device_id: int) -> Row:
    """Who signed in last; an empty object for nobody."""
    found = the_device(device_id)
    return {"userName": found.user, "logonTime": found.logon_time} if found.user else {}


def network_interfaces(device_id: int) -> list[Row]:
    """Its network interfaces."""
    return interfaces_of(the_device(device_id))


def interfaces_of(one: Device) -> list[Row]:
    """One row per hardware address."""
    return [
        {
            "adapterName": "Ethernet" if place == 0 else "Wi-Fi",
            "interfaceName": f"eth{place}",
            "interfaceIndex": place + 1,
            "macAddress": [address],
            "ipAddress": one.ip_addresses if place == 0 else [],
            "defaultGateway": "10.0.0.1" if place == 0 else None,
            "dnsHostName": one.system_name,
            "dnsServers": "10.0.0.2",
            "linkSpeed": "1 Gbps",
            "status": "UP" if place == 0 else "DOWN",
            "subnetMask": ["255.255.255.0"],
            "mtu": "1500",
        }
        for place, address in enumerate(one.mac_addresses)
    ]


BASE = "/device/<int:device_id>"
ENDPOINTS = [
    reads("/devices", devices),
    reads("/devices-detailed", devices_detailed),
    reads("/organization/<int:organization_id>/devices", devices_of),
    reads("/devices/search", search),
    Endpoint(BASE, {"GET": Action(device), "PATCH": Action(change, "management")}),
    reads(f"{BASE}/software", software),
    reads(f"{BASE}/os-patches", os_patches),
    reads(f"{BASE}/os-patch-installs", os_patch_installs),
    reads(f"{BASE}/software-patches", software_patches),
    reads(f"{BASE}/software-patch-installs", software_patch_installs),
    reads(f"{BASE}/disks", disks),
    reads(f"{BASE}/volumes", volumes),
    reads(f"{BASE}/network-interfaces", network_interfaces),
    reads(f"{BASE}/last-logged-on-user", last_logged_on_user),
]
