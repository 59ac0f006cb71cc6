"""The reference PSA keeps the host contract, and the contract catches hosts that do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from reference_psa import create_app
from reference_psa.adapters import build_host
from reference_psa.adapters.assets import SqlAssets
from reference_psa.adapters.catalog import SqlCategories
from reference_psa.adapters.people import SqlClients, SqlContacts
from reference_psa.adapters.tickets import SqlTickets
from reference_psa.db import db
from reference_psa.models import (
    Asset,
    AssetHistory,
    Board,
    Client,
    Comment,
    Contact,
    Email,
    Notification,
    Priority,
    ServerAsset,
    Status,
    Ticket,
    TicketAsset,
    User,
    WorkstationAsset,
)
from reference_psa.seed import tenant_id
from reference_psa.seed_data import HARBOR, NORTHBEAM
from reference_psa.services import tickets as desk
from rmm_extension.host import (
    AssetApplied,
    AssetChange,
    Category,
    PsaHost,
    TicketDraft,
    TicketRef,
    TicketState,
)
from rmm_extension.host import Client as HostClient
from rmm_extension.testing import AssetFacts, ContractBroken, HostContract, Note, NoticeFacts, TicketFacts
from rmm_extension.testing.contract import Bench
from rmm_extension.testing.contract.base import make_bench
from rmm_extension.testing.contract.calls import CALLS, LONG_AGO
from rmm_extension.testing.contract.growth import LISTINGS, PLAIN_LISTS
from tests.harness.databases import Databases
from tests.harness.schema import app_config

TENANT, OTHER = tenant_id(NORTHBEAM), tenant_id(HARBOR)


@pytest.fixture(scope="module")
def psa(populated_databases: Databases) -> Iterator[Flask]:
    """The PSA with its demonstration data, once for all tests of the module."""
    with populated_databases.fresh() as url:
        app = create_app(app_config(url))
        with app.app_context(), db.engine.connect():
            pass  # an engine's first connection sends statements of its own, not the test's to count
        yield app
        with app.app_context():
            db.engine.dispose()


def _mails(row: Notification) -> Any:
    same_user = (Email.tenant_id == row.tenant_id) & (Email.user_id == row.user_id)
    return select(Email.body).where(same_user, Email.idempotency_key == row.idempotency_key)


class PsaContract(HostContract):
    """What this PSA fills in."""

    def technician(self, session: Session, tenant: str) -> User:
        """Somebody who works on tickets."""
        found = select(User).where(User.tenant_id == tenant, User.role == "technician")
        return session.scalars(found.limit(1)).one()

    def read_ticket(self, session: Session, tenant_id: str, ticket_id: str) -> TicketFacts:
        session.expire_all()
        row = session.get_one(Ticket, (tenant_id, ticket_id))
        comments = session.scalars(select(Comment).where(Comment.ticket_id == ticket_id).order_by(Comment.at))
        linked = session.scalars(select(TicketAsset.asset_id).where(TicketAsset.ticket_id == ticket_id))
        return TicketFacts(
            title=row.title,
            description=row.description,
            board_id=row.board_id,
            priority_id=row.priority_id,
            category_id=row.category_id,
            subcategory_id=row.subcategory_id,
            contact_id=row.contact_id,
            assignee_id=row.assignee_id,
            asset_ids=tuple(linked),
            notes=tuple(Note(c.body, c.is_internal, c.is_system_generated) for c in comments),
            closed_at=row.closed_at,
            closed_by=row.closed_by,
        )

    def read_asset(self, session: Session, tenant_id: str, asset_id: str) -> AssetFacts:
        session.expire_all()
        row = session.get_one(Asset, (tenant_id, asset_id))
        kinds = (WorkstationAsset, ServerAsset)
        vitals = next((v for kind in kinds if (v := session.get(kind, (tenant_id, asset_id)))), None)
        entries = session.scalars(select(AssetHistory.id).where(AssetHistory.asset_id == asset_id)).all()
        return AssetFacts(
            name=row.name,
            client_id=row.client_id,
            serial=row.serial_number,
            agent_status=row.agent_status,
            rmm_device_id=row.rmm_device_id,
            is_active=row.status == "active",
            vitals={name: getattr(vitals, name, None) for name in ("current_user", "lan_ip")},
            history=len(entries),
        )

    def comment_as_person(self, session: Session, tenant_id: str, ticket_id: str) -> None:
        person = self.technician(session, tenant_id)
        desk.add_comment(session, person, ticket_id, "I am looking at it.", is_internal=True)

    def change_status_as_person(self, session: Session, tenant_id: str, ticket_id: str) -> None:
        row = session.get_one(Ticket, (tenant_id, ticket_id))
        others = select(Status).where(
            Status.board_id == row.board_id, Status.id != row.status_id, ~Status.is_closed
        )
        person = self.technician(session, tenant_id)
        desk.set_status(session, person, ticket_id, session.scalars(others.limit(1)).one())

    def edit_as_person(self, session: Session, tenant_id: str, ticket_id: str) -> None:
        row = desk.locked(session, tenant_id, ticket_id)
        row.assignee_id = self.technician(session, tenant_id).id
        row.priority_id = session.scalars(select(Priority.id).where(Priority.tenant_id == tenant_id)).first()
        boards = select(Board.id).where(Board.tenant_id == tenant_id, Board.id != row.board_id)
        desk.move_to_board(session, row, session.scalars(boards.limit(1)).one())

    def close_as_person(self, session: Session, tenant_id: str, ticket_id: str) -> None:
        desk.close(session, self.technician(session, tenant_id), ticket_id, None)

    def without_boards(self, session: Session, tenant_id: str) -> None:
        session.execute(update(Board).where(Board.tenant_id == tenant_id).values(is_active=False))

    def without_closed_statuses(self, session: Session, tenant_id: str) -> None:
        session.execute(update(Status).where(Status.tenant_id == tenant_id).values(is_closed=False))

    def read_notices(self, session: Session, tenant_id: str, user_id: str) -> list[NoticeFacts]:
        told = select(Notification).where(
            Notification.tenant_id == tenant_id, Notification.user_id == user_id
        )
        return [
            NoticeFacts(row.title, row.link, tuple(session.scalars(_mails(row))))
            for row in session.scalars(told.order_by(Notification.created_at))
        ]

    def decline_mail(self, session: Session, tenant_id: str, user_id: str) -> None:
        session.get_one(User, (tenant_id, user_id)).muted_subtypes = ["RMM Alert Triggered"]
        session.flush()

    def disable_user(self, session: Session, tenant_id: str, user_id: str) -> None:
        session.get_one(User, (tenant_id, user_id)).is_enabled = False
        session.flush()

    def make_contact(
        self, session: Session, tenant_id: str, client_id: str, *, is_active: bool, is_primary: bool
    ) -> str:
        made = Contact(tenant_id=tenant_id, client_id=client_id, name="Zoe Quill", is_active=is_active)
        session.add(made)
        session.flush()
        if is_primary:
            session.get_one(Client, (tenant_id, client_id)).primary_contact_id = made.id
        return made.id


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


CONTRACT = PsaContract()
MakeBench = Callable[..., Bench]


@pytest.fixture
def broken(psa: Flask) -> Iterator[MakeBench]:
    """`broken(assets=…)`: the bench of a host with some ports replaced."""
    with psa.app_context():

        def make(**ports: Any) -> Bench:
            host: PsaHost = replace(build_host(), **ports)
            return make_bench(psa, host, db.session(), TENANT, OTHER)

        yield make
        db.session.rollback()
        db.session.remove()


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
