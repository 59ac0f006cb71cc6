"""Several transactions at once, on connections of their own. What they commit stays in the database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy.orm import Session

from rmm_extension.host import TicketRef

from .base import Bench, ContractBase
from .rules import backend, had_to_wait, row_counts, rule

T = TypeVar("T")
THREADS = 4
PATIENCE = 20.0
"""Seconds after which a thread that neither waits nor ends counts as lost."""
_BLOCKED = "SELECT cardinality(pg_blocking_pids(%(pid)s)) > 0"


class Races(ContractBase):
    """Locks and idempotency under simultaneous transactions."""

    def test_simultaneous_creates_with_one_key_make_one_ticket(self, bench: Bench) -> None:
        """The webhook and the poller may bring the same alert in the same moment."""
        one = self._rows_made(bench, lambda: [bench.in_own_transaction()])
        draft, barrier = bench.draft(), threading.Barrier(THREADS)
        made: list[TicketRef] = []

        def create(_: int) -> TicketRef:
            with bench.another_session() as session:
                barrier.wait(PATIENCE)
                ticket = bench.tickets.create(session, bench.tenant_id, draft)
                session.commit()
            return ticket

        def together() -> None:
            with ThreadPoolExecutor(THREADS) as pool:
                made.extend(pool.map(create, range(THREADS)))

        many = self._rows_made(bench, together)
        same = len(set(made)) == 1
        rule(same, "tickets.create", f"{THREADS} threads with one key got {sorted(set(made), key=str)}.")
        rule(
            many == one,
            "tickets.create",
            f"{THREADS} threads with one key wrote {many}, one create writes {one}. Put a unique index on"
            " (tenant, idempotency key) and insert with ON CONFLICT; a SELECT before it is not enough.",
        )

    def _rows_made(self, bench: Bench, act: Callable[[], object]) -> dict[str, int]:
        with bench.another_session() as session:
            before = row_counts(session)
        act()
        with bench.another_session() as session:
            after = row_counts(session)
        return {name: after[name] - before[name] for name in after if after[name] != before[name]}

    def test_a_key_is_remembered_after_the_commit(self, bench: Bench) -> None:
        """A job that was killed after its commit comes again."""
        draft = bench.draft()
        with bench.another_session() as session:
            first = bench.tickets.create(session, bench.tenant_id, draft)
            session.commit()
        second = bench.tickets.create(bench.session, bench.tenant_id, draft)
        rule(first == second, "tickets.create", "the key is remembered as long as the ticket.")

    def test_a_key_that_was_rolled_back_is_free(self, bench: Bench) -> None:
        """The ticket and its key go together."""
        draft = bench.draft()
        bench.tickets.create(bench.session, bench.tenant_id, draft)
        bench.session.rollback()
        made = bench.tickets.create(bench.session, bench.tenant_id, draft)
        rule(bench.state(made.id).is_open, "tickets.create", "a rolled back key makes a new ticket.")

    def test_note_if_open_keeps_the_ticket_from_being_closed(self, bench: Bench) -> None:
        """Whoever closes waits until the occurrence is committed."""
        ticket = bench.in_own_transaction()
        bench.tickets.note_if_open(bench.session, bench.tenant_id, ticket, None, "Again.")
        self._nobody_closes(bench, ticket, "tickets.note_if_open")

    def test_a_locked_state_keeps_the_ticket_from_being_closed(self, bench: Bench) -> None:
        """Until the transaction ends."""
        ticket = bench.in_own_transaction()
        bench.tickets.state(bench.session, bench.tenant_id, ticket, lock=True)
        self._nobody_closes(bench, ticket, "tickets.state(lock=True)")

    def test_a_locked_state_keeps_the_ticket_from_being_touched(self, bench: Bench) -> None:
        """What was untouched when judged is untouched when closed."""
        ticket = bench.in_own_transaction()
        bench.tickets.state(bench.session, bench.tenant_id, ticket, lock=True)
        with bench.another_session() as session:
            waited = had_to_wait(session, lambda: self.comment_as_person(session, bench.tenant_id, ticket))
        rule(
            waited,
            "tickets.state(lock=True)",
            "a person's comment got past the lock. Where people comment, book time or change the status, lock"
            " the ticket's row first (SELECT … FOR UPDATE), so that automatic closing cannot miss it.",
        )

    def _nobody_closes(self, bench: Bench, ticket: str, call: str) -> None:
        with bench.another_session() as session:
            waited = had_to_wait(session, lambda: self.close_as_person(session, bench.tenant_id, ticket))
        rule(waited, call, "lock the ticket's row (SELECT … FOR UPDATE) until the transaction ends.")

    def test_a_note_that_waited_sees_the_closing(self, bench: Bench) -> None:
        """It judges the ticket as it is after the wait, not as it was before."""
        ticket = bench.in_own_transaction()
        self.close_as_person(bench.session, bench.tenant_id, ticket)
        bench.session.flush()

        def note(session: Session) -> TicketRef | None:
            return bench.tickets.note_if_open(session, bench.tenant_id, ticket, None, "Late.")

        found = self._meanwhile(bench, note)
        rule(
            found is None, "tickets.note_if_open", "a ticket closed during the wait for its lock gives None."
        )
        with bench.another_session() as session:
            bodies = [one.body for one in self.read_ticket(session, bench.tenant_id, ticket).notes]
        rule("Late." not in bodies, "tickets.note_if_open", "no note on a ticket closed during the wait.")

    def test_a_state_that_waited_sees_the_touch(self, bench: Bench) -> None:
        """Read after the lock is there, in a statement of its own."""
        ticket = bench.in_own_transaction()
        bench.tickets.state(bench.session, bench.tenant_id, ticket, lock=True)
        self.comment_as_person(bench.session, bench.tenant_id, ticket)
        bench.session.flush()
        state = self._meanwhile(
            bench, lambda session: bench.tickets.state(session, bench.tenant_id, ticket, lock=True)
        )
        rule(
            state is not None and state.touched,
            "tickets.state(lock=True)",
            "a comment committed during the wait was not seen. Lock in one statement, read in the next.",
        )

    def _meanwhile(self, bench: Bench, act: Callable[[Session], T]) -> T:
        """Begin an act on another connection, commit ours once it waits for us; its answer."""
        pids: Future[int] = Future()

        def run() -> T:
            with bench.another_session() as session:
                pids.set_result(backend(session))
                answer = act(session)
                session.commit()
            return answer

        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(run)
            _until_blocked(bench.session, pids.result(PATIENCE), running)
            bench.session.commit()
            return running.result(PATIENCE)


def _until_blocked(session: Session, pid: int, running: Future[T]) -> None:
    """Return when that server process waits for a lock, or when its thread has ended without waiting."""
    end = time.monotonic() + PATIENCE
    while not running.done() and time.monotonic() < end:
        if session.connection().exec_driver_sql(_BLOCKED, {"pid": pid}).scalar():
            return
