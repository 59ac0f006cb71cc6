from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from redis import Redis
from sqlalchemy import func, update

from rmm_extension.jobs import queues, tick
from rmm_extension.jobs.wake import KEY
from rmm_extension.models import JobRun
from rmm_extension.services import outbox, runs, schedule
from rmm_extension.services.context import Rmm
from rmm_extension.services.unit import unit
from tests.jobs.tiny import MARA, TENANT, add_integration

ON = {"deviceSync": {"enabled": True}, "alertPolling": {"enabled": False}}


@pytest.fixture(autouse=True)
def no_hooks() -> Iterator[None]:
    """Only the hooks a test adds."""
    hooks, schedule.TICK_HOOKS[:] = list(schedule.TICK_HOOKS), []
    yield
    schedule.TICK_HOOKS[:] = hooks


def begin(rmm: Rmm) -> UUID:
    with unit(rmm) as session:
        return runs.start(rmm, session, MARA, "test_do")


def jobs(redis: Redis, name: str = queues.ALERTS) -> list[str]:
    return [job.id for job in queues.queue(name, redis).get_jobs() if job.description != "rmm.relay"]


def half_a_minute(rmm: Rmm) -> None:
    with unit(rmm) as session:
        session.execute(update(JobRun).values(enqueued_at=func.now() - timedelta(seconds=31)))


def test_a_due_connection_ends_as_a_job_of_ids(rmm: Rmm, redis: Redis) -> None:
    with unit(rmm) as session:
        add_integration(session, settings=ON)
    result = tick.run(rmm, redis)
    assert (result.counts["syncs"], result.counts["handed_out"], result.failed) == (1, 1, 0)
    (job,) = queues.queue(queues.SYNC, redis).get_jobs()
    with unit(rmm) as session:
        (run,) = runs.list_runs(session, TENANT)
    assert job.func_name == "rmm_extension.jobs.execute.execute"
    assert job.args == [TENANT, str(run.id), 0]
    assert job.description == f"rmm.device_sync run={run.id}"
    assert (job.timeout, job.result_ttl, job.failure_ttl) == (3600, 0, 3600)


def test_a_doubled_tick_changes_nothing(rmm: Rmm, redis: Redis) -> None:
    with unit(rmm) as session:
        add_integration(session, settings=ON)
    begin(rmm)
    tick.run(rmm, redis)
    second = tick.run(rmm, redis)
    assert not any(count for name, count in second.counts.items() if name != "outbox")
    assert (len(jobs(redis)), len(jobs(redis, queues.SYNC))) == (1, 1)


def test_a_crash_between_commit_and_enqueue_is_made_up(rmm: Rmm, redis: Redis) -> None:
    run_id = begin(rmm)
    schedule.hand_out(rmm)  # and then the worker is gone
    tick.run(rmm, redis)
    assert jobs(redis) == []
    half_a_minute(rmm)
    tick.run(rmm, redis)
    assert jobs(redis) == [f"rmm-{run_id}-0"]


def test_what_a_flushed_redis_lost_is_handed_out_again(rmm: Rmm, redis: Redis) -> None:
    run_id = begin(rmm)
    tick.run(rmm, redis)
    redis.flushdb()
    half_a_minute(rmm)
    tick.run(rmm, redis)
    assert jobs(redis) == [f"rmm-{run_id}-0"]


def test_what_still_waits_in_the_queue_is_not_put_there_twice(rmm: Rmm, redis: Redis) -> None:
    """RQ takes the same id again and again: a sync queue of an hour would grow by its length every tick."""
    begin(rmm)
    for _ in range(3):
        tick.run(rmm, redis)
        half_a_minute(rmm)
    assert len(jobs(redis)) == 1


def test_a_hook_that_raises_stops_no_other_step(
    rmm: Rmm, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(rmm: Rmm) -> int:
        raise ValueError

    calls: list[Rmm] = []

    def working(rmm: Rmm) -> int:
        calls.append(rmm)
        return 3

    schedule.TICK_HOOKS += [broken, "no.such.module:hook", working]
    run_id = begin(rmm)
    result = tick.run(rmm, redis)
    assert result.failed == 2
    assert calls == [rmm]
    assert result.counts["test_tick_job.working"] == 3
    assert jobs(redis) == [f"rmm-{run_id}-0"]


def test_an_outbox_nobody_was_told_of_is_relayed(rmm: Rmm, redis: Redis) -> None:
    with unit(rmm) as session:
        outbox.put(session, TENANT, "event", {"name": "x", "payload": {}})
    redis.flushdb()
    assert tick.run(rmm, redis).counts["outbox"] == 1
    assert redis.exists(KEY)
    assert [job.description for job in queues.queue(queues.ALERTS, redis).get_jobs()] == ["rmm.relay"]


def test_a_tick_with_nothing_to_do_is_cheap(rmm: Rmm, redis: Redis, statement_counter: type) -> None:
    tick.run(rmm, redis)  # a new connection asks for its server's version and the like
    with statement_counter() as sent:
        tick.run(rmm, redis)
    assert sent.writes <= 1, sent
    assert sent.count <= 9, sent
