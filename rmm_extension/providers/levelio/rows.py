"""Rows of Level's API v2, by what is known of its description.

Only what is used is named. A scalar may be of any type: the readers of ``providers.values`` make sense of it,
so that one odd field does not cost the row.
"""

from __future__ import annotations

from typing import Any

import msgspec

from rmm_extension.providers.values import Scalar


class Row(msgspec.Struct, gc=False, kw_only=True):
    """Whatever has an id."""

    id: Scalar = None


class Named(Row, kw_only=True):
    """What is still wanted of a device that cannot be read."""

    hostname: Scalar = None


class Group(Row, kw_only=True):
    """A group of devices; groups lie in groups."""

    name: Scalar = None
    parent_id: Scalar = None
    device_count: Scalar = None


class OperatingSystem(msgspec.Struct, gc=False):
    """Comes with ``include_operating_system``."""

    full_operating_system: Scalar = None
    major_version: Scalar = None
    minor_version: Scalar = None


class Processor(msgspec.Struct, gc=False):
    """Comes with ``include_cpus``: one for each socket."""

    model: Scalar = None
    cores: Scalar = None


class Drive(msgspec.Struct, gc=False):
    """Comes with ``include_disks``, where Level tells drives beside their partitions; size in bytes."""

    size: Scalar = None


class Partition(msgspec.Struct, gc=False):
    """Comes with ``include_disks``; sizes in bytes."""

    label: Scalar = None
    mount_point: Scalar = None
    size: Scalar = None
    free_space: Scalar = None


class Card(msgspec.Struct, gc=False):
    """Comes with ``include_network_interfaces``; addresses as a list or alone."""

    description: Scalar = None
    interface: Scalar = None
    label: Scalar = None
    mac_address: Scalar = None
    ip_addresses: list[Scalar] | Scalar = None


class Security(msgspec.Struct, gc=False):
    """Comes with ``include_security``."""

    score: Scalar = None
    antivirus_provider: Scalar = None
    antivirus_status: Scalar = None


class Device(Row, kw_only=True):
    """A device, from the list and alone alike; memory in bytes."""

    hostname: Scalar = None
    nickname: Scalar = None
    role: Scalar = None
    group_id: Scalar = None
    tags: Any = None
    flag: Scalar = None
    maintenance_mode: Scalar = None
    online: Scalar = None
    manufacturer: Scalar = None
    model: Scalar = None
    serial_number: Scalar = None
    total_memory: Scalar = None
    cpu_cores: Scalar = None
    last_logged_in_user: Scalar = None
    last_reboot_time: Scalar = None
    last_seen_at: Scalar = None
    city: Scalar = None
    country: Scalar = None
    security_score: Scalar = None
    platform: Scalar = None
    operating_system: OperatingSystem | None = None
    cpus: list[Processor] | None = None
    disks: list[Drive] | None = None
    disk_partitions: list[Partition] | None = None
    network_interfaces: list[Card] | None = None
    security: Security | None = None


class Update(Row, kw_only=True):
    """An update on a device."""

    device_id: Scalar = None
    device_hostname: Scalar = None
    name: Scalar = None
    category: Scalar = None
    is_available: Scalar = None
    installed_on: Scalar = None
