# ruff: noqa: F811 - fixtures are imported by name

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from rmm_extension.models import Integration, JobRun, WebhookDelivery, new_id
from rmm_extension.services import recurring, runs, schedule
from rmm_extension.services.context import Rmm
from rmm_extension.services.unit import unit
from tests.jobs.fixtures import app, people, redis, rmm  # noqa: F401
from tests.jobs.tiny import MARA, SUSPENDED, TENANT, add_integration
from tests.jobs.work import notes
from tests.services.test_runs import begin, in_threads, row, silence, taken

ON = {"deviceSync": {"enabled": True, "intervalMinutes": 30}}


def connect(rmm: Rmm, tenant_id: str = TENANT, **values: Any) -> UUID:
    with unit(rmm) as session:
        return add_integration(session, tenant_id, **{"settings": ON, **values}).id


def next_sync(rmm: Rmm, connection: UUID) -> Any:
    with unit(rmm) as session:
        return session.scalar(select(Integration.next_device_sync_at).where(Integration.id == connection))


def count_runs(rmm: Rmm, kind: str) -> int:
    with unit(rmm) as session:
        return len(runs.list_runs(session, TENANT, runs.RunFilter(kind=kind)))


def forget_handout(rmm: Rmm, seconds: float = 31) -> None:
    """Let time pass since the last hand-out."""
    with unit(rmm) as session:
        session.execute(update(JobRun).values(enqueued_at=func.now() - timedelta(seconds=seconds)))


def test_a_due_connection_gets_a_run_and_its_next_time_in_one_transaction(rmm: Rmm) -> None:
    connection = connect(rmm)
    assert recurring.start_due_syncs(rmm) == 1
    with unit(rmm) as session:
        (run,) = runs.list_runs(session, TENANT)
        assert (run.kind, run.integration_id, run.actor_id) == ("device_sync", connection, "system")
    ahead = next_sync(rmm, connection) - datetime.now(UTC)
    assert timedelta(minutes=29) < ahead <= timedelta(minutes=30)
    assert recurring.start_due_syncs(rmm) == 0


@pytest.mark.parametrize(
    "values",
    [
        {"settings": {}},
        {"settings": {"deviceSync": {"enabled": False}}},
        {"settings": {"deviceSync": {"enabled": "true"}}},
        {"settings": {"deviceSync": {"enabled": 1}}},
        {"state": "paused"},
        {"state": "not_connected"},
        {"state": "needs_reauth"},
        {"next_device_sync_at": datetime.now(UTC) + timedelta(days=1)},
        {"tenant_id": SUSPENDED},
    ],
)
def test_what_is_not_due_is_left_alone(rmm: Rmm, values: dict[str, Any]) -> None:
    connect(rmm, **values)
    assert recurring.start_due_syncs(rmm) == 0


def test_a_connection_in_trouble_is_still_polled(rmm: Rmm) -> None:
    connect(rmm, state="error")
    assert recurring.start_due_syncs(rmm) == 1


@pytest.mark.parametrize(
    "wish,minutes",
    [(30, 30), (14, 15), (0, 15), (9999, 1440), (59.6, 60), ("20", 60), (None, 60), (True, 60)],
)
def test_the_interval_has_bounds(wish: object, minutes: int) -> None:
    settings = {"deviceSync": {"intervalMinutes": wish}}
    assert recurring.SYNCS.interval(settings) == timedelta(minutes=minutes)


def test_the_interval_is_an_hour_unless_said() -> None:
    assert recurring.SYNCS.interval({}) == timedelta(minutes=60)


def test_eight_ticks_at_once_start_one_run_per_connection(app: Flask, rmm: Rmm) -> None:
    for _ in range(5):
        connect(rmm)
    answers = in_threads(app, 8, lambda: recurring.start_due_syncs(rmm))
    assert sum(answers) == 5, answers
    assert count_runs(rmm, "device_sync") == 5


def test_a_sync_under_way_is_not_doubled_and_the_time_moves_on(rmm: Rmm) -> None:
    connection = connect(rmm)
    begin(rmm, "device_sync", integration_id=connection)
    assert recurring.start_due_syncs(rmm) == 0
    assert next_sync(rmm, connection) is not None
    assert count_runs(rmm, "device_sync") == 1


def test_arriving_alerts_do_not_wait_for_the_tick(rmm: Rmm) -> None:
    connection = connect(rmm)
    with unit(rmm) as session:
        session.execute(recurring.due_connections(recurring.SYNCS, [TENANT], ["tacticalrmm"])).all()
        with rmm.db.engine.begin() as other:  # what a foreign key's check asks for
            other.exec_driver_sql("SET LOCAL lock_timeout = '200ms'")
            found = select(Integration.id).with_for_update(read=True, key_share=True)
            assert other.scalar(found) == connection


def deliver_later(rmm: Rmm, **values: Any) -> UUID:
    past = datetime.now(UTC) - timedelta(seconds=1)
    standard = {"state": "failed", "due_at": past, "reason": "no luck", "provider": "tacticalrmm"}
    with unit(rmm) as session:
        delivery = WebhookDelivery(
            id=new_id(),
            integration_id=uuid4(),
            received_at=past,
            body=b"{}",
            **{"tenant_id": TENANT, **standard, **values},
        )
        session.add(delivery)
        session.flush()
        return delivery.id


def test_a_due_delivery_is_retried_by_a_run(rmm: Rmm) -> None:
    delivery = deliver_later(rmm)
    deliver_later(rmm, state="quarantined")
    deliver_later(rmm, due_at=None)
    deliver_later(rmm, tenant_id=SUSPENDED)
    assert schedule.start_due_deliveries(rmm) == 1
    with unit(rmm) as session:
        (run,) = runs.list_runs(session, TENANT)
        assert (run.kind, run.subject) == ("delivery_retry", {"delivery_id": str(delivery)})
    assert schedule.start_due_deliveries(rmm) == 0


def test_eight_ticks_at_once_retry_a_delivery_once(app: Flask, rmm: Rmm) -> None:
    deliver_later(rmm)
    assert sum(in_threads(app, 8, lambda: schedule.start_due_deliveries(rmm))) == 1


def test_a_due_run_is_handed_out_with_its_attempt(rmm: Rmm) -> None:
    run_id = begin(rmm)
    begin(rmm, due_at=datetime.now(UTC) + timedelta(minutes=1))
    assert schedule.hand_out(rmm) == [schedule.Handout(TENANT, run_id, 0, "test_do", "rmm-alerts")]
    assert schedule.hand_out(rmm) == []


def test_a_run_that_nobody_took_is_handed_out_again(rmm: Rmm) -> None:
    run_id = begin(rmm)
    schedule.hand_out(rmm)
    forget_handout(rmm)
    assert [handout.run_id for handout in schedule.hand_out(rmm)] == [run_id]


def test_a_rescheduled_run_is_handed_out_when_due(rmm: Rmm) -> None:
    run = taken(rmm)
    schedule.hand_out(rmm)
    with unit(rmm) as session:
        runs.reschedule(rmm, session, run, timedelta(seconds=-1), "unavailable", "No answer.")
    assert [handout.attempt for handout in schedule.hand_out(rmm)] == [1]


def test_a_run_whose_worker_is_silent_goes_to_another(rmm: Rmm) -> None:
    run = taken(rmm)
    assert schedule.hand_out(rmm) == []
    silence(rmm, run.id)
    (handout,) = schedule.hand_out(rmm)
    assert (handout.run_id, handout.attempt) == (run.id, 1)
    again = runs.take(rmm, TENANT, run.id, handout.attempt)
    assert again is not None
    assert again.attempt == 2


def test_eight_ticks_at_once_hand_a_run_out_once(app: Flask, rmm: Rmm) -> None:
    for _ in range(20):
        begin(rmm)
    answers = in_threads(app, 8, lambda: schedule.hand_out(rmm))
    assert sum(len(answer) for answer in answers) == 20


def test_what_waits_in_a_long_queue_does_not_keep_new_runs_out(rmm: Rmm) -> None:
    for _ in range(5):
        begin(rmm)
    schedule.hand_out(rmm)
    forget_handout(rmm)
    fresh = begin(rmm)
    assert schedule.hand_out(rmm, limit=1)[0].run_id == fresh


def test_a_run_that_keeps_killing_its_worker_ends_in_words(rmm: Rmm) -> None:
    run = taken(rmm, kind="test_pages", integration_id=uuid4())
    for attempt in (1, 2):
        silence(rmm, run.id)
        assert schedule.hopeless(rmm) == []
        assert runs.take(rmm, TENANT, run.id, attempt)
    silence(rmm, run.id)
    (lost,) = schedule.hopeless(rmm)
    schedule.give_up(rmm, lost)
    found = row(rmm, run.id)
    assert (found.status, found.error_kind) == ("failed", "abandoned")
    assert "3 times" in str(found.error)
    with unit(rmm) as session:
        assert "3 times" in str(session.scalar(select(notes.c.text)))
    assert schedule.hopeless(rmm) == []


def test_attempts_that_the_vendor_put_off_do_not_make_it_hopeless(rmm: Rmm) -> None:
    run = taken(rmm, kind="test_pages", integration_id=uuid4())
    with unit(rmm) as session:
        session.execute(update(JobRun).values(attempt=4, counts={"throttled": 2}))
    silence(rmm, run.id)
    assert schedule.hopeless(rmm) == []
    with unit(rmm) as session:
        session.execute(update(JobRun).values(counts={"throttled": 1}))
    (lost,) = schedule.hopeless(rmm)
    schedule.give_up(rmm, lost)
    assert "3 times" in str(row(rmm, run.id).error)


def test_a_cancelled_run_whose_worker_died_is_closed(rmm: Rmm) -> None:
    run = taken(rmm, kind="test_pages", integration_id=uuid4())
    with unit(rmm) as session:
        runs.cancel(rmm, session, MARA, run.id)
    silence(rmm, run.id)
    assert schedule.hand_out(rmm) == []
    (lost,) = schedule.hopeless(rmm)
    schedule.give_up(rmm, lost)
    assert row(rmm, run.id).status == "cancelled"
    with unit(rmm) as session:
        assert session.scalar(select(notes.c.text)) == f"cancelled: {run.id}"


def test_a_cancelled_run_that_waits_for_ever_is_closed(rmm: Rmm) -> None:
    """As an earlier version put them off."""
    waits, run = begin(rmm), taken(rmm, kind="test_pages", integration_id=uuid4())
    with unit(rmm) as session:
        stuck = update(JobRun).where(JobRun.id == run.id)
        session.execute(stuck.values(status="queued", cancel_requested=True))
    (lost,) = schedule.hopeless(rmm)
    schedule.give_up(rmm, lost)
    assert (row(rmm, run.id).status, row(rmm, waits).status) == ("cancelled", "queued")
    assert [handout.run_id for handout in schedule.hand_out(rmm)] == [waits]
    with unit(rmm) as session:
        assert session.scalar(select(notes.c.text)) == f"cancelled: {run.id}"
