"""What crosses the host port: frozen values with string ids, never ORM objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

PERMISSIONS = (
    "rmm.view",
    "rmm.configure",
    "rmm.alerts.manage",
    "rmm.sync",
    "rmm.execute",
    "rmm.remote_access",
    "rmm.workflows.manage",
    "rmm.jobs.view",
)
"""Every permission the extension asks for; the host maps them to its roles."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something. ``tenant_id`` is the tenant the actor acts in."""

    id: str
    name: str
    tenant_id: str
    is_system: bool = False


def SYSTEM_ACTOR(tenant_id: str) -> Actor:  # noqa: N802 - reads as the constant it is, per tenant
    """The extension itself, acting without a person."""
    return Actor(id="system", name="RMM integration", tenant_id=tenant_id, is_system=True)


@dataclass(frozen=True, slots=True)
class Tenant:
    id: str
    name: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class Client:
    id: str
    name: str
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Contact:
    id: str
    name: str
    client_id: str
    email: str | None = None
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class User:
    """Somebody of the tenant. ``takes_tickets`` tells whether tickets may be assigned to them."""

    id: str
    name: str
    email: str | None = None
    is_active: bool = True
    takes_tickets: bool = True


@dataclass(frozen=True, slots=True)
class Board:
    """A ticket channel. ``default_status_id`` is the status of a new ticket there."""

    id: str
    name: str
    is_default: bool = False
    default_status_id: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    id: str
    name: str
    board_id: str | None
    is_closed: bool
    order: int = 0


@dataclass(frozen=True, slots=True)
class Priority:
    id: str
    name: str
    order: int = 0


@dataclass(frozen=True, slots=True)
class Category:
    """What a ticket is about; one with a parent is a subcategory of that."""

    id: str
    name: str
    parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class TicketDraft:
    """A ticket to be made by an alert.

    ``idempotency_key`` identifies the wish: a second create with the same key returns the first ticket.
    ``board_id`` ``None`` is the tenant's default board, ``status_id`` ``None`` the board's default status.
    ``note`` becomes an internal, system-generated comment; ``asset_id`` an asset link. The categories are
    given only to a host with the port ``categories``.
    """

    idempotency_key: str
    title: str
    description: str
    client_id: str
    source: str
    source_reference: str
    board_id: str | None = None
    status_id: str | None = None
    priority_id: str | None = None
    contact_id: str | None = None
    assignee_id: str | None = None
    asset_id: str | None = None
    note: str | None = None
    category_id: str | None = None
    subcategory_id: str | None = None


@dataclass(frozen=True, slots=True)
class TicketRef:
    """``id`` for links and storage, ``number`` as people say it."""

    id: str
    number: str


@dataclass(frozen=True, slots=True)
class TicketAsset:
    """An asset that a ticket is about."""

    ticket_id: str
    asset_id: str


@dataclass(frozen=True, slots=True)
class TicketState:
    """A ticket as the alert pipeline needs to know it.

    ``touched`` tells whether a person changed the status, commented or booked time since creation, judged by
    the host's history; assignee, priority and board changes do not count. ``touched_by`` says it in words
    ("Mara commented at 14:02").
    """

    id: str
    number: str
    client_id: str | None
    title: str
    is_open: bool
    status_name: str
    touched: bool
    touched_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something to tell users, in-app and, by their preferences, by e-mail.

    ``category`` and ``subtype`` are what preferences and templates are kept by. ``title`` (one line) and
    ``body`` are ready to use; a template of the host's may say it differently from ``variables``. Both are
    plain text with words of the vendor's in them: escape them wherever they become HTML. ``link`` is a path
    of the host for its own pages, ``url`` the same with the public address, for e-mails; ``url`` is ``None``
    where that address is not known. ``level`` is error, warning or info.
    """

    category: str
    subtype: str
    title: str
    body: str
    level: str
    idempotency_key: str
    link: str | None = None
    url: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CloseResult:
    """``closed`` is false with a ``reason`` when no closed status could be found."""

    closed: bool
    status_name: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class AssetKey:
    """What may identify an existing asset of a client: junk serials are already left out."""

    client_id: str
    serial: str | None
    macs: tuple[str, ...]
    name: str


@dataclass(frozen=True, slots=True)
class AssetMatch:
    """An existing asset that shares a serial, a MAC or a name with one of the keys asked for."""

    asset_id: str
    client_id: str
    serial: str | None
    macs: tuple[str, ...]
    name: str


@dataclass(frozen=True, slots=True)
class AssetRef:
    """An asset for display: name, owner and where its page is."""

    id: str
    name: str
    client_id: str | None


@dataclass(frozen=True, slots=True)
class AssetChange:
    """One asset to create (``asset_id`` ``None``) or to update.

    ``None`` in any field, and a key missing in ``vitals``, leaves what is there. ``vitals`` holds the columns
    of the workstation or server row: agent_version, current_user, last_reboot_at, uptime_seconds, lan_ip,
    wan_ip, cpu_model, cpu_cores, ram_gb, storage_gb, disk_usage (a list of {name, total_gb, free_gb,
    utilization_percent}), network_interfaces (a list of {name, mac, ips}), needs_reboot, has_pending_patches
    (also from vendors that give no number), pending_patches and failed_patches (all together),
    pending_os_patches, pending_software_patches, last_patch_scan_at, antivirus_status (protected, at_risk or
    unknown), antivirus_product, os_name, os_version, manufacturer, model, mac_addresses, system_info (the
    vendor's custom fields by name). An empty current_user says that nobody is signed in, an empty
    antivirus_product that the machine has none.
    ``reactivate`` asks that an asset we had marked inactive becomes active again.
    """

    asset_id: str | None
    client_id: str | None
    name: str | None
    asset_type: str | None
    serial: str | None
    location: str | None
    rmm_provider: str
    rmm_device_id: str
    rmm_organization_id: str | None
    agent_status: str
    last_seen_at: datetime | None
    asset_tag: str | None = None
    reactivate: bool = False
    vitals: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AssetApplied:
    """The answer to one :class:`AssetChange`, in the order of the batch."""

    asset_id: str
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketChanges:
    """What of a ticket is to be changed; ``None`` leaves it. ``status_id`` is an open status of its board:
    closing has a path of its own."""

    title: str | None = None
    status_id: str | None = None
    priority_id: str | None = None
    assignee_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleDraft:
    """Time of users that is to be booked, from ``start`` up to and without ``end`` (both with their zone).

    ``link_type`` is ticket or project_task, ``None`` for an entry of its own. ``overlaps``: it is booked
    although these users have something then, which the host keeps as a conflict.
    ``idempotency_key``: the same one again is the entry that is there.
    """

    idempotency_key: str
    user_ids: tuple[str, ...]
    title: str
    start: datetime
    end: datetime
    link_type: str | None = None
    link_id: str | None = None
    notes: str | None = None
    overlaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScheduleConflict:
    """Something a user has at the time asked for."""

    user_id: str
    entry_id: str
    title: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """An e-mail to people inside or outside: plain text, without any words of HTML."""

    idempotency_key: str
    to: tuple[str, ...]
    subject: str
    body: str
