"""What the simulated server holds: plain rows, changed only under the lab's lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

JsonRow = dict[str, Any]


@dataclass
class Organization:
    """A customer."""

    id: int
    name: str
    description: str | None = None
    approval_mode: str = "AUTOMATIC"
    user_data: JsonRow = field(default_factory=dict)


@dataclass
class Location:
    """A place of an organization."""

    id: int
    organization_id: int
    name: str
    address: str = ""
    description: str | None = None


@dataclass
class Hardware:
    """What the agent read from the machine. Sizes in bytes."""

    manufacturer: str | None = None
    model: str | None = None
    serial: str | None = None
    bios_serial: str | None = None
    asset_serial: str | None = None
    chassis: str = "UNKNOWN"
    virtual: bool = False
    domain: str | None = None
    cpu: str = ""
    cores: int = 4
    memory: int = 8 * 1024**3
    volumes: list[JsonRow] = field(default_factory=list)
    disks: list[JsonRow] = field(default_factory=list)


@dataclass
class System:
    """The operating system."""

    name: str
    manufacturer: str = "Microsoft Corporation"
    build: str | None = None
    release: str | None = None
    architecture: str = "64-bit"
    boot_time: float | None = None
    needs_reboot: bool = False


@dataclass
class Maintenance:
    """A maintenance window, epoch seconds; without `start` from now, without `end` until ended."""

    features: list[str]
    start: float
    end: float | None = None
    reason: str | None = None

    def over(self, now: float) -> bool:
        """Whether it has ended."""
        return self.end is not None and self.end <= now

    def keeps_off(self, feature: str, now: float) -> bool:
        """Whether it is running and switches that feature off."""
        return feature in self.features and self.start <= now and not self.over(now)


@dataclass
class Device:
    """A node. `omitted` keys are left out of every answer, `nulls` are told as null, `extra` is added.

    `software`, `os_patches` and `software_patches` are None while what the agent tells is that of the seed.
    """

    id: int
    uid: str
    organization_id: int
    location_id: int
    node_class: str
    role_id: int
    system_name: str
    created: float
    last_contact: float
    last_update: float
    display_name: str | None = None
    dns_name: str | None = None
    netbios_name: str | None = None
    role_policy_id: int = 0
    policy_id: int | None = None
    approval: str = "APPROVED"
    offline: bool = False
    parent_id: int | None = None
    ip_addresses: list[str] = field(default_factory=list)
    mac_addresses: list[str] = field(default_factory=list)
    public_ip: str | None = None
    notes: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    user_data: JsonRow = field(default_factory=dict)
    warranty: JsonRow | None = None
    owner: JsonRow | None = None
    maintenance: Maintenance | None = None
    hardware: Hardware | None = None
    system: System | None = None
    user: str | None = None
    logon_time: float | None = None
    antivirus: list[JsonRow] = field(default_factory=list)
    threats: list[JsonRow] = field(default_factory=list)
    software: Sequence[JsonRow] | None = None
    os_patches: list[JsonRow] | None = None
    os_patch_installs: list[JsonRow] | None = None
    software_patches: list[JsonRow] | None = None
    software_patch_installs: list[JsonRow] | None = None
    health: JsonRow = field(default_factory=dict)
    """Keys of its device-health row told instead of the counted ones."""
    references: bool = True
    omitted: frozenset[str] = frozenset()
    nulls: frozenset[str] = frozenset()
    extra: JsonRow = field(default_factory=dict)


@dataclass
class Alert:
    """An active alert; `uid` is the series of its activities."""

    uid: str
    device_id: int
    message: str
    created: float
    updated: float
    source_type: str
    source_config_uid: str
    source_name: str
    subject: str
    code: str
    params: JsonRow
    condition: str
    severity: str | None = None
    priority: str | None = None
    health: str | None = None
    acknowledged: bool = False


@dataclass
class Script:
    """A script of the library (SCRIPT, by id) or a built-in action (ACTION, by uid)."""

    type: str
    name: str
    id: int | None = None
    uid: str | None = None
    description: str = ""
    language: str = "powershell"
    systems: tuple[str, ...] = ("Windows",)
    parameters: tuple[str, ...] = ()
    variables: tuple[JsonRow, ...] = ()
    category_id: int = 1
    active: bool = True


@dataclass
class Job:
    """Something that runs on a device; `uid` is the series of its activities."""

    uid: str
    device_id: int
    name: str
    activity_type: str
    source_type: str
    created: float
    updated: float
    source_config_uid: str
    user_id: int | None = None
    status: str = "START_REQUESTED"
    result: str | None = None
    message: str = ""
    data: JsonRow = field(default_factory=dict)


@dataclass
class Activity:
    """An entry of the activity log: its row as answered, and the organization it was about."""

    row: JsonRow
    organization_id: int | None = None

    @property
    def id(self) -> int:
        """Its number; ever growing over the whole tenant."""
        number: int = self.row["id"]
        return number


@dataclass
class Subscription:
    """The webhook of an API application, or (``channel``) a notification channel of the console."""

    owner: str
    url: str
    activities: dict[str, list[str]]
    expand: list[str] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    organization_ids: list[int] = field(default_factory=list)
    channel: bool = False
    enabled: bool = True
    failures: int = 0
    """Deliveries in a row that were not answered with 2xx."""
