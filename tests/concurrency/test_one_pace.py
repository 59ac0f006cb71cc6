"""Eight worker processes ask Huntress at once, and Redis dies meanwhile: together they keep its limit.

The vendor's minute is four seconds here. The pace leaves it as much room for a request that comes late as the
real one does: two seconds and a half.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from reference_psa.local.valkey import ValkeyServer
from tests.harness.huntress import Huntress, huntresses
from tests.harness.webserver import ROOT, environment
from tests.harness.world import World

PROCESSES = 8
LIMIT, WINDOW = 60, 4.0
INTERVAL, BURST = 0.125, 8
EACH = 7
"""Requests of a process, before Redis dies and after."""
Processes = list["subprocess.Popen[str]"]


@pytest.fixture
def huntress() -> Iterator[Huntress]:
    """A server that refuses what is above its limit."""
    with huntresses() as start:
        yield start(rate_enforced=True, rate_limit=LIMIT, rate_window=WINDOW)


def test_processes_keep_one_pace_with_redis_and_without(
    world: World, huntress: Huntress, private_valkey: Callable[..., ValkeyServer]
) -> None:
    _connect(world, huntress)
    valkey = private_valkey()
    with _processes(world, valkey.url()) as processes:
        _ask(processes, EACH)
        valkey.kill()
        assert _answers(processes) == [EACH] * PROCESSES
        _ask(processes, EACH)
        assert _answers(processes) == [EACH] * PROCESSES
    seen = huntress.rate()
    assert seen["total"] == 2 * EACH * PROCESSES
    assert seen["refused"] == 0
    assert BURST < seen["most_in_window"] <= LIMIT
    assert world.one("SELECT count(*) FROM rmm_paces") == 1


def _connect(world: World, huntress: Huntress) -> None:
    secrets = {"api_key": huntress.key, "api_secret": huntress.secret}
    with world.unit() as session:
        for name, value in secrets.items():
            world.rmm.vault.store(session, world.tenant, world.integration_id, name, value)
    world.do("UPDATE rmm_integrations SET provider = 'huntress', instance_url = :url", url=huntress.url)


@contextmanager
def _processes(world: World, redis_url: str) -> Iterator[Processes]:
    """Eight that have opened the connection and wait to be told how often to ask."""
    command = [sys.executable, "-m", "tests.harness.asker", world.tenant, str(world.integration_id)]
    command += [str(INTERVAL), str(BURST)]
    env = {**environment(world), "RMM_REDIS_URL": redis_url}
    options: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, env=env, cwd=ROOT, **options) for _ in range(PROCESSES)]
    try:
        assert [_line(one) for one in processes] == ["ready"] * PROCESSES
        yield processes
    finally:
        for one in processes:
            one.communicate(timeout=60)


def _ask(processes: Processes, often: int) -> None:
    for one in processes:
        assert one.stdin is not None
        one.stdin.write(f"{often}\n")
        one.stdin.flush()


def _answers(processes: Processes) -> list[int]:
    return [int(_line(one) or 0) for one in processes]


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()
