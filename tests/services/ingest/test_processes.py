"""The same promises with several processes of a real web server."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from reference_psa.local.ports import free_port
from reference_psa.local.programs import web_server
from tests.harness.schema import KEYS
from tests.harness.wait import until
from tests.harness.world import World

ROOT = Path(__file__).parents[3]


@pytest.fixture
def web(world: World, tmp_path: Path) -> Iterator[str]:
    """Address of a web server with two processes of four threads on the world's database."""
    port = free_port()
    url = world.app.config["SQLALCHEMY_DATABASE_URI"]
    env = {
        **os.environ,
        "DATABASE_URL": str(url),
        "SECRET_KEY": "test",
        "RMM_SECRET_KEYS": KEYS,
        "RMM_REDIS_URL": "redis://127.0.0.1:1/0",
    }
    with (tmp_path / "web.log").open("wb") as log:
        process = subprocess.Popen(web_server(port), env=env, cwd=ROOT, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(f"{address}/healthz"), "the web server", 60)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


def send(web: str, world: World, bodies: list[dict[str, Any]]) -> set[int]:
    """Status codes of deliveries that eight senders bring at once."""
    url = f"{web}/api/webhooks/tacticalrmm/{world.token}"
    headers = {"X-RMM-Webhook-Secret": world.secret}

    def one(body: dict[str, Any]) -> int:
        return requests.post(url, json=body, headers=headers, timeout=60).status_code

    with ThreadPoolExecutor(8) as pool:
        return set(pool.map(one, bodies))


def test_processes_share_conditions_tickets_and_counts(web: str, world: World) -> None:
    firing = [world.body(f"{c}-{n}", check_id=str(c)) for n in range(8) for c in range(10)]
    assert send(web, world, firing) == {200}
    assert len(world.tickets()) == 10
    counts = world.rows("SELECT occurrence_count FROM rmm_alert_conditions")
    assert [row["occurrence_count"] for row in counts] == [8] * 10
    # All end at once while the same conditions fire anew.
    later = "2026-11-21 04:00:00+00:00"
    ends = [world.resolved(f"{c}-{n}", check_id=str(c)) for n in range(8) for c in range(10)]
    again = [world.body(f"{c}-new", check_id=str(c), alert_time=later) for c in range(10)]
    mixed = [body for c in range(10) for body in (*ends[c::10], again[c])]
    assert send(web, world, mixed) == {200}
    assert world.one("SELECT count(*) FROM rmm_alerts WHERE resolved_at IS NULL") == 10
    homeless = world.one(
        "SELECT count(*) FROM rmm_alerts a JOIN tickets t ON t.id = a.ticket_id"
        " WHERE a.resolved_at IS NULL AND t.closed_at IS NOT NULL"
    )
    assert homeless == 0
    still_open = [ticket for ticket in world.tickets() if ticket["closed_at"] is None]
    assert len(still_open) == 10
    assert world.one("SELECT count(*) FROM rmm_webhook_deliveries") == 0
