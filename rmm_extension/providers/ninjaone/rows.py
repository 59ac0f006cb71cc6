"""Rows of NinjaOne's device lists and reports, by its OpenAPI 2.0.9 document and by live answers.

Only what is used is named. Nothing but an id is required, and a scalar may be of any type: the readers of
``values`` make sense of it, so that one odd field does not cost the row.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from rmm_extension.providers.values import Scalar

Texts: TypeAlias = list[Scalar] | Scalar


class Row(msgspec.Struct, rename="camel", gc=False):
    """Keys in NinjaOne's spelling: ``deviceId`` for ``device_id``."""


class ReportRow(Row, kw_only=True):
    """A row of a report is about one device."""

    device_id: Scalar = None


class System(ReportRow, kw_only=True):
    """``/v2/queries/computer-systems``; also ``system`` of a device fetched alone."""

    manufacturer: Scalar = None
    model: Scalar = None
    serial_number: Scalar = None
    bios_serial_number: Scalar = None
    total_physical_memory: Scalar = None


class OperatingSystem(ReportRow, kw_only=True):
    """``/v2/queries/operating-systems``; also ``os`` of a device fetched alone."""

    name: Scalar = None
    build_number: Scalar = None
    release_id: Scalar = None
    last_boot_time: Scalar = None
    needs_reboot: Scalar = None


class Health(ReportRow, kw_only=True):
    """``/v2/queries/device-health``."""

    active_threats_count: Scalar = None
    pending_os_patches: Scalar = msgspec.field(name="pendingOSPatchesCount", default=None)
    failed_os_patches: Scalar = msgspec.field(name="failedOSPatchesCount", default=None)
    pending_software_patches: Scalar = msgspec.field(name="pendingSoftwarePatchesCount", default=None)
    failed_software_patches: Scalar = msgspec.field(name="failedSoftwarePatchesCount", default=None)
    pending_reboot_reason: Scalar = None


class Antivirus(ReportRow, kw_only=True):
    """``/v2/queries/antivirus-status``: one row for each product."""

    product_name: Scalar = None
    product_state: Scalar = None
    definition_status: Scalar = None


class Processor(ReportRow, kw_only=True):
    """``/v2/queries/processors``: one row for each socket."""

    name: Scalar = None
    num_cores: Scalar = None


class Volume(ReportRow, kw_only=True):
    """``/v2/queries/volumes``."""

    name: Scalar = None
    drive_letter: Scalar = None
    label: Scalar = None
    device_type: Scalar = None
    capacity: Scalar = None
    free_space: Scalar = None


class SignIn(ReportRow, kw_only=True):
    """``/v2/queries/logged-on-users``."""

    user_name: Scalar = None
    logon_time: Scalar = None


class Card(ReportRow, kw_only=True):
    """``/v2/queries/network-interfaces``; addresses come as lists or alone."""

    adapter_name: Scalar = None
    interface_name: Scalar = None
    mac_address: Texts = None
    ip_address: Texts = None


class Named(Row, kw_only=True):
    """An organization or a location, as far as it is named."""

    id: Scalar = None
    name: Scalar = None


class References(Row, kw_only=True):
    """What the ids of a device stand for."""

    location: Named | None = None


class Maintenance(Row, kw_only=True):
    """A maintenance window at the vendor."""

    status: Scalar = None


class Memory(Row, kw_only=True):
    """The memory of a device fetched alone."""

    capacity: Scalar = None


class Node(Row, kw_only=True):
    """A device as ``/v2/devices-detailed`` lists it, and as ``/v2/device/{id}`` tells it with more keys.

    What begins with ``os`` comes only with a device fetched alone, and is in no schema: seen in live answers,
    of agents in parts and of virtual hosts on the top level.
    """

    id: Scalar = None
    organization_id: Scalar = None
    location_id: Scalar = None
    node_class: Scalar = None
    approval_status: Scalar = None
    offline: Scalar = None
    display_name: Scalar = None
    system_name: Scalar = None
    dns_name: Scalar = None
    netbios_name: Scalar = None
    last_contact: Scalar = None
    ip_addresses: Texts = None
    mac_addresses: Texts = None
    public_ip: Scalar = msgspec.field(name="publicIP", default=None)
    maintenance: Maintenance | None = None
    references: References | None = None

    os: OperatingSystem | None = None
    system: System | None = None
    memory: Memory | None = None
    processors: list[Processor] | None = None
    volumes: list[Volume] | None = None
    last_logged_in_user: Scalar = None
    cpu_model: Scalar = None
    memory_size: Scalar = None
    vendor: Scalar = None
    model: Scalar = None
    service_tag: Scalar = None
    serial_number: Scalar = None
    release_name: Scalar = None
    last_boot_time: Scalar = None


class NodeId(Row, kw_only=True):
    """What is still wanted of a row that cannot be read."""

    id: Scalar = None
    display_name: Scalar = None
