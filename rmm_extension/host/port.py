"""The protocols a host implements, and :class:`PsaHost` that carries them.

Rules that hold for every method:

* It works in the session it is given and never commits or rolls back.
* It answers only for the tenant it is given.
* List calls are set-based: the number of SQL statements does not depend on the number of rows.
* A refusal is a :class:`~rmm_extension.domain.errors.HostRejected` with a sentence for the administrator.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from .types import (
    Actor,
    AssetApplied,
    AssetChange,
    AssetKey,
    AssetMatch,
    AssetRef,
    Board,
    Category,
    Client,
    CloseResult,
    Contact,
    Mail,
    Notice,
    Priority,
    ScheduleConflict,
    ScheduleDraft,
    Status,
    Tenant,
    TicketAsset,
    TicketChanges,
    TicketDraft,
    TicketRef,
    TicketState,
    User,
)


class Tenants(Protocol):
    def get(self, session: Session, tenant_id: str) -> Tenant | None:
        """The tenant, or ``None`` if there is no such tenant."""

    def active_ids(self, session: Session) -> Sequence[str]:
        """Ids of all tenants that are not suspended."""


class Actors(Protocol):
    def current(self) -> Actor | None:
        """The signed-in user of this request, or ``None``."""


class Permissions(Protocol):
    def allows(self, actor: Actor, permission: str) -> bool:
        """Whether the actor has one of :data:`~rmm_extension.host.types.PERMISSIONS`."""


class Entitlements(Protocol):
    def provider_enabled(
        self, session: Session, tenant_id: str, provider: str, editions: Collection[str]
    ) -> bool:
        """Whether the tenant's edition (one of ``editions``) includes the provider."""

    def addon_active(self, session: Session, tenant_id: str, name: str) -> bool:
        """Whether the tenant has booked the named add-on."""


class Clients(Protocol):
    def search(self, session: Session, tenant_id: str, text: str = "", limit: int = 1000) -> Sequence[Client]:
        """Active clients by name, alphabetically; ``text`` is a case-insensitive part of the name."""

    def get_many(self, session: Session, tenant_id: str, ids: Collection[str]) -> Mapping[str, Client]:
        """The clients among ``ids`` that exist."""


class Contacts(Protocol):
    def for_clients(
        self, session: Session, tenant_id: str, client_ids: Collection[str]
    ) -> Mapping[str, Sequence[Contact]]:
        """Active contacts of each client, by name."""

    def for_ticket(
        self, session: Session, tenant_id: str, client_id: str, preferred_id: str | None
    ) -> str | None:
        """The contact of a new ticket: the preferred one if active and of this client, else the client's
        primary contact under the same conditions, else ``None``."""


class Assets(Protocol):
    def find(self, session: Session, tenant_id: str, keys: Sequence[AssetKey]) -> Sequence[AssetMatch]:
        """Existing assets of the keys' clients with an equal serial, MAC or name (case-insensitive)."""

    def apply(
        self, session: Session, tenant_id: str, changes: Sequence[AssetChange]
    ) -> Sequence[AssetApplied]:
        """Create and update assets with their workstation or server rows, and keep a history of changes."""

    def mark_inactive(
        self, session: Session, tenant_id: str, asset_ids: Collection[str], reason: str
    ) -> None:
        """Set assets inactive because their device is gone."""

    def get_many(self, session: Session, tenant_id: str, ids: Collection[str]) -> Mapping[str, AssetRef]:
        """The assets among ``ids`` that exist."""


class Tickets(Protocol):
    def create(self, session: Session, tenant_id: str, draft: TicketDraft) -> TicketRef:
        """Make the ticket with its number, note and asset link; the same key again returns the first one.

        Raises :class:`HostRejected` when there is no board or no default status.
        """

    def note_if_open(
        self, session: Session, tenant_id: str, ticket_id: str, client_id: str | None, note: str
    ) -> TicketRef | None:
        """Add an internal system note if the ticket is open and of this client (``None``: of any).

        Locks the ticket so that it cannot be closed meanwhile; ``None`` when it is closed, gone or another
        client's.
        """

    def reopen_if_closed_since(
        self,
        session: Session,
        tenant_id: str,
        ticket_id: str,
        client_id: str | None,
        since: datetime,
        note: str,
    ) -> TicketRef | None:
        """Reopen a ticket of this client (``None``: of any) that was closed at ``since`` or later.

        As the system, by the host's own path, into the status that a new ticket of its board has, with an
        internal system note. Locks the ticket; ``None``, and nothing changed, when it is open, was closed
        earlier, is gone or another client's. No person's touch. Raises :class:`HostRejected` when there is
        no open status.
        """

    def add_note(self, session: Session, tenant_id: str, ticket_id: str, note: str) -> None:
        """Add an internal system note, open or closed."""

    def state(
        self, session: Session, tenant_id: str, ticket_id: str, *, lock: bool = False
    ) -> TicketState | None:
        """The ticket's state; ``lock`` holds the ticket row until the transaction ends."""

    def get_many(self, session: Session, tenant_id: str, ids: Collection[str]) -> Mapping[str, TicketState]:
        """States (``touched`` may be left false) of the tickets among ``ids`` that exist, for lists."""

    def close(self, session: Session, tenant_id: str, ticket_id: str, status_id: str | None) -> CloseResult:
        """Close as the system by the host's own close path.

        Status: ``status_id`` if it is a closed one, else the first closed status of the ticket's board, else
        of the tenant; none found: not closed, with a reason. Must not call the extension's ``ticket_closed``.
        """

    def complete_text(
        self,
        session: Session,
        tenant_id: str,
        ticket_id: str,
        *,
        old_title: str,
        title: str,
        old_description: str,
        description: str,
    ) -> bool:
        """Replace title and description, each only where it is still the old one; whether any was."""

    def set_priority(self, session: Session, tenant_id: str, ticket_id: str, priority_id: str) -> None:
        """Set the priority as the system; does not count as a person's touch."""

    def update(self, session: Session, tenant_id: str, ticket_id: str, changes: TicketChanges) -> None:
        """Change an open ticket as the system, by the host's own path; does not count as a person's touch.

        Raises :class:`HostRejected` with a sentence for a ticket that is gone or closed, and for a status,
        priority or user that the ticket cannot have.
        """


class TicketAssets(Protocol):
    def link(self, session: Session, tenant_id: str, links: Sequence[TicketAsset]) -> None:
        """Link tickets that were made before their asset was known.

        Only an open ticket that has no asset, and only to an asset of the ticket's client: what is there may
        be a person's choice. Everything else is left as it is, what does not exist too. Of several links of
        one ticket the first counts. Locks the tickets in the order of their ids. No person's touch.
        """


class Catalog(Protocol):
    def boards(self, session: Session, tenant_id: str) -> Sequence[Board]:
        """Active boards, in their order."""

    def statuses(self, session: Session, tenant_id: str) -> Sequence[Status]:
        """All ticket statuses, in their order."""

    def priorities(self, session: Session, tenant_id: str) -> Sequence[Priority]:
        """All priorities, in their order."""


class Categories(Protocol):
    def active(self, session: Session, tenant_id: str) -> Sequence[Category]:
        """Categories that tickets can be filed under, in their order, each before its subcategories."""


class TimeEntries(Protocol):
    def add(
        self, session: Session, tenant_id: str, ticket_id: str, user_id: str, minutes: int, note: str
    ) -> str:
        """Book time on a ticket; the entry's id."""


class Schedule(Protocol):
    """The dispatch board. Who books holds the users first, so that nobody books them at the same moment."""

    def technicians(self, session: Session, tenant_id: str) -> Sequence[User]:
        """Active users that can be scheduled."""

    def may_book(self, actor: Actor) -> bool:
        """Whether the host's own rights let the actor put entries on the board."""

    def hold(self, session: Session, tenant_id: str, user_ids: Collection[str]) -> None:
        """Lock the schedules of these users until the transaction ends, in the order of their ids."""

    def conflicts(
        self, session: Session, tenant_id: str, user_ids: Collection[str], start: datetime, end: datetime
    ) -> Sequence[ScheduleConflict]:
        """What these users have between ``start`` and ``end`` (half open), without what was called off."""

    def link_exists(self, session: Session, tenant_id: str, link_type: str, link_id: str) -> bool:
        """Whether there is such a ticket or project task."""

    def book(self, session: Session, tenant_id: str, draft: ScheduleDraft) -> str:
        """Put one entry for all of its users on the board, by the host's own path; its id."""


class Users(Protocol):
    def active(self, session: Session, tenant_id: str) -> Sequence[User]:
        """Active internal users, by name."""

    def get_many(self, session: Session, tenant_id: str, ids: Collection[str]) -> Mapping[str, User]:
        """The users among ``ids`` that exist."""


class Notifications(Protocol):
    def send(self, session: Session, tenant_id: str, user_ids: Collection[str], notice: Notice) -> None:
        """Tell users in-app and, by their preferences, by e-mail; once per key and user.

        ``user_ids`` empty means the tenant's administrators. Users that are gone or inactive are left out.
        """


class Mails(Protocol):
    def send(self, session: Session, tenant_id: str, mail: Mail) -> None:
        """Have the e-mail sent after the transaction, once per key; :class:`HostRejected` for an address
        that is none."""


class Urls(Protocol):
    def ticket(self, ticket_id: str) -> str:
        """Path of the ticket's page."""

    def asset(self, asset_id: str) -> str:
        """Path of the asset's page."""

    def client(self, client_id: str) -> str:
        """Path of the client's page."""

    def login(self, next_url: str) -> str:
        """Where a person without a session is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PsaHost:
    """The host's adapters. A port that is ``None`` switches its features off, visibly."""

    tenants: Tenants
    actors: Actors
    permissions: Permissions
    clients: Clients
    contacts: Contacts | None = None
    assets: Assets | None = None
    tickets: Tickets | None = None
    ticket_assets: TicketAssets | None = None
    catalog: Catalog | None = None
    categories: Categories | None = None
    time_entries: TimeEntries | None = None
    schedule: Schedule | None = None
    users: Users | None = None
    notifications: Notifications | None = None
    mails: Mails | None = None
    entitlements: Entitlements | None = None
    urls: Urls | None = None
