"""How a device is told: in lists, in detail, on its own, and inside a webhook."""

from __future__ import annotations

from typing import Any

from simulators.ninjaone.enums import AGENTS, HOSTS, words
from simulators.ninjaone.lab import Lab
from simulators.ninjaone.models import Device, Hardware, Maintenance, System

Row = dict[str, Any]

OPTIONAL = {
    "parentDeviceId": "parent_id",
    "policyId": "policy_id",
    "displayName": "display_name",
    "dnsName": "dns_name",
    "netbiosName": "netbios_name",
}
"""Keys that are left out while there is nothing to tell, and the attributes they come from."""


def node(lab: Lab, device: Device) -> Row:
    """The keys every form has."""
    row: Row = {
        "id": device.id,
        "uid": device.uid,
        "organizationId": device.organization_id,
        "locationId": device.location_id,
        "nodeClass": device.node_class,
        "nodeRoleId": device.role_id,
        "rolePolicyId": device.role_policy_id,
        "approvalStatus": device.approval,
        "offline": device.offline,
        "systemName": device.system_name,
        "created": device.created,
        "lastContact": device.last_contact,
        "lastUpdate": device.last_update,
    }
    for key, name in OPTIONAL.items():
        value = getattr(device, name)
        if value is not None:
            row[key] = value
    if device.user_data:
        row["userData"] = device.user_data
    if device.tags:
        row["tags"] = device.tags
    if (window := device.maintenance) and not window.over(lab.clock.timestamp()):
        row["maintenance"] = maintenance_row(lab, window)
    if device.owner:
        row["assignedOwnerUid"] = device.uid[::-1][:8] + device.uid[8:]
    return row


def listed(lab: Lab, device: Device) -> Row:
    """As `/v2/devices` tells it: without references."""
    return _edited(device, node(lab, device))


def detailed(lab: Lab, device: Device, *, warranty: bool = False) -> Row:
    """As `/v2/devices-detailed` tells it. No serial number here, whatever the machine is."""
    row = node(lab, device) | _addresses(device)
    if device.references:
        row["references"] = references(lab, device, warranty=warranty)
    elif warranty and device.warranty:
        row["references"] = {"warranty": device.warranty}
    return _edited(device, row)


def alone(lab: Lab, device: Device) -> Row:
    """As `/v2/device/{id}` tells it: with more keys than the documented ones."""
    row = node(lab, device) | _addresses(device)
    if device.node_class in HOSTS and device.hardware and device.system:
        row |= _host(device, device.hardware, device.system)
    elif device.node_class in AGENTS and device.hardware and device.system:
        row |= _machine(device, device.hardware, device.system)
    elif device.node_class.startswith("NMS_") and device.hardware:
        row |= {"serialNumber": device.hardware.serial, "model": device.hardware.model}
    return _edited(device, row)


def in_webhook(lab: Lab, device: Device, expand: list[str]) -> Row:
    """As a webhook tells it: with the references that were asked for."""
    found = {name: row for name, row in short_references(lab, device).items() if name in expand}
    return node(lab, device) | ({"references": found} if found else {})


def _edited(device: Device, row: Row) -> Row:
    """With what is told oddly about this device."""
    for key in device.nulls:
        if key in row or key in OPTIONAL:
            row[key] = None
    for key in device.omitted:
        row.pop(key, None)
    return row | device.extra


def _addresses(device: Device) -> Row:
    kind = "VMHost" if device.node_class in HOSTS else words(device.node_class).removeprefix("Nms ")
    row: Row = {"deviceType": kind}
    if device.ip_addresses:
        row |= {"ipAddresses": device.ip_addresses, "macAddresses": device.mac_addresses}
    if device.public_ip:
        row["publicIP"] = device.public_ip
    if device.notes:
        row["notes"] = [{"text": text} for text in device.notes]
    return row


def maintenance_row(lab: Lab, window: Maintenance) -> Row:
    """The window as a device tells it."""
    status = "PENDING" if window.start > lab.clock.timestamp() else "IN_MAINTENANCE"
    row: Row = {"status": status, "start": window.start}
    if window.end is not None:
        row["end"] = window.end
    if window.reason:
        row["reasonMessage"] = window.reason
    return row


def short_references(lab: Lab, device: Device) -> Row:
    """Organization and location by name."""
    organization = lab.fleet.organizations.get(device.organization_id)
    location = lab.fleet.locations.get(device.location_id)
    row: Row = {}
    if organization:
        row["organization"] = {
            "name": organization.name,
            "nodeApprovalMode": organization.approval_mode,
            "id": organization.id,
        }
    if location:
        row["location"] = {"name": location.name, "id": location.id}
    return row


def references(lab: Lab, device: Device, *, warranty: bool) -> Row:
    """What the ids of a device stand for."""
    kind = device.node_class
    row = short_references(lab, device)
    row["role"] = {"id": device.role_id, "name": words(kind), "nodeClass": kind, "custom": False}
    row["rolePolicy"] = {"id": device.role_policy_id, "name": f"Default {words(kind)}", "nodeClass": kind}
    if device.policy_id is not None:
        row["policy"] = {"id": device.policy_id, "name": f"Special {device.policy_id}", "nodeClass": kind}
    if device.owner:
        row["assignedOwner"] = device.owner
    if warranty and device.warranty:
        row["warranty"] = device.warranty
    return row


def _host(device: Device, hardware: Hardware, system: System) -> Row:
    """A virtual host tells its hardware on the top level."""
    return {
        "cpuMhz": 2195,
        "cpuModel": hardware.cpu,
        "htActive": True,
        "htAvailable": True,
        "lastBootTime": system.boot_time,
        "memorySize": hardware.memory,
        "model": hardware.model,
        "name": device.system_name,
        "cpuPackages": 2,
        "cpuThreads": hardware.cores * 2,
        "serviceTag": hardware.serial,
        "vendor": hardware.manufacturer,
        "releaseName": system.name,
        "version": system.release,
        "buildNumber": system.build,
    }


def _machine(device: Device, hardware: Hardware, system: System) -> Row:
    """A machine with an agent tells it in parts, which are the rows of the reports without their deviceId."""
    return {
        "os": operating_system(system),
        "system": computer_system(device, hardware),
        "memory": {"capacity": hardware.memory},
        "processors": [processor(hardware)],
        "volumes": hardware.volumes,
        "lastLoggedInUser": device.user,
    }


def operating_system(system: System) -> Row:
    """The operating system's keys."""
    return {
        "manufacturer": system.manufacturer,
        "name": system.name,
        "architecture": system.architecture,
        "lastBootTime": system.boot_time,
        "buildNumber": system.build,
        "releaseId": system.release,
        "servicePackMajorVersion": 0,
        "servicePackMinorVersion": 0,
        "locale": "0409",
        "language": "English (United States)",
        "needsReboot": system.needs_reboot,
    }


def computer_system(device: Device, hardware: Hardware) -> Row:
    """The machine's keys; the serial number is here."""
    row: Row = {
        "name": device.system_name,
        "manufacturer": hardware.manufacturer,
        "model": hardware.model,
        "biosSerialNumber": hardware.bios_serial,
        "serialNumber": hardware.serial,
        "domain": hardware.domain,
        "domainRole": "Member Server" if "SERVER" in device.node_class else "Member Workstation",
        "numberOfProcessors": 1,
        "totalPhysicalMemory": hardware.memory,
        "virtualMachine": hardware.virtual,
        "chassisType": hardware.chassis,
    }
    return {**row, "assetSerialNumber": hardware.asset_serial} if hardware.asset_serial else row


def processor(hardware: Hardware) -> Row:
    """The processor's keys."""
    return {
        "architecture": "x64",
        "maxClockSpeed": 2_200_000_000,
        "clockSpeed": 2_200_000_000,
        "name": hardware.cpu,
        "numCores": hardware.cores,
        "numLogicalCores": hardware.cores * 2,
    }
