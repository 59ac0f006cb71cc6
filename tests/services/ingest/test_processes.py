"""The same promises with several processes of a real web server."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.harness.webserver import web_processes
from tests.harness.world import World


@pytest.fixture
def web(world: World, tmp_path: Path) -> Iterator[str]:
    """Address of a web server with two processes of four threads on the world's database."""
    with web_processes(world, tmp_path) as address:
        yield address


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
