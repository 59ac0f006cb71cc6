"""What the simulated server holds: plain rows, changed only under the lab's lock. Times are epoch seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simulators.levelio.ids import id_of

JsonRow = dict[str, Any]


class Row:
    """A row with a number of its own, which its id is made of."""

    kind = ""
    number: int

    @property
    def id(self) -> str:
        """The opaque id."""
        return id_of(self.kind, self.number)


@dataclass
class Group(Row):
    """A group of devices and of further groups."""

    kind = "Group"

    number: int
    name: str
    parent_id: str | None = None


@dataclass
class Hardware:
    """What the agent read from the machine. Sizes in bytes; lists are rows as the API tells them."""

    manufacturer: str | None = None
    model: str | None = None
    serial: str | None = None
    architecture: str | None = "x86_64"
    memory: int | None = None
    cores: int | None = None
    cpus: list[JsonRow] = field(default_factory=list)
    modules: list[JsonRow] = field(default_factory=list)
    disks: list[JsonRow] = field(default_factory=list)
    partitions: list[JsonRow] = field(default_factory=list)
    interfaces: list[JsonRow] = field(default_factory=list)


@dataclass
class Device(Row):
    """A machine with an agent. `omitted` keys are left out of every answer, `extra` is added."""

    kind = "Device"

    number: int
    hostname: str
    platform: str
    role: str
    last_seen: float
    last_reboot: float
    group_id: str | None = None
    nickname: str | None = None
    tags: list[str] = field(default_factory=list)
    flag: str | None = None
    maintenance: bool = False
    online: bool = True
    user: str | None = None
    city: str | None = None
    country: str | None = None
    security_score: float | None = None
    hardware: Hardware = field(default_factory=Hardware)
    system: JsonRow = field(default_factory=dict)
    security: JsonRow = field(default_factory=dict)
    omitted: frozenset[str] = frozenset()
    extra: JsonRow = field(default_factory=dict)


@dataclass
class Alert(Row):
    """What a monitor found on a device; it stays after it is resolved."""

    kind = "Alert"

    number: int
    device_id: str
    device_hostname: str
    name: str
    description: str
    severity: str
    started: float
    payload: str | None = None
    resolved: float | None = None


@dataclass
class Update(Row):
    """An update of a device's system or software, waiting or installed."""

    kind = "Update"

    number: int
    device_id: str
    name: str
    category: str
    installed: float | None = None


@dataclass
class Automation(Row):
    """Something that can be run on devices."""

    kind = "Automation"

    number: int
    name: str
    description: str | None = None
    group_id: str | None = None


@dataclass
class Trigger:
    """The webhook of an automation: who knows its token may run it, unless it wants a key as well."""

    token: str
    automation_id: str
    requires_authorization: bool = False
    parameters: tuple[str, ...] = ("device_ids",)


@dataclass
class Run(Row):
    """An automation on one device, or on none."""

    kind = "AutomationRun"

    number: int
    automation_id: str
    device_id: str | None
    started: float
    parameters: JsonRow = field(default_factory=dict)
    status: str = "running"
    ended: float | None = None


@dataclass
class ApiKey:
    """A key of the account; only its latest value counts."""

    name: str
    value: str
    may_write: bool


@dataclass
class Webhook(Row):
    """An entry of Settings > Webhooks; unsigned without a secret."""

    kind = "Webhook"

    number: int
    url: str
    event_types: tuple[str, ...]
    secret: str | None = None
    enabled: bool = True


@dataclass
class HttpStep(Row):
    """An automation that answers an alert with an HTTP request; `{{name}}` in its body is filled in."""

    kind = "AutomationStep"

    number: int
    event: str
    url: str
    headers: dict[str, str]
    body: str
    enabled: bool = True
