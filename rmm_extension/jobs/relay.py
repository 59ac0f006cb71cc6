"""The job that empties the outbox and gives new runs to the workers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from flask import Flask, current_app
from redis import Redis

from rmm_extension import signals
from rmm_extension.domain.logline import line
from rmm_extension.services import relay as outbox_relay
from rmm_extension.services import schedule
from rmm_extension.services.context import Rmm
from rmm_extension.services.relay import Message

from . import queues
from .execute import context
from .guard import isolated, log
from .wake import KEY

BUDGET = 30.0
"""Seconds after which the rest is left to a next job, so that others on the queue get their turn."""


def relay() -> None:
    """RQ's entry: relay, then hand out what that started."""
    rmm = context()
    if rmm.settings.redis_url is None:
        raise RuntimeError("A relay job came through Redis, yet RMM_REDIS_URL is not set.")
    connection = queues.worker_client(rmm.settings.redis_url)
    # Removed before looking: a commit from now on asks for a job of its own.
    connection.delete(KEY)
    run(rmm, current_app._get_current_object(), connection)  # type: ignore[attr-defined]


def run(rmm: Rmm, app: Flask, connection: Redis) -> None:
    """Empty the outbox, hand out runs, ask for another job when time ran out."""
    emptied = True
    with isolated("relay.failed"):
        emptied = drain(rmm, app)
    with isolated("relay.failed", step="hand_out"):
        queues.enqueue_runs(connection, schedule.hand_out(rmm))
    if not emptied:
        rmm.wake()


def drain(rmm: Rmm, app: Flask, budget: float = BUDGET) -> bool:
    """Deal with the outbox's rows until none is due; false when the time is used up before."""
    started, total = time.monotonic(), 0
    while batch := outbox_relay.claim(rmm):
        total += len(batch)
        _batch(rmm, app, batch)
        if time.monotonic() - started > budget:
            break
    if total:
        log.info(line("relay.drained", rows=total, seconds=time.monotonic() - started))
    return not batch


def _batch(rmm: Rmm, app: Flask, batch: list[Message]) -> None:
    told: list[Message] = []
    for message in batch:
        if outbox_relay.is_signal(message):
            _tell(rmm, app, message)
            told.append(message)
        else:
            _deliver(rmm, message)
    outbox_relay.settle(rmm, told)


def _deliver(rmm: Rmm, message: Message) -> None:
    fields = {"tenant": message.tenant_id, "topic": message.topic, "outbox": message.id}
    with isolated("relay.failed", **fields, attempt=message.attempts) as mishap:
        outbox_relay.deliver(rmm, message)
    if mishap.words:
        outbox_relay.put_off(rmm, message, mishap.words)


def _tell(rmm: Rmm, app: Flask, message: Message) -> None:
    signal = signals.ALL.get(message.payload.get("name", ""))
    if signal is None:
        return
    for receiver in signal.receivers_for(app):
        _call(rmm, app, receiver, message)


def _call(rmm: Rmm, app: Flask, receiver: Callable[..., Any], message: Message) -> None:
    with isolated("signal.failed", tenant=message.tenant_id, signal=message.payload["name"]):
        receiver(app, tenant_id=message.tenant_id, payload=message.payload["payload"])
    # A receiver commits its own work; what it left open must not end up in the next one's transaction.
    rmm.db.session.remove()
