from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from redis import Redis
from rq import Queue, SimpleWorker
from rq.cron import CronScheduler
from rq.job import Job, JobStatus

from reference_psa.local.valkey import ValkeyServer
from rmm_extension.jobs import queues, scheduler, tick, worker
from rmm_extension.services import runs, schedule
from rmm_extension.services.context import Rmm
from rmm_extension.services.unit import unit
from tests.harness.wait import until
from tests.jobs import tiny, work
from tests.jobs.processes import Processes, alive, descendants, end, processes
from tests.jobs.tiny import MARA, TENANT


class InlineWorker(worker.InAppContext, SimpleWorker):
    """Works in the test's own process."""


@pytest.fixture
def started(database_url: str, redis_url: str, rmm: Rmm, tmp_path: Path) -> Iterator[Processes]:
    with processes(database_url, redis_url, tmp_path / "log") as made:
        yield made


def begin_pages(rmm: Rmm, **subject: Any) -> UUID:
    with unit(rmm) as session:
        return runs.start(rmm, session, MARA, "test_pages", subject={"pages": 5, **subject})


def status(rmm: Rmm, run_id: UUID) -> str:
    with unit(rmm) as session:
        return runs.get(session, TENANT, run_id).status


def work_off(app: Flask, redis: Redis, name: str) -> None:
    worker.make_worker(app, name, redis, InlineWorker).work(burst=True, logging_level="WARNING")


def test_a_job_runs_inside_the_app_context(app: Flask, rmm: Rmm, redis: Redis) -> None:
    seen: list[Any] = []
    work.ACTIONS["it"] = lambda rmm, run: seen.append(rmm)
    with unit(rmm) as session:
        run_id = runs.start(rmm, session, MARA, "test_do", subject={"action": "it"})
    tick.run(rmm, redis)
    work_off(app, redis, queues.ALERTS)
    assert seen == [rmm]
    assert status(rmm, run_id) == "succeeded"


def test_a_tick_enqueued_by_the_scheduler_is_read_by_a_json_worker(
    app: Flask, rmm: Rmm, redis: Redis
) -> None:
    """RQ's own cron job would have put a pickle there, which ends as a DeserializationError."""
    with unit(rmm) as session:
        tiny.add_integration(session, settings={"deviceSync": {"enabled": True}})
    scheduler.RmmScheduler(redis).enqueue_jobs()
    queue = queues.queue(queues.TICK, redis)
    (job,) = queue.get_jobs()
    assert (job.description, job.ttl, job.result_ttl, job.timeout) == ("rmm.tick", 60, 0, 60)
    work_off(app, redis, queues.TICK)
    assert queue.failed_job_registry.count == 0
    assert not Job.exists(job.id, redis)
    with unit(rmm) as session:
        begun = sorted(run.kind for run in runs.list_runs(session, TENANT))
    assert {"device_sync", "retention"} <= set(begun)
    assert queues.queue(queues.SYNC, redis).count == 3, "and the cleaning of the other tenant"


def test_a_pickle_put_into_our_queue_is_not_run(app: Flask, redis: Redis, tmp_path: Path) -> None:
    victim = tmp_path / "made-by-a-pickle"
    Queue(queues.ALERTS, connection=redis).enqueue(os.mkdir, str(victim))
    work_off(app, redis, queues.ALERTS)
    assert not victim.exists()


def test_a_job_whose_function_is_gone_does_not_hold_up_the_next(app: Flask, rmm: Rmm, redis: Redis) -> None:
    queue = queues.queue(queues.SYNC, redis)
    lost = queue.enqueue("rmm_extension.jobs.execute.no_longer_here")
    run_id = begin_pages(rmm)
    tick.run(rmm, redis)
    work_off(app, redis, queues.SYNC)
    assert lost.get_status() == JobStatus.FAILED
    assert status(rmm, run_id) == "succeeded"


def test_one_worker_has_one_queue(app: Flask, redis: Redis) -> None:
    """On two queues RQ pops a job in one step and records it in another: a kill in between loses it."""
    made = worker.make_worker(app, queues.SYNC, redis)
    assert made.queue_names() == [queues.SYNC]
    assert made.name.startswith("rmm-sync-")


def test_every_handler_in_the_catalogue_is_there(caplog: pytest.LogCaptureFixture, app: Flask) -> None:
    worker.preload(app)
    missing = [record.getMessage() for record in caplog.records if "handler_missing" in record.getMessage()]
    assert not missing


def test_the_collector_looks_at_what_jobs_make_and_seldom(app: Flask) -> None:
    usual = gc.get_threshold()
    try:
        gc.unfreeze()
        gc.set_threshold(700, 10, 10)
        worker.preload(app)
        assert gc.get_freeze_count() > 10_000, "what was imported is out of its sight"
        assert gc.get_threshold()[0] > 700
    finally:
        gc.set_threshold(*usual)


def test_a_forked_worker_does_not_use_its_parents_connections(
    rmm: Rmm, redis: Redis, started: Processes
) -> None:
    run_id = begin_pages(rmm)
    tick.run(rmm, redis)
    process = started.start("worker", "--queue", "rmm-sync")
    until(lambda: status(rmm, run_id) == "succeeded", "the run's end")
    with unit(rmm) as session:
        pids = set(session.scalars(work.pages_done.select().with_only_columns(work.pages_done.c.pid)))
    assert len(pids) == 1
    assert process.pid not in pids
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


@pytest.mark.faults
def test_the_set_is_one_process_per_queue_that_come_back_and_end_together(
    rmm: Rmm, redis: Redis, started: Processes
) -> None:
    process = started.start("worker")
    for name in ("rmm-tick", "rmm-alerts", "rmm-sync", "rmm-workflow", "rmm-actions"):
        started.says(f"worker.ready queue={name}")
    victim = worker_of(process.pid, "rmm-sync")
    end(victim)
    until(lambda: worker_of(process.pid, "rmm-sync") not in (victim, 0), "another worker")
    run_id = begin_pages(rmm)
    tick.run(rmm, redis)
    until(lambda: status(rmm, run_id) == "succeeded", "the run's end")
    children = descendants(process.pid)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert not [pid for pid in children if alive(pid)]


def worker_of(pid: int, queue: str) -> int:
    """The process that works on a queue, 0 while there is none."""
    for child in descendants(pid):
        try:
            if queue in Path(f"/proc/{child}/cmdline").read_text():
                return child
        except FileNotFoundError:
            continue
    return 0


@pytest.mark.faults
def test_the_workers_of_a_killed_set_end_too(rmm: Rmm, started: Processes) -> None:
    process = started.start("worker", "--queue", "rmm-sync", "--queue", "rmm-tick")
    started.says("worker.ready queue=rmm-sync")
    started.says("worker.ready queue=rmm-tick")
    children = descendants(process.pid)
    process.kill()
    process.wait()
    until(lambda: not [pid for pid in children if alive(pid)], "the workers' end")


@pytest.mark.faults
def test_a_worker_and_the_scheduler_outlive_redis(
    database_url: str, rmm: Rmm, valkey_server: ValkeyServer, tmp_path: Path
) -> None:
    with processes(database_url, valkey_server.url(), tmp_path / "log") as made:
        made.start("worker", "--queue", "rmm-sync")
        made.start("worker", "--queue", "rmm-tick")
        made.start("scheduler")
        made.says("tick.end")
        valkey_server.kill()
        made.says("scheduler.redis_away")
        run_id = begin_pages(rmm)
        valkey_server.start()
        until(lambda: status(rmm, run_id) == "succeeded", "the run's end", seconds=60)


def test_a_scheduler_ends_when_told(started: Processes, rmm: Rmm, redis: Redis) -> None:
    process = started.start("scheduler")
    until(lambda: CronScheduler.all(redis), "a registered scheduler")
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_a_scheduler_without_redis_ends_when_told(database_url: str, tmp_path: Path) -> None:
    with processes(database_url, "redis://127.0.0.1:1/0", tmp_path / "log") as made:
        process = made.start("scheduler")
        made.says("scheduler.redis_away")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) in (0, -signal.SIGTERM)


def test_without_redis_configured_both_say_what_to_set(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tiny.make_app("postgresql+psycopg://nowhere/", None)
    for command in ("worker", "scheduler"):
        result = bare.test_cli_runner().invoke(args=["rmm", command])
        assert result.exit_code == 1
        assert "RMM_REDIS_URL" in result.output


def test_a_killed_workers_run_is_finished_by_another_without_doing_a_page_twice(
    rmm: Rmm, redis: Redis, started: Processes, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    run_id = begin_pages(rmm, gate=str(gate), gate_at=3)
    tick.run(rmm, redis)
    process = started.start("worker", "--queue", "rmm-sync")
    until(gate.with_suffix(".reached").exists, "the third page")
    for pid in [process.pid, *descendants(process.pid)]:
        end(pid)
    gate.touch()
    make_silent(rmm, run_id)
    tick.run(rmm, redis)
    started.start("worker", "--queue", "rmm-sync")
    until(lambda: status(rmm, run_id) == "succeeded", "the run's end")
    assert work.written(rmm) == [0, 1, 2, 3, 4]


def make_silent(rmm: Rmm, run_id: UUID) -> None:
    from tests.services.test_runs import silence
    from tests.services.test_schedule import forget_handout

    silence(rmm, run_id)
    forget_handout(rmm)


def test_an_orphan_that_comes_back_to_life_stops_at_its_next_page(
    app: Flask, rmm: Rmm, redis: Redis, started: Processes, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    run_id = begin_pages(rmm, gate=str(gate), gate_at=3)
    tick.run(rmm, redis)
    process = started.start("worker", "--queue", "rmm-sync")
    until(gate.with_suffix(".reached").exists, "the third page")
    horse = int(gate.with_suffix(".reached").read_text())
    os.kill(horse, signal.SIGSTOP)
    make_silent(rmm, run_id)
    (handout,) = (one for one in schedule.hand_out(rmm) if one.run_id == run_id)
    assert runs.take(rmm, TENANT, run_id, handout.attempt)
    gate.touch()
    os.kill(horse, signal.SIGCONT)
    started.says("outcome=lease_lost")
    assert work.written(rmm) == [0, 1, 2]
    assert alive(process.pid)
