from __future__ import annotations

import base64
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from flask import Flask
from redis import Redis

from rmm_extension.domain.settings import Settings, read_settings
from rmm_extension.jobs import queues, relay
from rmm_extension.jobs import wake as wake_module
from rmm_extension.jobs.wake import KEY, make_wake
from rmm_extension.models import Outbox
from rmm_extension.services import outbox
from rmm_extension.services import relay as outbox_relay
from rmm_extension.services.context import Rmm
from rmm_extension.services.unit import unit
from tests.jobs.tiny import TENANT


def settings(url: str | None) -> Settings:
    key = "k:" + base64.b64encode(bytes(32)).decode()
    return read_settings({"RMM_SECRET_KEYS": key, "RMM_REDIS_URL": url})


def length(redis: Redis) -> int:
    return queues.queue(queues.ALERTS, redis).count


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_without_redis_it_does_nothing() -> None:
    make_wake(settings(None))()


def test_many_wakes_are_one_job(redis_url: str, redis: Redis) -> None:
    wake = make_wake(settings(redis_url))
    for _ in range(50):
        wake()
    assert length(redis) == 1
    assert redis.ttl(KEY) in range(1, wake_module.PENDING + 1)


def test_a_wake_after_the_job_began_asks_for_another(redis_url: str, redis: Redis) -> None:
    wake = make_wake(settings(redis_url))
    wake()
    redis.delete(KEY)
    wake()
    assert length(redis) == 2


@pytest.mark.parametrize("server", ["closed", "deaf"])
def test_redis_away_costs_less_than_half_a_second_and_then_nothing(server: str, deaf_port: int) -> None:
    port = deaf_port if server == "deaf" else 1
    wake = make_wake(settings(f"redis://127.0.0.1:{port}/0"))
    started = time.monotonic()
    wake()
    assert time.monotonic() - started < 0.5
    started = time.monotonic()
    for _ in range(1000):
        wake()
    assert time.monotonic() - started < 0.1


def test_it_is_tried_again_after_a_pause(
    redis_url: str, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    wake = make_wake(settings(redis_url))
    assert isinstance(wake, wake_module.Waker)
    with monkeypatch.context() as patched:
        patched.setattr(wake, "_redis", queues.web_client("redis://127.0.0.1:1/0"))
        wake()
    wake()
    assert length(redis) == 0
    monkeypatch.setattr(wake, "_quiet_until", 0.0)
    wake()
    assert length(redis) == 1


def test_no_wake_up_is_lost(app: Flask, rmm: Rmm, redis: Redis) -> None:
    """Eight threads commit and wake, two take relay jobs as workers do; in the end nothing is left over."""
    done = threading.Event()
    outbox_relay.TOPICS["t"] = lambda *_: None

    def write() -> None:
        with app.app_context():
            for number in range(25):
                with unit(rmm) as session:
                    outbox.put(session, TENANT, "t", {"n": number})

    def work() -> None:
        queue = queues.queue(queues.ALERTS, redis)
        with app.app_context():
            while True:
                was_done = done.is_set()
                if redis.lpop(queue.key):
                    relay.relay()
                elif was_done:
                    return

    writers = [threading.Thread(target=write) for _ in range(8)]
    workers = [threading.Thread(target=work) for _ in range(2)]
    for thread in (*writers, *workers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in workers:
        thread.join()
    del outbox_relay.TOPICS["t"]
    with unit(rmm) as session:
        assert session.query(Outbox).count() == 0
