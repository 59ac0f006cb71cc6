"""Tickets through the host port."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from reference_psa.db import db
from reference_psa.models import (
    Board,
    Comment,
    Status,
    StatusChange,
    Ticket,
    TicketAsset,
    TicketCounter,
    User,
)
from reference_psa.services import tickets as people
from rmm_extension.domain.errors import HostRejected
from rmm_extension.host import TicketRef
from tests.host.conftest import FullHost
from tests.host.names import (
    ADMIN,
    BOARD,
    CLIENT,
    NAS,
    OPEN_TICKET,
    OTHER,
    OTHER_CLIENT,
    SECOND,
    TECHNICIAN,
    TENANT,
    draft,
    known,
    status,
)


def ticket(session: Session, ticket_id: str) -> Ticket:
    return session.get_one(Ticket, (TENANT, ticket_id), populate_existing=True)


def test_create_files_everything_in_one_statement(
    session: Session, host: FullHost, statement_counter: Callable[..., Any]
) -> None:
    session.connection()
    with statement_counter() as sent:
        made = host.tickets.create(session, TENANT, draft(contact_id=SECOND))
    assert sent.count == 1, sent
    row = ticket(session, made.id)
    assert (row.label, row.board_id, row.status_id) == (made.number, BOARD, status("New"))
    assert (row.contact_id, row.is_open, row.created_by) == (SECOND, True, None)
    note = session.scalars(select(Comment).where(Comment.ticket_id == made.id)).one()
    assert (note.is_internal, note.is_system_generated, note.user_id) == (True, True, None)
    assert session.get(TicketAsset, (TENANT, made.id, NAS)) is not None


def test_the_same_key_returns_the_first_ticket(session: Session, host: FullHost) -> None:
    first = host.tickets.create(session, TENANT, draft())
    assert host.tickets.create(session, TENANT, draft(title="Another")) == first
    assert host.tickets.create(session, TENANT, draft(idempotency_key="b")).number != first.number


def test_eight_threads_with_one_key_make_one_ticket_and_no_gap(app: Flask, host: FullHost) -> None:
    def make(key: str) -> TicketRef:
        with app.app_context():
            made = host.tickets.create(db.session(), TENANT, draft(idempotency_key=key))
            db.session.commit()
            return made

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(make, [f"key-{number % 5}" for number in range(40)]))
    assert sorted(Counter(made).values()) == [8] * 5
    with app.app_context():
        numbers = db.session.scalars(select(Ticket.number).where(Ticket.tenant_id == TENANT)).all()
        last = db.session.get_one(TicketCounter, TENANT).last_number
    assert sorted(numbers) == list(range(min(numbers), last + 1))


def test_what_is_not_of_the_tenant_is_left_out(session: Session, host: FullHost) -> None:
    stranger = known("assets", "nothing")
    made = host.tickets.create(
        session, TENANT, draft(asset_id=stranger, assignee_id="gone", priority_id="gone", contact_id="gone")
    )
    row = ticket(session, made.id)
    assert (row.assignee_id, row.priority_id, row.contact_id) == (None, None, None)


def test_no_board_is_refused_in_words(session: Session, host: FullHost) -> None:
    session.execute(update(Board).where(Board.tenant_id == TENANT).values(is_default=False))
    with pytest.raises(HostRejected, match="No board available"):
        host.tickets.create(session, TENANT, draft())


def test_no_default_status_is_refused_in_words(session: Session, host: FullHost) -> None:
    session.execute(update(Status).where(Status.tenant_id == TENANT).values(is_default=False))
    with pytest.raises(HostRejected, match="No default ticket status"):
        host.tickets.create(session, TENANT, draft())


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"board_id": "gone"}, "No board available"),
        ({"status_id": "gone"}, "chosen ticket status"),
        ({"status_id": status("Closed")}, "chosen ticket status"),
        ({"status_id": status("New", "Projects")}, "chosen ticket status"),
        ({"client_id": OTHER_CLIENT}, "No client"),
    ],
)
def test_a_wrong_choice_is_refused_and_takes_no_number(
    session: Session, host: FullHost, wrong: dict[str, str], words: str
) -> None:
    before = session.get_one(TicketCounter, TENANT).last_number
    with pytest.raises(HostRejected, match=words):
        host.tickets.create(session, TENANT, draft(**wrong))
    assert session.get_one(TicketCounter, TENANT, populate_existing=True).last_number == before


def test_a_note_goes_only_to_the_open_ticket_of_the_client(
    session: Session, host: FullHost, statement_counter: Callable[..., Any]
) -> None:
    made = host.tickets.create(session, TENANT, draft(note=None))
    with statement_counter() as sent:
        assert host.tickets.note_if_open(session, TENANT, made.id, CLIENT, "Again.") == made
    assert sent.count == 1, sent
    assert host.tickets.note_if_open(session, TENANT, made.id, None, "Again.") == made
    assert host.tickets.note_if_open(session, TENANT, made.id, OTHER_CLIENT, "Again.") is None
    assert host.tickets.note_if_open(session, OTHER, made.id, None, "Again.") is None
    host.tickets.close(session, TENANT, made.id, None)
    assert host.tickets.note_if_open(session, TENANT, made.id, CLIENT, "Again.") is None
    host.tickets.add_note(session, TENANT, made.id, "Closed or not.")
    notes = session.scalars(select(Comment.body).where(Comment.ticket_id == made.id).order_by(Comment.at))
    assert notes.all() == ["Again.", "Again.", "Closed or not."]


def test_a_note_that_waits_for_a_closing_transaction_sees_it(app: Flask, host: FullHost) -> None:
    def note() -> TicketRef | None:
        with app.app_context():
            return host.tickets.note_if_open(db.session(), TENANT, OPEN_TICKET, None, "Again.")

    with app.app_context(), ThreadPoolExecutor(1) as pool:
        host.tickets.close(db.session(), TENANT, OPEN_TICKET, None)
        waiting = pool.submit(note)
        _until_somebody_waits(app)
        db.session.commit()
        assert waiting.result() is None


def _until_somebody_waits(app: Flask) -> None:
    with app.app_context(), db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watcher:
        asked = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while not watcher.exec_driver_sql(asked).scalar():
            pass


TOUCHES: dict[str, Callable[[Session, User, str], object]] = {
    "commented": lambda session, user, id_: people.add_comment(session, user, id_, "Hm.", is_internal=True),
    "booked time": lambda session, user, id_: people.book_time(session, user, id_, 5, ""),
    "changed the status": lambda session, user, id_: people.set_status(
        session, user, id_, session.get_one(Status, (TENANT, status("Waiting")))
    ),
}


@pytest.mark.parametrize("verb", TOUCHES)
def test_a_persons_work_is_a_touch(session: Session, host: FullHost, verb: str) -> None:
    made = host.tickets.create(session, TENANT, draft())
    TOUCHES[verb](session, session.get_one(User, (TENANT, TECHNICIAN)), made.id)
    session.flush()
    state = host.tickets.state(session, TENANT, made.id, lock=True)
    assert state is not None
    assert state.touched
    assert state.touched_by
    assert state.touched_by.startswith(f"Priya Raman {verb} at ")


def test_assignee_priority_board_and_the_system_are_no_touch(session: Session, host: FullHost) -> None:
    made = host.tickets.create(session, TENANT, draft())
    row = ticket(session, made.id)
    row.assignee_id = TECHNICIAN
    people.move_to_board(session, row, known("boards", "Projects"))
    session.flush()
    host.tickets.set_priority(session, TENANT, made.id, known("priorities", "Urgent"))
    host.tickets.add_note(session, TENANT, made.id, "From the system.")
    state = host.tickets.state(session, TENANT, made.id)
    assert state is not None
    assert (state.touched, state.touched_by, state.is_open) == (False, None, True)
    assert ticket(session, made.id).status_id == status("New", "Projects")
    assert ticket(session, made.id).priority_id == known("priorities", "Urgent")


def test_closing_uses_the_chosen_status_else_the_boards_first(session: Session, host: FullHost) -> None:
    for chosen, expected in (
        (status("Resolved"), "Resolved"),
        (None, "Closed"),
        (status("Waiting"), "Closed"),
    ):
        made = host.tickets.create(session, TENANT, draft(idempotency_key=str(chosen)))
        result = host.tickets.close(session, TENANT, made.id, chosen)
        assert (result.closed, result.status_name) == (True, expected)
        row = ticket(session, made.id)
        assert row.closed_at is not None
        assert row.closed_by is None
        history = session.scalars(select(StatusChange).where(StatusChange.ticket_id == made.id)).one()
        assert (history.from_status, history.to_status, history.user_id) == ("New", expected, None)


def test_closing_again_changes_nothing(session: Session, host: FullHost) -> None:
    made = host.tickets.create(session, TENANT, draft())
    host.tickets.close(session, TENANT, made.id, status("Resolved"))
    closed_at = ticket(session, made.id).closed_at
    assert host.tickets.close(session, TENANT, made.id, status("Closed")).status_name == "Resolved"
    assert ticket(session, made.id).closed_at == closed_at


def test_closing_says_why_it_cannot(session: Session, host: FullHost) -> None:
    assert not host.tickets.close(session, TENANT, "gone", None).closed
    session.execute(update(Status).where(Status.tenant_id == TENANT).values(is_closed=False))
    result = host.tickets.close(session, TENANT, OPEN_TICKET, None)
    assert not result.closed
    assert result.reason == "No closed ticket status is set up."


def test_the_systems_closing_does_not_come_back_as_a_persons(app: Flask, host: FullHost) -> None:
    with app.app_context():
        host.tickets.close(db.session(), TENANT, OPEN_TICKET, None)
        assert db.session.execute(db.text("SELECT count(*) FROM rmm_outbox")).scalar() == 0
        db.session.rollback()
        people.close(db.session(), db.session.get_one(User, (TENANT, ADMIN)), OPEN_TICKET, None)
        assert db.session.execute(db.text("SELECT count(*) FROM rmm_outbox")).scalar() == 1


def test_text_is_completed_only_where_nobody_changed_it(session: Session, host: FullHost) -> None:
    made = host.tickets.create(session, TENANT, draft(title="[Alert] on PC", description="No text yet."))
    people.locked(session, TENANT, made.id).title = "My own title"
    session.flush()
    texts = {
        "old_title": "[Alert] on PC",
        "title": "[Alert] on PC: disk",
        "old_description": "No text yet.",
        "description": "Disk full.",
    }
    assert host.tickets.complete_text(session, TENANT, made.id, **texts)
    row = ticket(session, made.id)
    assert (row.title, row.description) == ("My own title", "Disk full.")
    assert not host.tickets.complete_text(session, TENANT, made.id, **texts)


def test_states_of_many_take_one_statement(
    session: Session, host: FullHost, statement_counter: Callable[..., Any]
) -> None:
    ids = [host.tickets.create(session, TENANT, draft(idempotency_key=str(n))).id for n in range(5)]
    with statement_counter() as sent:
        states = host.tickets.get_many(session, TENANT, [*ids, "gone"])
    assert sent.count == 1
    assert set(states) == set(ids)
    assert host.tickets.get_many(session, OTHER, ids) == {}
