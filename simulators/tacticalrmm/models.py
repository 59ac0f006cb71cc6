"""The rows the simulated server holds. Plain data; the rules live in the modules that use them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

CHECK_IN_SECONDS = 40
"""How often an agent that is up is seen; below the smallest offline_time."""


@dataclass
class Client:
    """A customer of the MSP."""

    id: int
    name: str
    created: datetime
    custom: dict[str, Any] = field(default_factory=dict)


@dataclass
class Site:
    """A place of a client; names repeat across clients."""

    id: int
    name: str
    client_id: int
    created: datetime
    custom: dict[str, Any] = field(default_factory=dict)


@dataclass
class Hardware:
    """What the agent reported about its machine, before it is laid out as wmi_detail."""

    serial: str | None
    uuid: str
    make: str
    model: str
    cpu: str
    graphics: list[str]
    drives: list[str]
    macs: list[str]
    ips: list[str]


@dataclass
class Agent:
    """One installed agent."""

    pk: int
    agent_id: str
    hostname: str
    site_id: int
    plat: str
    monitoring_type: str
    created: datetime
    operating_system: str | None
    goarch: str | None
    public_ip: str | None
    total_ram: int | None
    disks: list[dict[str, Any]] | None
    boot_time: float | None
    logged_in_username: str | None
    last_logged_in_user: str | None
    description: str
    time_zone: str | None
    patches_last_installed: datetime | None
    hardware: Hardware | None
    offline_time: int = 4
    overdue_time: int = 30
    check_interval: int = 120
    needs_reboot: bool = False
    has_patches_pending: bool = False
    maintenance_mode: bool = False
    choco_installed: bool = False
    version: str = "2.11.0"
    custom: dict[str, Any] = field(default_factory=dict)
    never_seen: bool = False
    silent_since: datetime | None = None
    nats: str | None = None
    software: list[dict[str, str]] | None = None
    """What was installed, upgraded and removed since; the generated list while null."""

    def last_seen(self, now: datetime) -> datetime | None:
        """Time of the last check-in: null, the moment the agent went silent, or the latest beat."""
        if self.never_seen:
            return None
        if self.silent_since is not None:
            return self.silent_since
        into_beat = (now.timestamp() + self.pk * 7.3) % CHECK_IN_SECONDS
        return now - timedelta(seconds=into_beat)


@dataclass
class Check:
    """A check assigned to an agent, with its latest result."""

    id: int
    agent_pk: int
    check_type: str
    readable_desc: str
    created: datetime
    result: dict[str, Any] = field(default_factory=dict)


@dataclass
class Task:
    """An automated task assigned to an agent, with its latest result."""

    id: int
    agent_pk: int
    name: str
    result: dict[str, Any] = field(default_factory=dict)


@dataclass
class ActionResult:
    """Outcome of a URL action on an alert; `run` stays null until it was attempted."""

    run: datetime | None = None
    stdout: str | None = None
    retcode: int | None = None


@dataclass
class Alert:
    """An alert. Its identity is the integer id."""

    id: int
    agent_pk: int | None
    alert_type: str
    severity: str
    message: str
    alert_time: datetime
    check_id: int | None = None
    task_id: int | None = None
    hidden: bool = False
    snoozed: bool = False
    snooze_until: datetime | None = None
    resolved: bool = False
    resolved_on: datetime | None = None
    failure: ActionResult = field(default_factory=ActionResult)
    recovery: ActionResult = field(default_factory=ActionResult)


@dataclass
class Script:
    """A script of the library."""

    id: int
    name: str
    script_type: str
    shell: str
    category: str
    supported_platforms: list[str]
    args: list[str] = field(default_factory=list)
    hidden: bool = False
    favorite: bool = False
    body: str = "echo done"
    default_timeout: int = 90


@dataclass
class UrlAction:
    """A URL action; headers and body are JSON kept as text."""

    id: int
    name: str
    pattern: str
    created: datetime
    desc: str = ""
    action_type: str = "rest"
    rest_method: str = "post"
    rest_body: str = ""
    rest_headers: str = ""
    created_by: str | None = None


@dataclass
class AlertTemplate:
    """The alert template applied to every agent: which URL action runs on failure and on recovery."""

    id: int
    name: str
    created: datetime
    action_rest: int | None = None
    resolved_action_rest: int | None = None
    action_type: str = "script"
    resolved_action_type: str = "script"
    options: dict[str, Any] = field(default_factory=dict)


@dataclass
class HistoryRow:
    """A command or script that was run on an agent."""

    id: int
    agent_pk: int
    time: datetime
    type: str
    username: str
    command: str = ""
    script_id: int | None = None
    results: str | None = None
    script_results: dict[str, Any] | None = None


@dataclass
class CustomField:
    """Definition of a custom field."""

    id: int
    model: str
    type: str
    name: str
    options: list[str] = field(default_factory=list)
