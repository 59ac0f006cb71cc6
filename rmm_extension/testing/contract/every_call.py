"""What holds for every call: the caller's transaction, plain values, one tenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

import pytest

from rmm_extension.testing.statements import StatementCounter

from .base import Bench, ContractBase
from .calls import CALLS, Call
from .rules import attempt, changed_tables, connections_taken, fingerprint, is_nothing, oddity, rule

each_call = pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
each_by_id = pytest.mark.parametrize(
    "call", [call for call in CALLS if call.by_id], ids=lambda call: call.name
)
each_write = pytest.mark.parametrize(
    "call", [call for call in CALLS if call.writes], ids=lambda call: call.name
)


class EveryCall(ContractBase):
    """The rules at the head of :mod:`rmm_extension.host.port`."""

    def test_the_database_is_postgresql_through_psycopg(self, bench: Bench) -> None:
        """The contract counts what psycopg sends."""
        with StatementCounter(this_thread=True) as sent:
            bench.session.connection().exec_driver_sql("SELECT 1")
        rule(
            sent.count == 1,
            "app",
            "the database must be PostgreSQL through psycopg 3 (postgresql+psycopg://).",
        )

    @each_call
    def test_works_in_the_session_it_is_given(self, bench: Bench, call: Call) -> None:
        """No commit, no rollback, no other connection, whatever session the app context has meanwhile."""
        run = call.prepare(bench)
        bench.session.connection()
        with (
            bench.app.app_context(),
            StatementCounter(this_thread=True) as sent,
            connections_taken() as taken,
        ):
            run(bench.tenant_id)
            bench.session.flush()
        rule(
            not sent.commits,
            call.name,
            "it commits. Leave that to the caller: one transaction holds everything.",
        )
        rule(not sent.rollbacks, call.name, "it rolls back. Raise HostRejected; the caller rolls back.")
        rule(
            not taken,
            call.name,
            "it opens a connection of its own. Work in the session argument, not db.session.",
        )

    @each_write
    def test_what_it_writes_goes_when_the_caller_rolls_back(self, bench: Bench, call: Call) -> None:
        """Nothing is left behind by another way than the caller's transaction."""
        before = fingerprint(bench.session)
        bench.session.rollback()
        call.prepare(bench)(bench.tenant_id)
        bench.session.rollback()
        left = changed_tables(before, fingerprint(bench.session))
        rule(
            not left, call.name, f"after a rollback rows are left in {left}. Write only through the session."
        )

    @each_call
    def test_gives_plain_frozen_values(self, bench: Bench, call: Call) -> None:
        """The port's dataclasses with string ids; no ORM object, no UUID."""
        answer = call.prepare(bench)(bench.tenant_id)
        odd = oddity(answer)
        rule(odd is None, call.name, f"{odd}. Give the dataclasses of rmm_extension.host with string ids.")
        strange = [item for item in _items(answer) if not isinstance(item, call.gives)]
        names = ", ".join(sorted({type(item).__name__ for item in strange}))
        rule(not strange, call.name, f"it gave {names} where {call.gives.__name__} was expected.")

    @each_by_id
    def test_finds_and_changes_nothing_for_another_tenant(self, bench: Bench, call: Call) -> None:
        """Rows of one tenant named in the name of another: nothing, or a refusal in words."""
        run = call.prepare(bench)
        bench.session.flush()
        before = fingerprint(bench.session)
        outcome = attempt(lambda: run(bench.other_tenant_id))
        if outcome.refusal is not None:
            return
        rule(
            is_nothing(outcome.answer),
            call.name,
            f"asked for another tenant it answered {outcome.answer!r}. Filter by tenant_id.",
        )
        changed = changed_tables(before, fingerprint(bench.session))
        rule(not changed, call.name, f"asked for another tenant it changed {changed}. Filter by tenant_id.")


def _items(answer: object) -> list[object]:
    """The values an answer holds, whatever holds them."""
    if isinstance(answer, str) or answer is None:
        return [] if answer is None else [answer]
    if isinstance(answer, Mapping):
        return [item for value in answer.values() for item in _items(value)]
    if isinstance(answer, (Sequence, AbstractSet)):
        return list(answer)
    return [answer]
