from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import insert, select, update

from rmm_extension.jobs import queues
from rmm_extension.jobs import relay as relay_job
from rmm_extension.jobs.wake import KEY
from rmm_extension.models import Outbox
from rmm_extension.services import outbox, relay, runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.unit import unit
from rmm_extension.signals import alert_resolved, alert_triggered
from tests.jobs.tiny import MARA, TENANT
from tests.jobs.work import notes

EVENT = {"name": "alert_triggered", "payload": {"alertId": "1"}}


@pytest.fixture(autouse=True)
def topics() -> Iterator[list[Any]]:
    """Topics ``good``, which notes its payloads in the list, and ``bad``, which raises."""
    seen: list[Any] = []
    relay.TOPICS["good"] = lambda rmm, session, tenant, payload: seen.append(payload["n"])
    relay.TOPICS["bad"] = poison
    yield seen
    del relay.TOPICS["good"], relay.TOPICS["bad"]


def poison(rmm: Rmm, session: Any, tenant_id: str, payload: dict[str, Any]) -> None:
    session.execute(insert(notes).values(text="half done"))
    raise ValueError("token=secret")


def put(rmm: Rmm, topic: str, payload: dict[str, Any]) -> None:
    with unit(rmm) as session:
        outbox.put(session, TENANT, topic, payload)


def errors(rmm: Rmm) -> list[str | None]:
    with unit(rmm) as session:
        return list(session.scalars(select(Outbox.last_error)))


def test_a_poisoned_row_blocks_nobody_and_leaves_nothing(
    app: Flask, rmm: Rmm, topics: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(3):
        put(rmm, "good", {"n": number})
        put(rmm, "bad", {})
    assert relay_job.drain(rmm, app)
    assert topics == [0, 1, 2]
    found = errors(rmm)
    assert len(found) == 3
    assert all(error and "incident" in error and "secret" not in error for error in found)
    assert all(record.exc_info for record in caplog.records if record.levelno == logging.ERROR)
    with unit(rmm) as session:
        assert session.scalar(select(notes.c.text)) is None


def test_time_used_up_leaves_the_rest_to_another_job(app: Flask, rmm: Rmm, topics: list[Any]) -> None:
    for number in range(relay.BATCH + 1):
        put(rmm, "good", {"n": number})
    assert not relay_job.drain(rmm, app, budget=0)
    assert len(topics) == relay.BATCH
    assert relay_job.drain(rmm, app)
    assert topics == list(range(relay.BATCH + 1))


def test_a_receiver_that_raises_stops_no_other(
    app: Flask, rmm: Rmm, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Any] = []

    def broken(sender: Flask, tenant_id: str, payload: dict[str, Any]) -> None:
        rmm.db.session.execute(insert(notes).values(text="stray"))
        raise ValueError

    def listening(sender: Flask, tenant_id: str, payload: dict[str, Any]) -> None:
        seen.append((sender, tenant_id, payload))

    with alert_triggered.connected_to(broken), alert_triggered.connected_to(listening):
        put(rmm, "event", EVENT)
        put(rmm, "event", EVENT)
        relay_job.drain(rmm, app)
    assert seen == [(app, TENANT, {"alertId": "1"})] * 2
    assert errors(rmm) == []
    assert sum("signal.failed" in record.getMessage() for record in caplog.records) == 2
    with unit(rmm) as session:
        assert session.scalar(select(notes.c.text)) is None


def test_each_signal_reaches_its_own_receivers_and_an_event_without_one_just_ends(
    app: Flask, rmm: Rmm
) -> None:
    seen: list[Any] = []

    def listening(sender: Flask, tenant_id: str, payload: dict[str, Any]) -> None:
        seen.append(payload)

    with alert_resolved.connected_to(listening):
        put(rmm, "event", EVENT)
        put(rmm, "event", {"name": "device_created", "payload": {}})
        relay_job.drain(rmm, app)
    assert seen == []
    assert errors(rmm) == []


def test_a_signal_is_sent_again_when_its_worker_died_before_noting_it(app: Flask, rmm: Rmm) -> None:
    seen: list[Any] = []

    def dying(sender: Flask, tenant_id: str, payload: dict[str, Any]) -> None:
        seen.append(payload)
        if len(seen) == 1:
            raise SystemExit

    with alert_triggered.connected_to(dying):
        put(rmm, "event", EVENT)
        with pytest.raises(SystemExit):
            relay_job.drain(rmm, app)
        rmm.db.session.rollback()
        with unit(rmm) as session:
            session.execute(update(Outbox).values(due_at=Outbox.created_at))
        relay_job.drain(rmm, app)
    assert len(seen) == 2


def test_the_job_removes_the_wake_key_hands_out_runs_and_ends(app: Flask, rmm: Rmm, redis: Redis) -> None:
    with unit(rmm) as session:
        run_id = runs.start(rmm, session, MARA, "test_do")
    assert redis.exists(KEY)
    relay_job.relay()
    assert not redis.exists(KEY)
    jobs = queues.queue(queues.ALERTS, redis).get_jobs()
    assert [job.description for job in jobs] == ["rmm.relay", f"rmm.test_do run={run_id}"]
