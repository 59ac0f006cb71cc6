"""How devices, groups, alerts and the rest are told."""

from __future__ import annotations

from typing import Any

from simulators.levelio.lab import Lab, moment
from simulators.levelio.models import Alert, Automation, Device, Group, Run, Trigger, Update

Row = dict[str, Any]

INCLUDES: dict[str, tuple[str, ...]] = {
    "operating_system": ("operating_system",),
    "cpus": ("cpus",),
    "memory": ("memory",),
    "disks": ("disks", "disk_partitions"),
    "disk_partitions": ("disk_partitions",),
    "network_interfaces": ("network_interfaces",),
    "security": ("security",),
    "motherboard": ("motherboard",),
}
"""Blocks of a device that are told when `include_<name>` asks for them."""


def device_row(device: Device, includes: tuple[str, ...] = ()) -> Row:
    """A device with the blocks that were asked for."""
    hardware = device.hardware
    row: Row = {
        "id": device.id,
        "hostname": device.hostname,
        "nickname": device.nickname,
        "role": device.role,
        "group_id": device.group_id,
        "tags": device.tags,
        "flag": device.flag,
        "maintenance_mode": device.maintenance,
        "online": device.online,
        "manufacturer": hardware.manufacturer,
        "model": hardware.model,
        "architecture": hardware.architecture,
        "serial_number": hardware.serial,
        "total_memory": hardware.memory,
        "memory_slots": len(hardware.modules),
        "cpu_cores": hardware.cores,
        "last_logged_in_user": device.user,
        "last_reboot_time": moment(device.last_reboot),
        "last_seen_at": moment(device.last_seen),
        "city": device.city,
        "country": device.country,
        "security_score": device.security_score,
        "platform": device.platform,
    }
    blocks = _blocks(device)
    row |= {key: blocks[key] for name in includes for key in INCLUDES[name]}
    return {key: value for key, value in row.items() if key not in device.omitted} | device.extra


def _blocks(device: Device) -> Row:
    hardware = device.hardware
    return {
        "operating_system": device.system,
        "cpus": hardware.cpus,
        "memory": hardware.modules,
        "disks": hardware.disks,
        "disk_partitions": hardware.partitions,
        "network_interfaces": hardware.interfaces,
        "security": device.security,
        "motherboard": {"manufacturer": hardware.manufacturer, "model": hardware.model},
    }


def group_row(lab: Lab, group: Group) -> Row:
    """A group with the numbers of its devices."""
    below = lab.fleet.subtree(group.id) - {group.id}
    homes = [one.group_id for one in lab.devices()]
    return {
        "id": group.id,
        "parent_id": group.parent_id,
        "child_ids": [one.id for one in lab.fleet.children(group.id)],
        "name": group.name,
        "device_count": homes.count(group.id),
        "descendent_device_count": sum(home in below for home in homes),
    }


def alert_row(alert: Alert) -> Row:
    """An alert."""
    return {
        "id": alert.id,
        "device_id": alert.device_id,
        "device_hostname": alert.device_hostname,
        "name": alert.name,
        "description": alert.description,
        "payload": alert.payload,
        "severity": alert.severity,
        "is_resolved": alert.resolved is not None,
        "started_at": moment(alert.started),
        "resolved_at": moment(alert.resolved),
    }


def update_row(lab: Lab, update: Update) -> Row:
    """An update of a device."""
    return {
        "id": update.id,
        "device_id": update.device_id,
        "device_hostname": lab.fleet.devices[update.device_id].hostname,
        "name": update.name,
        "category": update.category,
        "is_available": update.installed is None,
        "installed_on": moment(update.installed),
    }


def automation_row(lab: Lab, automation: Automation) -> Row:
    """An automation."""
    group = lab.fleet.groups.get(automation.group_id or "")
    return {
        "id": automation.id,
        "name": automation.name,
        "description": automation.description,
        "group_id": automation.group_id,
        "group_name": group.name if group else None,
    }


def trigger_row(lab: Lab, trigger: Trigger, base: str) -> Row:
    """The webhook of an automation, with its token."""
    url = f"{base}/v2/automations/webhooks"
    needs_key = trigger.requires_authorization
    told: Row = {"url": f"{url}/{trigger.token}", "requires_authorization_header": needs_key}
    if lab.settings.trigger_token == "token":
        told = {"token": trigger.token, "requires_authorization": needs_key}
    return {
        **told,
        "automation_id": trigger.automation_id,
        "automation_name": lab.automations[trigger.automation_id].name,
        "parameters": list(trigger.parameters),
    }


def run_row(lab: Lab, run: Run, *, steps: bool = False) -> Row:
    """A run, with its steps if asked for."""
    device = lab.fleet.devices.get(run.device_id or "")
    row: Row = {
        "id": run.id,
        "automation_id": run.automation_id,
        "automation_name": lab.automations[run.automation_id].name,
        "device_id": run.device_id,
        "device_hostname": device.hostname if device else None,
        "status": run.status,
        "started_at": moment(run.started),
        "ended_at": moment(run.ended),
    }
    if steps:
        row["steps"] = [{"name": "Run script", "status": run.status}]
    return row
