"""The values that travel between vendors, services and the host.

All times are timezone-aware UTC. ``None`` means "not known": it never overwrites what is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import msgspec

from .pace import Pace
from .sessions import Sessions


class Severity(StrEnum):
    """The common severity scale, worst first."""

    CRITICAL = "critical"
    MAJOR = "major"
    MODERATE = "moderate"
    MINOR = "minor"
    NONE = "none"

    @property
    def rank(self) -> int:
        """0 for none up to 4 for critical."""
        return _RANK[self]


_RANK = {severity: rank for rank, severity in enumerate(reversed(Severity))}


class AgentStatus(StrEnum):
    """What the vendor's agent says of itself; ``overdue`` counts as not online."""

    ONLINE = "online"
    OFFLINE = "offline"
    OVERDUE = "overdue"
    UNKNOWN = "unknown"


class DeviceKind(StrEnum):
    """What a device is; the host decides which asset type that makes."""

    WORKSTATION = "workstation"
    SERVER = "server"
    NETWORK_DEVICE = "network_device"
    MOBILE_DEVICE = "mobile_device"
    PRINTER = "printer"
    VIRTUAL_HOST = "virtual_host"
    VIRTUAL_GUEST = "virtual_guest"
    CLOUD = "cloud"
    UNKNOWN = "unknown"


class AlertKind(StrEnum):
    """What a vendor says happened to an alert."""

    TRIGGERED = "triggered"
    RESET = "reset"
    ACKNOWLEDGED = "acknowledged"


class AlertStatus(StrEnum):
    """The state of an alert here; the first three are open."""

    ACTIVE = "active"
    ACKNOWLEDGED = "acknowledged"
    SUPPRESSED = "suppressed"
    RESOLVED = "resolved"
    AUTO_RESOLVED = "auto_resolved"

    @property
    def is_open(self) -> bool:
        """Whether the vendor's condition is, as far as we know, still there."""
        return self in OPEN_STATUSES


OPEN_STATUSES = frozenset({AlertStatus.ACTIVE, AlertStatus.ACKNOWLEDGED, AlertStatus.SUPPRESSED})


class Channel(StrEnum):
    """The way an event reached us."""

    WEBHOOK = "webhook"
    POLL = "poll"
    MANUAL = "manual"
    TICK = "tick"


class Outcome(StrEnum):
    """What ingest did with an event."""

    SUPPRESSED = "suppressed"
    TICKET_CREATED = "ticket_created"
    OCCURRENCE_APPENDED = "occurrence_appended"
    TICKET_REOPENED = "ticket_reopened"
    HELD = "held"
    RECORDED_ONLY = "recorded_only"
    RESOLVED = "resolved"
    ACKNOWLEDGED = "acknowledged"
    AWAITING_DETAILS = "awaiting_details"
    UPDATED = "updated"
    SKIPPED = "skipped"


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor's customer (client, organization, group).

    ``parent_id`` is the external id of the one it lies in, for a vendor that nests them.
    """

    external_id: str
    name: str
    parent_id: str | None = None
    metadata: dict[str, Any] = {}


class Disk(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One volume; sizes in GB with two decimals, utilization in percent."""

    name: str
    total_gb: float | None = None
    free_gb: float | None = None
    utilization_percent: float | None = None


class Interface(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One network interface with its addresses."""

    name: str
    mac: str | None = None
    ips: tuple[str, ...] = ()


class Hardware(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Facts that only the slow, heavy listing of a vendor gives.

    A device that comes without hardware leaves the stored hardware as it is, and so does each value that is
    not told here. ``storage_gb`` is the sum of its physical drives or, where nobody tells these, of its
    volumes.
    """

    memory_gb: float | None = None
    storage_gb: float | None = None
    cpu_cores: int | None = None
    interfaces: tuple[Interface, ...] = ()
    disks: tuple[Disk, ...] = ()
    macs: tuple[str, ...] = ()
    manufacturer: str | None = None
    model: str | None = None
    cpu_model: str | None = None
    last_user: str | None = None


class Device(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A managed device as its vendor describes it now.

    ``current_user`` is empty when nobody is signed in, ``custom_fields`` when there is none. The two times
    after which it counts as silent are taken from a device that comes with ``hardware``. The numbers of
    patches are the vendor's own; ``has_pending_patches`` is asked for where there is none. ``antivirus`` is
    protected, at_risk or unknown; ``threats`` are those that are active now. ``approval`` is pending or
    staged for a device that somebody must take in at the vendor first, approved or decommissioned.
    ``security_score`` is the vendor's own, from 0 to 100.
    """

    external_id: str
    external_organization_id: str
    name: str
    kind: DeviceKind
    status: AgentStatus
    last_seen_at: datetime | None = None
    serial: str | None = None
    location: str | None = None
    platform: str | None = None
    os_type: str | None = None
    os_version: str | None = None
    agent_version: str | None = None
    current_user: str | None = None
    boot_at: datetime | None = None
    lan_ip: str | None = None
    wan_ip: str | None = None
    cpu_model: str | None = None
    model: str | None = None
    needs_reboot: bool | None = None
    has_pending_patches: bool | None = None
    os_patches_pending: int | None = None
    os_patches_failed: int | None = None
    software_patches_pending: int | None = None
    software_patches_failed: int | None = None
    antivirus: str | None = None
    antivirus_product: str | None = None
    threats: int | None = None
    approval: str | None = None
    security_score: int | None = None
    maintenance: bool | None = None
    offline_after_minutes: int | None = None
    overdue_after_minutes: int | None = None
    custom_fields: dict[str, Any] | None = None
    hardware: Hardware | None = None


class DevicePage(msgspec.Struct, frozen=True, kw_only=True):
    """A bounded slice of a device listing.

    ``errors`` are rows that could not be read, as sentences. ``completed_organizations`` are the external
    ids of organizations whose listing is complete with this page: only for these can absence mean anything.
    ``elsewhere`` are external ids of devices that the vendor has in organizations that were not asked for:
    one that moved there is not missing. ``total`` is the number of devices the whole listing will bring,
    where the vendor says it.
    """

    devices: tuple[Device, ...]
    errors: tuple[str, ...] = ()
    completed_organizations: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    total: int | None = None


class InstalledSoftware(msgspec.Struct, frozen=True, kw_only=True):
    """One product as a device's vendor lists it."""

    name: str
    version: str = ""
    publisher: str = ""
    installed_on: date | None = None
    size_bytes: int | None = None
    location: str | None = None


class SoftwareOfDevice(msgspec.Struct, frozen=True, kw_only=True):
    """All software of one device; what is not in ``items`` is not installed."""

    external_device_id: str
    items: tuple[InstalledSoftware, ...]


class SoftwarePage(msgspec.Struct, frozen=True, kw_only=True):
    """A bounded slice of a software listing; ``errors`` are rows that could not be read, as sentences.

    ``strangers`` counts rows of devices that the vendor's own list of devices does not name.
    """

    devices: tuple[SoftwareOfDevice, ...]
    errors: tuple[str, ...] = ()
    strangers: int = 0


class PermissionLine(msgspec.Struct, frozen=True, kw_only=True):
    """One feature and what the credentials need for it: ``state`` is ok, warning, missing or not_checked.

    ``switches`` are the vendor's own names of the rights, ``message`` says in words what was found. A warning
    is about a feature that works, but not as one would expect.
    """

    feature: str
    switches: tuple[str, ...]
    state: str
    message: str


class RemoteLink(msgspec.Struct, frozen=True, kw_only=True):
    """Where a technician reaches a device: shown once and stored nowhere.

    ``expires_at`` is when the vendor stops taking it, where it says so.
    """

    url: str
    expires_at: datetime | None = None


class AlertEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a vendor said about one alert, the same whichever channel brought it.

    ``synthesized`` marks an ``external_id`` made by us because the vendor sent none; ``adopts`` are the
    synthesized ids, most specific first, under which this same alert may be stored already.
    ``delivery_failed`` says that the vendor's own record shows a webhook of this alert that did not arrive,
    ``silenced`` that somebody put it aside at the vendor for a while: it is still open there. ``vanished`` is
    a reset of ours for an alert that a complete listing no longer names.

    A vendor that writes its alerts for people gives the words of the ticket, ``title`` and ``report``, in
    plain text; where a template of the rule has its own, that counts. ``is_partial``: the channel does not
    tell all of them, so that the alert is fetched afterwards. ``vendor_status`` is the state it has there, in
    the vendor's word; each change of it is a note on the ticket. ``note`` is what somebody wrote there
    meanwhile, known by its ``note_id``, so that it is noted once.
    """

    kind: AlertKind
    external_id: str
    occurred_at: datetime
    severity: Severity = Severity.NONE
    external_device_id: str | None = None
    external_organization_id: str | None = None
    device_name: str | None = None
    condition: str | None = None
    alert_class: str | None = None
    activity_type: str | None = None
    source_type: str | None = None
    message: str | None = None
    synthesized: bool = False
    adopts: tuple[str, ...] = ()
    delivery_failed: bool = False
    silenced: bool = False
    vanished: bool = False
    title: str | None = None
    report: str | None = None
    is_partial: bool = False
    vendor_status: str | None = None
    note: str | None = None
    note_id: str | None = None
    raw: dict[str, Any] = {}


class UnreadAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that a vendor lists in a shape that cannot be read: ``reason`` is a sentence.

    ``synthesized`` marks an ``external_id`` made by us because the row has none; the same row, the same id.
    """

    external_id: str
    reason: str
    synthesized: bool = False


class AlertChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What changed at a vendor since a moment: each alert once, as it is now, the oldest change first.

    ``occurred_at`` of each is when it changed, by the vendor's clock: from there on is asked the next time.
    ``is_whole`` is false where the vendor has more of them than are read at once: the oldest are missing.
    """

    events: tuple[AlertEvent, ...]
    unread: tuple[UnreadAlert, ...] = ()
    is_whole: bool = True


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a connection test: ``state`` is ok, warning, failed or not_checked.

    ``field`` names the input of the sign-in that the line is about, where it is about one. ``learned`` are
    settings of the connection that the vendor told meanwhile; they are kept together with what was typed.
    """

    name: str
    state: str
    message: str
    remedy: str | None = None
    field: str | None = None
    learned: dict[str, str] = {}


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The vendor's answer to something we asked it to do."""

    accepted: bool
    message: str
    status: int | None = None


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """All a provider needs to talk to one vendor account. Never logged: ``secrets`` are in clear.

    ``once`` holds what was typed for this one sign-in and is never stored, such as a code. ``sessions`` keeps
    the session of a sign-in that needs one, ``pace`` gives the requests their turns where the vendor counts
    them.
    """

    tenant_id: str
    integration_id: str
    provider: str
    instance_url: str
    auth_mode: str = "api_key"
    secrets: dict[str, str] = {}
    settings: dict[str, Any] = {}
    once: dict[str, str] = {}
    sessions: Sessions | None = None
    pace: Pace | None = None

    def __repr__(self) -> str:
        return f"Connection({self.provider}, {self.tenant_id}/{self.integration_id})"


class WebhookRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as it arrived: header names in lower case, the body untouched."""

    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
