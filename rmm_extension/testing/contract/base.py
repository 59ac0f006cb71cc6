"""What a host fills in, and what every test of the contract works with."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeVar

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from rmm_extension.host import (
    AssetChange,
    PsaHost,
    ScheduleDraft,
    TicketDraft,
    TicketRef,
    TicketState,
    port,
)
from rmm_extension.services.context import Database

from .facts import AssetFacts, EntryFacts, NoticeFacts, TicketFacts
from .rules import ContractBroken

T = TypeVar("T")
UNKNOWN = "no-such-id"
"""An id that no host has."""


def unique(prefix: str) -> str:
    """A name that was never used."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


@dataclass(frozen=True, kw_only=True)
class Bench:
    """One test's view of the host: its ports, one open session, two tenants, three clients.

    ``other_client_id`` is another client of the same tenant, ``foreign_client_id`` one of the other tenant.
    A port that the host does not have skips the test.
    """

    app: Flask
    host: PsaHost
    session: Session
    tenant_id: str
    other_tenant_id: str
    client_id: str
    other_client_id: str
    foreign_client_id: str

    @property
    def contacts(self) -> port.Contacts:
        return wanted("contacts", self.host.contacts)

    @property
    def assets(self) -> port.Assets:
        return wanted("assets", self.host.assets)

    @property
    def tickets(self) -> port.Tickets:
        return wanted("tickets", self.host.tickets)

    @property
    def ticket_assets(self) -> port.TicketAssets:
        return wanted("ticket_assets", self.host.ticket_assets)

    @property
    def catalog(self) -> port.Catalog:
        return wanted("catalog", self.host.catalog)

    @property
    def categories(self) -> port.Categories:
        return wanted("categories", self.host.categories)

    @property
    def time_entries(self) -> port.TimeEntries:
        return wanted("time_entries", self.host.time_entries)

    @property
    def schedule(self) -> port.Schedule:
        return wanted("schedule", self.host.schedule)

    @property
    def users(self) -> port.Users:
        return wanted("users", self.host.users)

    @property
    def notifications(self) -> port.Notifications:
        return wanted("notifications", self.host.notifications)

    @property
    def mails(self) -> port.Mails:
        return wanted("mails", self.host.mails)

    @property
    def entitlements(self) -> port.Entitlements:
        return wanted("entitlements", self.host.entitlements)

    @property
    def urls(self) -> port.Urls:
        return wanted("urls", self.host.urls)

    def draft(self, **changes: Any) -> TicketDraft:
        """A ticket of the usual client under a key of its own."""
        usual = TicketDraft(
            idempotency_key=unique("contract"),
            title="Disk C: is full on PC-1",
            description="C: has 1 GB left.",
            client_id=self.client_id,
            source="tacticalrmm",
            source_reference="42",
            note="Created automatically.",
        )
        return replace(usual, **changes)

    def booking(self, users: Sequence[str], **changes: Any) -> ScheduleDraft:
        """Time of these users, years from now, under a key of its own."""
        usual = ScheduleDraft(
            idempotency_key=unique("contract"),
            user_ids=tuple(users),
            title="Look at PC-1",
            start=datetime(2031, 2, 3, 9, tzinfo=UTC),
            end=datetime(2031, 2, 3, 10, tzinfo=UTC),
        )
        return replace(usual, **changes)

    def ticket(self, **changes: Any) -> TicketRef:
        """A new ticket, not committed."""
        return self.tickets.create(self.session, self.tenant_id, self.draft(**changes))

    def state(self, ticket_id: str) -> TicketState:
        """The state of a ticket that must be there."""
        found = self.tickets.state(self.session, self.tenant_id, ticket_id)
        if found is None:
            raise ContractBroken(
                "tickets.state: it does not see a ticket of its own transaction. Read in the session given."
            )
        return found

    def change(self, asset_id: str | None = None, **values: Any) -> AssetChange:
        """A device of the usual client as the sync reports it."""
        device = unique("device")
        usual: dict[str, Any] = {
            "client_id": self.client_id,
            "name": f"PC-{device}",
            "asset_type": "workstation",
            "serial": f"SN-{device}",
            "location": "Main office",
            "rmm_provider": "tacticalrmm",
            "rmm_device_id": device,
            "rmm_organization_id": "1",
            "agent_status": "online",
            "last_seen_at": None,
            "vitals": {"current_user": "anna", "lan_ip": "10.0.0.5"},
        }
        return AssetChange(asset_id=asset_id, **{**usual, **values})

    def asset(self, **values: Any) -> str:
        """A new asset, not committed; its id."""
        (applied,) = self.assets.apply(self.session, self.tenant_id, [self.change(**values)])
        return applied.asset_id

    @contextmanager
    def another_session(self) -> Iterator[Session]:
        """A session with a connection of its own, rolled back in the end. For other threads too."""
        with self.app.app_context():
            database = _database(self.app)
            try:
                yield database.session()
            finally:
                database.session.rollback()
                database.session.remove()

    def in_own_transaction(self, **values: Any) -> str:
        """A ticket that is committed; its id."""
        with self.another_session() as session:
            made = self.tickets.create(session, self.tenant_id, self.draft(**values))
            session.commit()
        return made.id


def wanted(name: str, found: T | None) -> T:
    """The port, or a skipped test."""
    if found is None:
        pytest.skip(f"This host has no `{name}` port: the features that need it are off.")
    return found


def _database(app: Flask) -> Database:
    database: Database = app.extensions["rmm"].services.db
    return database


def _define(name: str, what: str) -> NoReturn:
    raise NotImplementedError(f"Define {name} in your contract class: {what}")


class ContractBase:
    """The part of the contract that a host fills in.

    Fixtures: ``app``, ``tenant_id``, ``other_tenant_id``. The first tenant needs two active clients, the
    other one; a tenant with a ``tickets`` port needs a default board with a default and a closed status, one
    with a ``schedule`` port two technicians.
    Methods: what follows; each works in the session it is given and does not commit. Those of a port that
    the host leaves out are never called.
    """

    @pytest.fixture
    def app(self) -> Flask:
        """The host's app with the extension mounted and both migration trees run on a test database."""
        _define("the fixture app", "the Flask app with RmmExtension mounted and a migrated database.")

    @pytest.fixture
    def tenant_id(self) -> str:
        """A tenant with two active clients."""
        _define("the fixture tenant_id", "the id of a tenant with two active clients.")

    @pytest.fixture
    def other_tenant_id(self) -> str:
        """Another tenant with a client."""
        _define("the fixture other_tenant_id", "the id of another tenant with an active client.")

    def read_ticket(self, session: Session, tenant_id: str, ticket_id: str) -> TicketFacts:
        """The ticket as your database has it."""
        _define("read_ticket(session, tenant_id, ticket_id)", "return its TicketFacts from your own tables.")

    def comment_as_person(self, session: Session, tenant_id: str, ticket_id: str) -> None:
        """Comment on the ticket by the path your pages use."""
        _define("comment_as_person(session, tenant_id, ticket_id)", "one of your users comments.")

    def change_status_as_person(self, session: Session, tenant_id: str, ticket_id: str) -> None:
        """Give the ticket another open status by the path your pages use."""
        _define("change_status_as_person(session, tenant_id, ticket_id)", "to another open status.")

    def edit_as_person(self, session: Session, tenant_id: str, ticket_id: str) -> None:
        """Change assignee, priority and, where there are several, the board."""
        _define("edit_as_person(session, tenant_id, ticket_id)", "change assignee, priority and board.")

    def close_as_person(self, session: Session, tenant_id: str, ticket_id: str) -> None:
        """Close the ticket by the path your pages use, which tells the extension (``ticket_closed``)."""
        _define("close_as_person(session, tenant_id, ticket_id)", "one of your users closes the ticket.")

    def without_boards(self, session: Session, tenant_id: str) -> None:
        """Leave the tenant without a usable board. Optional."""
        pytest.skip("Define without_boards(session, tenant_id) to have the refusal tested.")

    def without_closed_statuses(self, session: Session, tenant_id: str) -> None:
        """Leave the tenant without a closed status. Optional."""
        pytest.skip("Define without_closed_statuses(session, tenant_id) to have the refusal tested.")

    def make_contact(
        self, session: Session, tenant_id: str, client_id: str, *, is_active: bool, is_primary: bool
    ) -> str:
        """Add a contact; with ``is_primary`` it becomes the client's primary contact. Its id."""
        _define("make_contact(session, tenant_id, client_id, *, is_active, is_primary)", "return its id.")

    def read_asset(self, session: Session, tenant_id: str, asset_id: str) -> AssetFacts:
        """The asset as your database has it."""
        _define("read_asset(session, tenant_id, asset_id)", "return its AssetFacts from your own tables.")

    def read_notices(self, session: Session, tenant_id: str, user_id: str) -> Sequence[NoticeFacts]:
        """What the user was told in-app, oldest first, with the e-mails."""
        _define("read_notices(session, tenant_id, user_id)", "return NoticeFacts from your own tables.")

    def read_entry(self, session: Session, tenant_id: str, entry_id: str) -> EntryFacts:
        """The entry of the dispatch board as your database has it."""
        _define("read_entry(session, tenant_id, entry_id)", "return its EntryFacts from your own tables.")

    def call_off_as_person(self, session: Session, tenant_id: str, entry_id: str) -> None:
        """Say that the entry does not take place, by the path your pages use."""
        _define("call_off_as_person(session, tenant_id, entry_id)", "one of your users calls the entry off.")

    def read_mails(self, session: Session, tenant_id: str, address: str) -> Sequence[str]:
        """The texts of the e-mails that wait for this address, oldest first."""
        _define("read_mails(session, tenant_id, address)", "return the texts from your own tables.")

    def decline_mail(self, session: Session, tenant_id: str, user_id: str) -> None:
        """The user declines e-mails about alerts, by the path your pages use."""
        _define("decline_mail(session, tenant_id, user_id)", "one of your users declines e-mails.")

    def disable_user(self, session: Session, tenant_id: str, user_id: str) -> None:
        """The user may not sign in any more."""
        _define("disable_user(session, tenant_id, user_id)", "make one of your users inactive.")

    @pytest.fixture
    def host(self, app: Flask) -> PsaHost:
        """The ports under test: those the app was mounted with."""
        host: PsaHost = app.extensions["rmm"].services.host
        return host

    @pytest.fixture
    def bench(self, app: Flask, host: PsaHost, tenant_id: str, other_tenant_id: str) -> Iterator[Bench]:
        """Everything a test works with; what it leaves uncommitted is rolled back."""
        with app.app_context():
            database = _database(app)
            session: Session = database.session()
            try:
                yield make_bench(app, host, session, tenant_id, other_tenant_id)
            finally:
                session.rollback()
                database.session.remove()


def make_bench(app: Flask, host: PsaHost, session: Session, tenant_id: str, other_tenant_id: str) -> Bench:
    """The bench, with clients that the host itself names."""
    own = [client.id for client in host.clients.search(session, tenant_id)]
    foreign = [client.id for client in host.clients.search(session, other_tenant_id)]
    if len(own) < 2 or not foreign or set(own) & set(foreign):
        raise ContractBroken(
            f"clients.search: it gave {len(own)} clients for tenant_id, {len(foreign)} for other_tenant_id,"
            f" and {len(set(own) & set(foreign))} in both. The contract needs two of the first tenant, one"
            " of the other, and none in both."
        )
    return Bench(
        app=app,
        host=host,
        session=session,
        tenant_id=tenant_id,
        other_tenant_id=other_tenant_id,
        client_id=own[0],
        other_client_id=own[1],
        foreign_client_id=foreign[0],
    )
