# ruff: noqa: F811 - fixtures are imported by name

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, update

from rmm_extension.domain.errors import Conflict
from rmm_extension.host import Actor
from rmm_extension.models import Audit, JobRun
from rmm_extension.services import runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.unit import unit
from tests.harness.wait import until
from tests.jobs.fixtures import app, people, redis, rmm  # noqa: F401
from tests.jobs.tiny import MARA, OTHER, TENANT
from tests.jobs.work import notes, pages_done


def begin(rmm: Rmm, kind: str = "test_do", actor: Actor = MARA, **options: Any) -> UUID:
    with unit(rmm) as session:
        return runs.start(rmm, session, actor, kind, **options)


def taken(rmm: Rmm, **options: Any) -> runs.Run:
    run = runs.take(rmm, TENANT, begin(rmm, **options), 0)
    assert run is not None
    return run


def row(rmm: Rmm, run_id: UUID) -> JobRun:
    with unit(rmm) as session:
        found = runs.get(session, TENANT, run_id)
        session.expunge(found)
    return found


def silence(rmm: Rmm, run_id: UUID, seconds: float = 46) -> None:
    """Make a run's worker silent for so long."""
    with unit(rmm) as session:
        past = func.now() - timedelta(seconds=seconds)
        session.execute(update(JobRun).where(JobRun.id == run_id).values(heartbeat_at=past))


def in_threads(app: Flask, count: int, what: Any) -> list[Any]:
    """What ``count`` calls made at once return, or the errors they raise."""
    gate, answers = threading.Barrier(count), list[Any]()

    def call() -> None:
        with app.app_context():
            gate.wait()
            try:
                answers.append(what())
            except Exception as error:  # noqa: BLE001 - handed to the test
                answers.append(error)

    threads = [threading.Thread(target=call) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_a_started_run_waits_in_its_kinds_queue(rmm: Rmm) -> None:
    connection = uuid4()
    run_id = begin(rmm, subject={"action": "x"}, integration_id=connection)
    found = row(rmm, run_id)
    assert (found.status, found.queue, found.attempt, found.actor_name) == ("queued", "rmm-alerts", 0, "Mara")
    assert (found.subject, found.integration_id) == ({"action": "x"}, connection)


def test_a_run_is_gone_when_the_transaction_that_started_it_fails(rmm: Rmm) -> None:
    with unit(rmm) as session:
        runs.start(rmm, session, MARA, "test_do")
        session.rollback()
    with unit(rmm) as session:
        assert not runs.list_runs(session, TENANT)


def test_an_unknown_kind_is_refused(rmm: Rmm) -> None:
    with pytest.raises(LookupError, match="no kind of work named nonsense"):
        begin(rmm, "nonsense")


def test_only_one_of_eight_gets_an_exclusive_run(app: Flask, rmm: Rmm) -> None:
    connection = uuid4()
    answers = in_threads(app, 8, lambda: begin(rmm, "test_pages", integration_id=connection))
    assert sum(isinstance(answer, UUID) for answer in answers) == 1
    conflicts = [answer for answer in answers if isinstance(answer, Conflict)]
    assert len(conflicts) == 7
    assert "Test sync is waiting for a worker since" in str(conflicts[0])
    assert "started by Mara" in str(conflicts[0])


def test_the_conflict_says_when_the_other_is_under_way(rmm: Rmm) -> None:
    connection = uuid4()
    taken(rmm, kind="test_pages", integration_id=connection)
    with pytest.raises(Conflict, match="is under way since"):
        begin(rmm, "test_pages", integration_id=connection)


def test_exclusive_means_per_connection_and_tenant_and_while_unfinished(rmm: Rmm) -> None:
    connection = uuid4()
    first = taken(rmm, kind="test_pages", integration_id=connection)
    begin(rmm, "test_pages", integration_id=uuid4())
    begin(rmm, "test_pages", integration_id=connection, actor=Actor("u", "Ole", OTHER))
    with unit(rmm) as session:
        runs.finish(session, first)
    begin(rmm, "test_pages", integration_id=connection)


def test_only_one_of_eight_takes_a_run(app: Flask, rmm: Rmm) -> None:
    run_id = begin(rmm)
    answers = in_threads(app, 8, lambda: runs.take(rmm, TENANT, run_id, 0))
    takers = [answer for answer in answers if isinstance(answer, runs.Run)]
    assert len(takers) == 1
    assert takers[0].attempt == 1
    assert answers.count(None) == 7


def test_a_run_of_another_tenant_is_not_to_be_had(rmm: Rmm) -> None:
    run_id = begin(rmm)
    assert runs.take(rmm, OTHER, run_id, 0) is None
    with unit(rmm) as session, pytest.raises(runs.UnknownRun):
        runs.get(session, OTHER, run_id)


def test_a_run_with_a_beating_worker_is_not_taken_over(rmm: Rmm) -> None:
    run = taken(rmm)
    silence(rmm, run.id, seconds=44)
    assert runs.take(rmm, TENANT, run.id, 1) is None
    silence(rmm, run.id)
    again = runs.take(rmm, TENANT, run.id, 1)
    assert again is not None
    assert again.attempt == 2


def test_a_later_attempt_goes_on_from_the_last_report(rmm: Rmm) -> None:
    run = taken(rmm)
    with unit(rmm) as session:
        run.report(session, done=3, total=9, doing="Acme", counts={"new": 2}, cursor={"page": 3})
        run.report(session, done=5, counts={"changed": 1}, errors=["PC-7: no name"])
    silence(rmm, run.id)
    again = runs.take(rmm, TENANT, run.id, 1)
    assert again is not None
    assert (again.done, again.total, again.cursor) == (5, 9, {"page": 3})
    assert again.counts == {"new": 2, "changed": 1}
    found = row(rmm, run.id)
    assert (found.errors, found.doing) == (["PC-7: no name"], "Acme")


def test_errors_are_kept_up_to_a_bound(rmm: Rmm) -> None:
    run = taken(rmm)
    with unit(rmm) as session:
        for _ in range(4):
            run.report(session, errors=["x"] * 150)
    assert 200 <= len(row(rmm, run.id).errors) < 400


def test_who_lost_the_lease_writes_nothing(rmm: Rmm) -> None:
    run = taken(rmm)
    silence(rmm, run.id)
    assert runs.take(rmm, TENANT, run.id, 1)

    def write_a_page() -> None:
        with unit(rmm) as session:
            session.execute(insert(pages_done).values(run=str(run.id), page=1, attempt=1, pid=0))
            run.report(session, done=1)

    with pytest.raises(runs.LeaseLost):
        write_a_page()
    with pytest.raises(runs.LeaseLost), unit(rmm) as session:
        runs.finish(session, run)
    with pytest.raises(runs.LeaseLost), unit(rmm) as session:
        runs.stop(rmm, session, run)
    with unit(rmm) as session:
        assert session.scalar(select(func.count()).select_from(pages_done)) == 0
    assert row(rmm, run.id).status == "running"


def test_a_report_is_one_statement_and_beats(rmm: Rmm, statement_counter: Any) -> None:
    run = taken(rmm)
    silence(rmm, run.id)
    with statement_counter() as sent, unit(rmm) as session:
        run.report(session, done=1, total=2, counts={"a": 1}, cursor={"b": 2}, errors=["c"], doing="d")
    assert sent.count == 1, sent
    assert not runs.is_stalled(row(rmm, run.id), datetime.now(UTC))


def test_a_queued_run_is_cancelled_at_once(rmm: Rmm) -> None:
    run_id = begin(rmm)
    with unit(rmm) as session:
        runs.cancel(rmm, session, MARA, run_id)
    assert row(rmm, run_id).status == "cancelled"
    assert runs.take(rmm, TENANT, run_id, 0) is None
    with unit(rmm) as session:
        assert session.scalar(select(Audit.action)) == "run.cancelled"
    with pytest.raises(Conflict, match="over already"), unit(rmm) as session:
        runs.cancel(rmm, session, MARA, run_id)


def test_a_running_run_hears_of_the_cancel_at_its_next_report(rmm: Rmm) -> None:
    run = taken(rmm)
    with unit(rmm) as session:
        runs.cancel(rmm, session, MARA, run.id)
    assert row(rmm, run.id).status == "running"
    with pytest.raises(runs.Cancelled), unit(rmm) as session:
        run.report(session, done=1)
    assert row(rmm, run.id).done_count == 0
    with unit(rmm) as session:
        runs.stop(rmm, session, run)
    assert row(rmm, run.id).status == "cancelled"


def cancelled_run(rmm: Rmm) -> runs.Run:
    """A run of an exclusive kind that was cancelled while its worker was at it."""
    run = taken(rmm, kind="test_pages", integration_id=uuid4())
    with unit(rmm) as session:
        runs.cancel(rmm, session, MARA, run.id)
    return run


def told(rmm: Rmm) -> list[str | None]:
    """What the kind was told of its runs."""
    with unit(rmm) as session:
        return list(session.scalars(select(notes.c.text)))


@pytest.mark.parametrize("error_kind", ["unavailable", "rate_limited", "timeout"])
def test_a_cancelled_run_is_not_put_off_but_ends(rmm: Rmm, error_kind: str) -> None:
    run = cancelled_run(rmm)
    with unit(rmm) as session:
        assert not runs.reschedule(rmm, session, run, timedelta(minutes=5), error_kind, "No answer.")
    found = row(rmm, run.id)
    assert (found.status, found.error, found.doing) == ("cancelled", "No answer.", None)
    assert found.finished_at is not None
    assert told(rmm) == [f"cancelled: {run.id}"]
    begin(rmm, "test_pages", integration_id=run.integration_id)  # its key is free


def test_the_kind_is_told_once_of_a_run_cancelled_under_way(rmm: Rmm) -> None:
    run = cancelled_run(rmm)
    assert told(rmm) == []
    with unit(rmm) as session:
        runs.stop(rmm, session, run)
        session.rollback()
    assert told(rmm) == []
    with unit(rmm) as session:
        runs.stop(rmm, session, run)
    with pytest.raises(runs.LeaseLost), unit(rmm) as session:
        runs.stop(rmm, session, run)
    assert told(rmm) == [f"cancelled: {run.id}"]


def test_the_kind_is_told_once_of_a_run_cancelled_while_it_waits(rmm: Rmm) -> None:
    run_id = begin(rmm, "test_pages", integration_id=uuid4())
    with unit(rmm) as session:
        runs.cancel(rmm, session, MARA, run_id)
    with pytest.raises(Conflict), unit(rmm) as session:
        runs.cancel(rmm, session, MARA, run_id)
    assert told(rmm) == [f"cancelled: {run_id}"]


def test_cancelling_what_does_not_exist(rmm: Rmm) -> None:
    with pytest.raises(runs.UnknownRun), unit(rmm) as session:
        runs.cancel(rmm, session, MARA, uuid4())


def test_finishing_adds_counts_and_clears_what_it_was_doing(rmm: Rmm) -> None:
    run = taken(rmm)
    with unit(rmm) as session:
        run.report(session, doing="Acme", counts={"new": 1})
        runs.finish(session, run, {"gone": 2})
    found = row(rmm, run.id)
    assert (found.status, found.doing, found.counts) == ("succeeded", None, {"new": 1, "gone": 2})
    assert found.finished_at is not None


def test_failing_tells_whom_it_concerns_in_the_same_transaction(rmm: Rmm) -> None:
    run = taken(rmm, kind="test_pages", integration_id=uuid4())
    with unit(rmm) as session:
        runs.fail(rmm, session, run, "bad_response", "The vendor answered HTML.")
        session.rollback()
    assert row(rmm, run.id).status == "running"
    with unit(rmm) as session:
        runs.fail(rmm, session, run, "bad_response", "The vendor answered HTML.")
    found = row(rmm, run.id)
    assert (found.status, found.error_kind, found.error) == (
        "failed",
        "bad_response",
        "The vendor answered HTML.",
    )
    with unit(rmm) as session:
        assert session.scalar(select(notes.c.text)) == "test_pages: The vendor answered HTML."


def test_a_rescheduled_run_is_taken_by_its_next_number_only(rmm: Rmm) -> None:
    run = taken(rmm)
    with unit(rmm) as session:
        assert runs.reschedule(rmm, session, run, timedelta(minutes=5), "unavailable", "No answer.")
    found = row(rmm, run.id)
    assert (found.status, found.enqueued_at, found.attempt) == ("queued", None, 1)
    assert timedelta(minutes=4) < found.due_at - datetime.now(UTC) < timedelta(minutes=6)
    assert runs.take(rmm, TENANT, run.id, 0) is None
    assert runs.take(rmm, TENANT, run.id, 1) is not None


def test_beating_keeps_a_long_piece_of_work_young(rmm: Rmm) -> None:
    run = taken(rmm)
    silence(rmm, run.id)
    with runs.beating(rmm, run, every=0.01):
        until(lambda: not runs.is_stalled(row(rmm, run.id), datetime.now(UTC)), "a heartbeat")
    assert runs.take(rmm, TENANT, run.id, 1) is None


def test_beating_ends_with_the_lease(rmm: Rmm) -> None:
    run = taken(rmm)
    with runs.beating(rmm, run, every=0.01):
        with unit(rmm) as session:
            runs.finish(session, run)
        until(lambda: "rmm-heartbeat" not in {t.name for t in threading.enumerate()}, "the thread's end")


def test_listing_pages_newest_first_and_filters(rmm: Rmm) -> None:
    made = [begin(rmm) for _ in range(5)]
    other = begin(rmm, "test_pages", integration_id=uuid4())
    begin(rmm, actor=Actor("u", "Ole", OTHER))
    with unit(rmm) as session:
        first = runs.list_runs(session, TENANT, limit=3)
        last = first[-1]
        rest = runs.list_runs(session, TENANT, before=(last.queued_at, last.id), limit=10)
        assert [r.id for r in [*first, *rest]] == [other, *reversed(made)]
        by_kind = runs.list_runs(session, TENANT, runs.RunFilter(kind="test_pages"))
        assert [r.id for r in by_kind] == [other]


def test_stalled_runs_can_be_listed(rmm: Rmm) -> None:
    stuck, _fine = taken(rmm), taken(rmm)
    silence(rmm, stuck.id)
    with unit(rmm) as session:
        assert [r.id for r in runs.list_runs(session, TENANT, runs.RunFilter(status="stalled"))] == [stuck.id]
        assert len(runs.list_runs(session, TENANT, runs.RunFilter(status="running"))) == 2
