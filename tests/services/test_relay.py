# ruff: noqa: F811 - fixtures are imported by name

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from rmm_extension.models import Outbox
from rmm_extension.services import outbox, relay, runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.unit import unit
from tests.jobs.fixtures import app, people, redis, rmm  # noqa: F401
from tests.jobs.tiny import MARA, TENANT
from tests.services.test_runs import in_threads


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    """Leave the registries as they were."""
    topics, consumers = dict(relay.TOPICS), list(relay.EVENT_CONSUMERS)
    yield
    relay.TOPICS.clear()
    relay.TOPICS.update(topics)
    relay.EVENT_CONSUMERS[:] = consumers


def put(rmm: Rmm, topic: str, *payloads: dict[str, Any], **options: Any) -> None:
    with unit(rmm) as session:
        for payload in payloads:
            outbox.put(session, TENANT, topic, payload, **options)


def rows(rmm: Rmm) -> list[Outbox]:
    with unit(rmm) as session:
        found = list(session.scalars(select(Outbox).order_by(Outbox.id)))
        session.expunge_all()
    return found


def lapse(rmm: Rmm) -> None:
    """Let a minute pass for all claims."""
    with unit(rmm) as session:
        session.execute(update(Outbox).values(due_at=func.now() - timedelta(seconds=1)))


def test_rows_are_claimed_in_their_order_and_once(rmm: Rmm) -> None:
    put(rmm, "t", *({"n": n} for n in range(20)))
    assert [message.payload["n"] for message in relay.claim(rmm, 15)] == list(range(15))
    assert [message.payload["n"] for message in relay.claim(rmm)] == list(range(15, 20))
    assert relay.claim(rmm) == []


def test_eight_relays_at_once_share_the_rows(app: Flask, rmm: Rmm) -> None:
    put(rmm, "t", *({"n": n} for n in range(100)))
    answers = in_threads(app, 8, lambda: relay.claim(rmm, 30))
    seen = [message.payload["n"] for answer in answers for message in answer]
    assert sorted(seen) == list(range(100))


def test_a_claim_reads_no_more_than_it_takes(rmm: Rmm) -> None:
    """However many rows wait: each device of a large fleet may have one."""
    for tenant in ("many", "others"):
        with unit(rmm) as session:
            outbox.put_many(session, tenant, "t", ({"n": n} for n in range(2000)))
    put(rmm, "t", {"n": 0})
    with unit(rmm) as session:
        session.execute(text("ANALYZE rmm_outbox"))
        values = {"limit": 10, "claim": relay.CLAIM}
        explained = text(f"EXPLAIN (ANALYZE, FORMAT JSON) {relay.CLAIM_NEXT.text}")
        plan = json.dumps(session.scalar(explained, values))
        session.rollback()
    assert max(float(rows) for rows in re.findall(r'"Actual Rows": ([\d.]+)', plan)) <= 3 * 10
    claimed = relay.claim(rmm, 15)
    assert [message.payload["n"] for message in claimed] == list(range(15)), "the oldest of all tenants"


def test_a_row_that_is_not_due_waits(rmm: Rmm) -> None:
    put(rmm, "t", {}, due_at=datetime.now(UTC) + timedelta(minutes=1))
    assert not relay.has_due(rmm)
    assert relay.claim(rmm) == []
    lapse(rmm)
    assert relay.has_due(rmm)


def test_the_handlers_work_and_the_rows_end_are_one_transaction(rmm: Rmm) -> None:
    def start_run(rmm: Rmm, session: Session, tenant_id: str, payload: dict[str, Any]) -> None:
        runs.start(rmm, session, MARA, "test_do", subject=payload)
        if payload.get("fails"):
            raise ValueError("no")

    relay.TOPICS["t"] = start_run
    put(rmm, "t", {"n": 1}, {"n": 2, "fails": True})
    good, bad = relay.claim(rmm)
    assert relay.deliver(rmm, good)
    with pytest.raises(ValueError, match="no"):
        relay.deliver(rmm, bad)
    with unit(rmm) as session:
        assert [run.subject for run in runs.list_runs(session, TENANT)] == [{"n": 1}]
    assert [row.payload["n"] for row in rows(rmm)] == [2]


def test_a_claim_that_has_lapsed_does_nothing(rmm: Rmm) -> None:
    calls: list[Any] = []
    relay.TOPICS["t"] = lambda *args: calls.append(args)
    put(rmm, "t", {})
    (old,) = relay.claim(rmm)
    lapse(rmm)
    (new,) = relay.claim(rmm)
    assert not relay.deliver(rmm, old)
    assert relay.deliver(rmm, new)
    assert len(calls) == 1


def test_a_row_whose_worker_died_comes_again_and_is_counted(rmm: Rmm) -> None:
    put(rmm, "t", {})
    relay.claim(rmm)
    assert relay.claim(rmm) == []
    lapse(rmm)
    (again,) = relay.claim(rmm)
    assert again.attempts == 2


def test_a_failed_row_waits_longer_each_time_and_says_why(rmm: Rmm) -> None:
    put(rmm, "t", {})
    gaps = []
    for _ in range(8):
        lapse(rmm)
        (message,) = relay.claim(rmm)
        relay.put_off(rmm, message, "The host has no board.")
        (row,) = rows(rmm)
        gaps.append(round((row.due_at - datetime.now(UTC)).total_seconds()))
        assert row.last_error == "The host has no board."
    assert gaps == pytest.approx([*relay.GAPS, 3600, 3600], abs=2)


def test_an_unknown_topic_is_an_error_of_its_row(rmm: Rmm) -> None:
    put(rmm, "nonsense", {})
    (message,) = relay.claim(rmm)
    with pytest.raises(LookupError, match="topic nonsense"):
        relay.deliver(rmm, message)
    assert len(rows(rmm)) == 1


def test_a_handler_may_be_named_by_its_path(rmm: Rmm) -> None:
    relay.TOPICS["t"] = "tests.services.test_relay:count_call"
    put(rmm, "t", {})
    relay.deliver(rmm, *relay.claim(rmm))
    assert rows(rmm) == []


def count_call(rmm: Rmm, session: Session, tenant_id: str, payload: dict[str, Any]) -> None:
    assert tenant_id == TENANT


def test_events_are_signals_unless_something_consumes_them(rmm: Rmm) -> None:
    put(rmm, "event", {"name": "alert_triggered", "payload": {"alertId": "1"}})
    (message,) = relay.claim(rmm)
    assert relay.is_signal(message)
    relay.settle(rmm, [message])
    assert rows(rmm) == []


def test_a_consumer_sees_an_event_once_and_the_signal_follows(rmm: Rmm) -> None:
    seen: list[Any] = []
    relay.EVENT_CONSUMERS.append(
        relay.Consumer(lambda rmm, session, tenant, name, payload: seen.append((name, payload)))
    )
    put(rmm, "event", {"name": "alert_triggered", "payload": {"alertId": "1"}})
    (event,) = relay.claim(rmm)
    assert not relay.is_signal(event)
    assert relay.deliver(rmm, event)
    (signal,) = relay.claim(rmm)
    assert relay.is_signal(signal)
    assert signal.payload == event.payload
    assert seen == [("alert_triggered", {"alertId": "1"})]
