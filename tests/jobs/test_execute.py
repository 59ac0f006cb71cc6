from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from rq.timeouts import JobTimeoutException
from sqlalchemy import select, text

from rmm_extension.domain.errors import AuthFailed, RateLimited, Unavailable
from rmm_extension.jobs.execute import perform
from rmm_extension.models import Integration, JobRun
from rmm_extension.services import kinds, runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.runs import Run
from rmm_extension.services.unit import unit
from tests.jobs import tiny, work
from tests.jobs.tiny import MARA, TENANT


def begin(rmm: Rmm, action: Any, **options: Any) -> UUID:
    work.ACTIONS["it"] = action
    with unit(rmm) as session:
        return runs.start(rmm, session, MARA, "test_do", subject={"action": "it"}, **options)


def row(rmm: Rmm, run_id: UUID) -> JobRun:
    with unit(rmm) as session:
        found = runs.get(session, TENANT, run_id)
        session.expunge(found)
    return found


def raising(error: BaseException) -> Any:
    def action(rmm: Rmm, run: Run) -> None:
        raise error

    return action


def test_work_that_returns_is_done_and_its_counts_are_kept(rmm: Rmm) -> None:
    run_id = begin(rmm, lambda rmm, run: {"created": 3, "failed": 0})
    assert perform(rmm, TENANT, run_id, 0) == "succeeded"
    assert row(rmm, run_id).counts == {"created": 3, "failed": 0}


def test_a_second_call_for_the_same_attempt_does_nothing(rmm: Rmm) -> None:
    calls: list[int] = []
    run_id = begin(rmm, lambda rmm, run: calls.append(run.attempt))
    assert perform(rmm, TENANT, run_id, 0) == "succeeded"
    assert perform(rmm, TENANT, run_id, 0) == "skipped"
    assert perform(rmm, TENANT, run_id, 1) == "skipped"
    assert calls == [1]


def test_the_handler_knows_who_asked(rmm: Rmm) -> None:
    seen: list[Any] = []
    perform(rmm, TENANT, begin(rmm, lambda rmm, run: seen.append(run.actor)), 0)
    assert seen == [MARA]


@pytest.mark.parametrize("error", [Unavailable("No answer."), RateLimited("Later.", retry_after=30)])
def test_a_passing_trouble_puts_the_run_off(rmm: Rmm, error: Exception) -> None:
    run_id = begin(rmm, raising(error))
    assert perform(rmm, TENANT, run_id, 0) == "rescheduled"
    found = row(rmm, run_id)
    assert (found.status, found.error, found.attempt) == ("queued", str(error), 1)


def test_a_vendors_later_please_takes_no_attempt_away(rmm: Rmm) -> None:
    asked_for = kinds.get("test_do").max_attempts
    answers = [*[RateLimited("Later.", retry_after=30)] * asked_for, *[Unavailable("No answer.")] * asked_for]
    run_id = begin(rmm, lambda rmm, run: raising(answers[run.attempt - 1])(rmm, run))
    outcomes = []
    for attempt in range(len(answers)):
        outcomes.append(perform(rmm, TENANT, run_id, attempt))
    assert outcomes == ["rescheduled"] * (len(answers) - 1) + ["failed"]


def test_refused_credentials_fail_the_run_and_stop_the_connection(rmm: Rmm) -> None:
    with unit(rmm) as session:
        connection = tiny.add_integration(session).id
    run_id = begin(rmm, raising(AuthFailed("The key was withdrawn.")), integration_id=connection)
    assert perform(rmm, TENANT, run_id, 0) == "failed"
    with unit(rmm) as session:
        state = session.execute(select(Integration.state, Integration.last_error)).one()
    assert tuple(state) == ("needs_reauth", "The key was withdrawn.")


def test_the_unexpected_fails_with_a_number_and_is_logged_once(
    rmm: Rmm, caplog: pytest.LogCaptureFixture
) -> None:
    run_id = begin(rmm, raising(KeyError("password=hunter2")))
    assert perform(rmm, TENANT, run_id, 0) == "failed"
    found = row(rmm, run_id)
    assert found.error_kind == "internal"
    assert found.error is not None
    assert "hunter2" not in found.error
    incident = found.error.rpartition(" ")[2].rstrip(".")
    logged = [record for record in caplog.records if incident in record.getMessage()]
    assert len(logged) == 1
    assert logged[0].exc_info


def test_a_time_out_puts_the_run_off_and_goes_on_to_rq(rmm: Rmm) -> None:
    run_id = begin(rmm, raising(JobTimeoutException("60 s")))
    with pytest.raises(JobTimeoutException):
        perform(rmm, TENANT, run_id, 0)
    found = row(rmm, run_id)
    assert (found.status, found.error_kind) == ("queued", "timeout")


def test_a_connection_broken_in_the_handlers_hands_does_no_harm(rmm: Rmm) -> None:
    def break_it(rmm: Rmm, run: Run) -> None:
        with unit(rmm) as session:
            session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    run_id = begin(rmm, break_it)
    assert perform(rmm, TENANT, run_id, 0) == "rescheduled"
    assert row(rmm, run_id).error_kind == "database"


def test_what_a_handler_leaves_open_is_not_committed(rmm: Rmm) -> None:
    def leave_open(rmm: Rmm, run: Run) -> None:
        rmm.db.session.execute(work.notes.insert().values(text="stray"))

    perform(rmm, TENANT, begin(rmm, leave_open), 0)
    with unit(rmm) as session:
        assert session.scalar(select(work.notes.c.text)) is None


def test_cancelled_work_ends_as_cancelled(rmm: Rmm) -> None:
    def cancelled_meanwhile(rmm: Rmm, run: Run) -> None:
        with unit(rmm) as session:
            runs.cancel(rmm, session, MARA, run.id)
        with unit(rmm) as session:
            run.report(session, done=1)

    run_id = begin(rmm, cancelled_meanwhile)
    assert perform(rmm, TENANT, run_id, 0) == "cancelled"
    assert row(rmm, run_id).status == "cancelled"


@pytest.mark.parametrize("error", [Unavailable("No answer."), RateLimited("Later.", retry_after=30)])
def test_cancelled_work_that_meets_trouble_is_not_put_off(rmm: Rmm, error: Exception) -> None:
    run_id = begin(rmm, cancelled_and_then(error))
    assert perform(rmm, TENANT, run_id, 0) == "cancelled"
    assert row(rmm, run_id).status == "cancelled"


def test_cancelled_work_that_runs_out_of_time_is_not_put_off(rmm: Rmm) -> None:
    run_id = begin(rmm, cancelled_and_then(JobTimeoutException("60 s")))
    with pytest.raises(JobTimeoutException):
        perform(rmm, TENANT, run_id, 0)
    assert row(rmm, run_id).status == "cancelled"


def cancelled_and_then(error: BaseException) -> Any:
    """Work that a person cancels and that is not told so before the error."""

    def action(rmm: Rmm, run: Run) -> None:
        with unit(rmm) as session:
            runs.cancel(rmm, session, MARA, run.id)
        raise error

    return action


def test_who_was_taken_for_dead_leaves_the_run_alone(rmm: Rmm) -> None:
    def overtaken(rmm: Rmm, run: Run) -> None:
        with unit(rmm) as session:
            session.execute(text("UPDATE rmm_job_runs SET attempt = attempt + 1"))
        raise Unavailable("No answer.")

    run_id = begin(rmm, overtaken)
    assert perform(rmm, TENANT, run_id, 0) == "lease_lost"
    assert row(rmm, run_id).status == "running"


def test_start_and_end_are_one_line_each_with_ids_only(rmm: Rmm, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "rmm_extension")
    run_id = begin(rmm, lambda rmm, run: {"created": 3})
    perform(rmm, TENANT, run_id, 0)
    lines = [record.getMessage() for record in caplog.records if str(run_id) in record.getMessage()]
    assert len(lines) == 2
    assert lines[0].startswith(f"run.start tenant={TENANT} run={run_id} kind=test_do attempt=1")
    assert lines[1].startswith(f"run.end tenant={TENANT} run={run_id} kind=test_do attempt=1")
    assert "outcome=succeeded" in lines[1]
    assert "n_created=3" in lines[1]


def connection_and_news(rmm: Rmm) -> tuple[str, list[str]]:
    """The state of the connection, and what its administrators are to be told."""
    with unit(rmm) as session:
        state = session.scalars(select(Integration.state)).one()
        topics = session.scalars(text("SELECT topic FROM rmm_outbox ORDER BY id")).all()
    return state, [topic for topic in topics if topic.startswith("connection_")]


def test_a_vendor_that_stays_away_is_told_once(rmm: Rmm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(kinds.KINDS, "test_do", replace(kinds.get("test_do"), shows_health=True))
    with unit(rmm) as session:
        connection = tiny.add_integration(session, settings={"alertPolling": {"enabled": False}}).id
    run_id = begin(rmm, raising(Unavailable("Tactical does not answer.")), integration_id=connection)
    states = [(perform(rmm, TENANT, run_id, attempt), connection_and_news(rmm)) for attempt in range(3)]
    assert states == [
        ("rescheduled", ("connected", [])),
        ("rescheduled", ("error", ["connection_down"])),
        ("failed", ("error", ["connection_down"])),
    ]
