"""What the simulated server holds: plain rows, without behaviour. Times are seconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class User:
    """The person behind a user-based key."""

    id: int
    email: str
    name: str


@dataclass
class Credential:
    """An API key with its secret: of the account when it has no user."""

    label: str
    key: str
    secret: str
    user: User | None = None
    writes: bool = False


@dataclass
class Organization:
    """A customer of the account."""

    id: int
    name: str
    key: str
    created: float
    updated: float
    recipients: list[str] = field(default_factory=list)
    tenant_id: str | None = None
    identities: int = 0


@dataclass
class Agent:
    """A host with Huntress's agent on it."""

    id: int
    organization_id: int
    hostname: str
    platform: str
    os: str
    created: float
    updated: float
    serial: str | None = None
    arch: str = "x86_64"
    domain: str | None = "WORKGROUP"
    ipv4: str | None = None
    external_ip: str | None = None
    macs: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    version: str = "0.14.102"
    edr_version: str | None = "0.4.12"
    build: str | None = None
    defender: str | None = None
    silent_since: float | None = None
    """When it was last heard of; None while it calls back."""
    isolatable: bool = True
    firewall: str = "Enabled"
    settles: tuple[float, str] | None = None
    """When an isolation or release takes hold, and the firewall's status from then on."""


@dataclass
class Remediation:
    """One step that an incident asks for."""

    id: int
    type: str
    action: str
    parameters: Any
    created: float
    updated: float
    status: str = "unapproved"
    approved: float | None = None
    approved_by: User | None = None
    completed: float | None = None
    settles: float | None = None
    """When an assisted remediation that runs is done."""


@dataclass
class Incident:
    """An incident report."""

    id: int
    organization_id: int
    agent_id: int | None
    platform: str
    severity: str
    subject: str
    summary: str
    body: str
    created: float
    updated: float
    status_updated: float
    status: str = "sent"
    sent: float | None = None
    closed: float | None = None
    indicators: dict[str, int] = field(default_factory=dict)
    remediations: list[Remediation] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    poison: dict[str, Any] = field(default_factory=dict)
    """Fields that are told otherwise than they are, such as with a wrong type."""


@dataclass
class Escalation:
    """Something a person at the partner has to look after."""

    id: int
    type: str
    subject: str
    severity: str
    organization_ids: list[int]
    created: float
    updated: float
    subtype: str | None = None
    due: float | None = None
    overdue: bool = False
    resolved: float | None = None
    by_api: bool = True
    """Whether it can be resolved through the API."""
    agent_ids: list[int] = field(default_factory=list)
    poison: dict[str, Any] = field(default_factory=dict)


@dataclass
class Report:
    """A summary report of an organization."""

    id: int
    organization_id: int
    type: str
    first_day: str
    last_day: str
    created: float


@dataclass
class Endpoint:
    """Where webhooks are sent."""

    id: str
    url: str
    secrets: list[str]
    """The newest first; after a change the one before still signs."""
    categories: list[str]
    enabled: bool = True
