"""The reference PSA keeps the host contract, and the contract catches hosts that do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from reference_psa.adapters.assets import SqlAssets
from reference_psa.adapters.catalog import SqlCategories
from reference_psa.adapters.people import SqlClients, SqlContacts
from reference_psa.adapters.tickets import SqlTickets
from reference_psa.db import db
from reference_psa.models import Client, Ticket
from rmm_extension.host import (
    AssetApplied,
    AssetChange,
    Category,
    TicketDraft,
    TicketRef,
    TicketState,
)
from rmm_extension.host import Client as HostClient
from rmm_extension.testing import ContractBroken, HostContract
from rmm_extension.testing.contract import Bench
from rmm_extension.testing.contract.calls import CALLS, LONG_AGO
from rmm_extension.testing.contract.growth import LISTINGS, PLAIN_LISTS
from tests.host.names import OTHER, TENANT
from tests.host.psa_contract import CONTRACT, MakeBench, PsaContract


class TestReferencePsa(PsaContract):
    """The reference PSA passes."""

    @pytest.fixture
    def app(self, psa: Flask) -> Flask:
        return psa

    @pytest.fixture
    def tenant_id(self) -> str:
        return TENANT

    @pytest.fixture
    def other_tenant_id(self) -> str:
        return OTHER


def named(calls: Sequence[Any], name: str) -> Any:
    """The call or listing of that name."""
    return next(call for call in calls if call.name == name)


class OneByOne(SqlAssets):
    """A statement, or more, for every asset."""

    def apply(
        self, session: Session, tenant_id: str, changes: Sequence[AssetChange]
    ) -> Sequence[AssetApplied]:
        return [super(OneByOne, self).apply(session, tenant_id, [change])[0] for change in changes]

    def get_many(self, session: Session, tenant_id: str, ids: Any) -> Any:
        return {
            k: v for one in ids for k, v in super(OneByOne, self).get_many(session, tenant_id, [one]).items()
        }


@pytest.mark.parametrize("name", ["assets.apply (new)", "assets.apply (unchanged)", "assets.get_many"])
def test_statements_per_row_are_caught(broken: MakeBench, name: str) -> None:
    bench = broken(assets=OneByOne())
    with pytest.raises(ContractBroken, match=r"100 rows take \d+ statements and 1000 rows take \d+.*Handle"):
        CONTRACT.test_statements_do_not_grow_with_the_rows(bench, named(LISTINGS, name))


class Committing(SqlTickets):
    """Commits what it wrote."""

    def add_note(self, session: Session, tenant_id: str, ticket_id: str, note: str) -> None:
        super().add_note(session, tenant_id, ticket_id, note)
        session.commit()


def test_a_commit_is_caught(broken: MakeBench) -> None:
    bench, call = broken(tickets=Committing()), named(CALLS, "tickets.add_note")
    with pytest.raises(ContractBroken, match=r"tickets.add_note: it commits"):
        CONTRACT.test_works_in_the_session_it_is_given(bench, call)
    with pytest.raises(ContractBroken, match=r"after a rollback rows are left in public\.comments"):
        CONTRACT.test_what_it_writes_goes_when_the_caller_rolls_back(bench, call)


class ElsewhereClients(SqlClients):
    """Reads in whatever session the app context has."""

    def get_many(self, session: Session, tenant_id: str, ids: Any) -> Any:
        return super().get_many(db.session(), tenant_id, ids)


def test_another_session_is_caught(broken: MakeBench) -> None:
    bench = broken(clients=ElsewhereClients())
    with pytest.raises(ContractBroken, match="opens a connection of its own"):
        CONTRACT.test_works_in_the_session_it_is_given(bench, named(CALLS, "clients.get_many"))


class LeakyClients(SqlClients):
    """Forgets the tenant."""

    def get_many(self, session: Session, tenant_id: str, ids: Any) -> Any:
        rows = session.scalars(select(Client).where(Client.id.in_(ids)))
        return {row.id: HostClient(row.id, row.name) for row in rows}


class LeakyTickets(SqlTickets):
    """Notes tickets of any tenant."""

    def add_note(self, session: Session, tenant_id: str, ticket_id: str, note: str) -> None:
        owner = session.scalars(select(Ticket.tenant_id).where(Ticket.id == ticket_id)).one()
        super().add_note(session, owner, ticket_id, note)


def test_a_leak_between_tenants_is_caught(broken: MakeBench) -> None:
    check = CONTRACT.test_finds_and_changes_nothing_for_another_tenant
    with pytest.raises(ContractBroken, match=r"clients\.get_many: asked for another tenant it answered"):
        check(broken(clients=LeakyClients()), named(CALLS, "clients.get_many"))
    with pytest.raises(ContractBroken, match=r"it changed public\.comments"):
        check(broken(tickets=LeakyTickets()), named(CALLS, "tickets.add_note"))


class OrmClients(SqlClients):
    """Hands out rows."""

    def get_many(self, session: Session, tenant_id: str, ids: Any) -> Any:
        return {one: session.get(Client, (tenant_id, one)) for one in ids}


def test_orm_objects_are_caught(broken: MakeBench) -> None:
    with pytest.raises(ContractBroken, match=r"holds a reference_psa\.models\.people\.Client"):
        CONTRACT.test_gives_plain_frozen_values(
            broken(clients=OrmClients()), named(CALLS, "clients.get_many")
        )


class PerBoard:
    """A list that reads its rows one after the other."""

    def search(self, session: Session, tenant_id: str, text: str = "", limit: int = 1000) -> Any:
        ids = session.scalars(select(Client.id).where(Client.tenant_id == tenant_id)).all()
        rows = [session.get_one(Client, (tenant_id, one)) for one in ids]
        return [HostClient(row.id, row.name) for row in rows]

    def get_many(self, session: Session, tenant_id: str, ids: Any) -> Any:
        return {}


def test_a_list_read_row_by_row_is_caught(broken: MakeBench) -> None:
    with pytest.raises(ContractBroken, match=r"it takes \d+ statements. Read the list in one"):
        CONTRACT.test_a_plain_list_takes_few_statements(
            broken(clients=PerBoard()), named(PLAIN_LISTS, "clients.search")
        )


class Careless(SqlTickets):
    """Knows keys of its own session only, looks without locking, and sees no touch."""

    def create(self, session: Session, tenant_id: str, draft: TicketDraft) -> TicketRef:
        own = replace(draft, idempotency_key=f"{draft.idempotency_key} {id(session)}")
        return super().create(session, tenant_id, own)

    def note_if_open(
        self, session: Session, tenant_id: str, ticket_id: str, client_id: str | None, note: str
    ) -> TicketRef | None:
        state = self.state(session, tenant_id, ticket_id)
        if state is None or not state.is_open:
            return None
        return TicketRef(state.id, state.number)

    def reopen_if_closed_since(
        self,
        session: Session,
        tenant_id: str,
        ticket_id: str,
        client_id: str | None,
        since: datetime,
        note: str,
    ) -> TicketRef | None:
        return super().reopen_if_closed_since(session, tenant_id, ticket_id, None, LONG_AGO, note)

    def state(
        self, session: Session, tenant_id: str, ticket_id: str, *, lock: bool = False
    ) -> TicketState | None:
        found = super().state(session, tenant_id, ticket_id)
        return replace(found, touched=False, touched_by=None) if found else None


@pytest.mark.parametrize(
    "check, sentence",
    [
        (CONTRACT.test_simultaneous_creates_with_one_key_make_one_ticket, "threads with one key"),
        (CONTRACT.test_note_if_open_keeps_the_ticket_from_being_closed, "lock the ticket's row"),
        (CONTRACT.test_a_locked_state_keeps_the_ticket_from_being_touched, "got past the lock"),
        (CONTRACT.test_a_state_that_waited_sees_the_touch, "was not seen"),
        (CONTRACT.test_a_comment_is_a_touch, "makes the ticket touched"),
        (CONTRACT.test_a_note_reaches_the_open_ticket_of_the_client, "add an internal system note"),
        (CONTRACT.test_a_note_reaches_no_other_ticket, "another client's ticket"),
        (CONTRACT.test_no_other_ticket_is_reopened, "a ticket closed before then"),
        (CONTRACT.test_what_a_person_closed_goes_on_too, "stays in the history"),
    ],
)
def test_careless_tickets_are_caught(
    broken: MakeBench, check: Callable[[Bench], None], sentence: str
) -> None:
    with pytest.raises(ContractBroken, match=sentence):
        check(broken(tickets=Careless()))


class Uncategorized(SqlTickets):
    """Files tickets under no category."""

    def create(self, session: Session, tenant_id: str, draft: TicketDraft) -> TicketRef:
        return super().create(session, tenant_id, replace(draft, category_id=None, subcategory_id=None))


class UpsideDown(SqlCategories):
    """Subcategories first."""

    def active(self, session: Session, tenant_id: str) -> Sequence[Category]:
        return super().active(session, tenant_id)[::-1]


def test_wrong_categories_are_caught(broken: MakeBench) -> None:
    with pytest.raises(ContractBroken, match="take the draft's categories"):
        CONTRACT.test_a_ticket_has_the_categories_of_its_draft(broken(tickets=Uncategorized()))
    with pytest.raises(ContractBroken, match="give a category before those below it"):
        CONTRACT.test_a_subcategory_follows_its_category(broken(categories=UpsideDown()))


class AnyContact(SqlContacts):
    """Takes the preferred contact without a look."""

    def for_ticket(
        self, session: Session, tenant_id: str, client_id: str, preferred_id: str | None
    ) -> str | None:
        return preferred_id


def test_a_wrong_contact_is_caught(broken: MakeBench) -> None:
    with pytest.raises(ContractBroken, match="take the primary contact"):
        CONTRACT.test_the_contact_of_a_ticket(broken(contacts=AnyContact()))


def test_a_missing_port_is_skipped_with_its_reason(broken: MakeBench) -> None:
    with pytest.raises(pytest.skip.Exception, match="no `tickets` port"):
        CONTRACT.test_a_comment_is_a_touch(broken(tickets=None))


def test_what_is_not_filled_in_is_said(broken: MakeBench) -> None:
    with pytest.raises(NotImplementedError, match="Define comment_as_person"):
        HostContract().test_a_comment_is_a_touch(broken())
