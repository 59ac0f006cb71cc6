"""Deliveries that come at once: exact tickets, exact counts, no error."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from tests.harness.world import World


def _at_once(world: World, bodies: list[dict[str, Any]], workers: int = 16) -> list[int]:
    """Status codes of deliveries sent by threads that start together."""
    start = Barrier(workers)

    def send(mine: list[dict[str, Any]]) -> list[int]:
        start.wait()
        return [world.post(body).status_code for body in mine]

    with ThreadPoolExecutor(workers) as pool:
        shares = [bodies[index::workers] for index in range(workers)]
        return [code for codes in pool.map(send, shares) for code in codes]


def test_first_alerts_of_one_condition_share_one_ticket(world: World) -> None:
    bodies = [
        world.body(f"{condition}{repeat}", check_id=str(condition))
        for repeat in range(8)
        for condition in range(100, 120)
    ]
    codes = _at_once(world, bodies)
    assert set(codes) == {200}
    assert len(world.tickets()) == 20
    counts = world.rows("SELECT occurrence_count FROM rmm_alert_conditions")
    assert [row["occurrence_count"] for row in counts] == [8] * 20
    assert world.one("SELECT count(*) FROM rmm_alerts WHERE ticket_id IS NOT NULL") == 160


def test_one_alert_delivered_many_times_at_once_is_one(world: World) -> None:
    bodies = [world.body(alert, check_id=str(alert)) for alert in range(20) for _ in range(5)]
    codes = _at_once(world, bodies)
    assert set(codes) == {200}
    assert world.one("SELECT count(*) FROM rmm_alerts") == 20
    assert world.one("SELECT count(*) FROM rmm_alert_events") == 20
    assert len(world.tickets()) == 20
    assert world.one("SELECT sum(occurrence_count) FROM rmm_alert_conditions") == 20


def test_a_storm_on_fifty_conditions_counts_exactly(world: World) -> None:
    bodies = [world.body(number, check_id=str(number % 50)) for number in range(500)]
    codes = _at_once(world, bodies)
    assert set(codes) == {200}
    assert len(world.tickets()) == 50
    counts = world.rows("SELECT occurrence_count FROM rmm_alert_conditions")
    assert [row["occurrence_count"] for row in counts] == [10] * 50


def test_failure_and_resolution_at_once_leave_no_ticket_open_for_a_resolved_alert(world: World) -> None:
    bodies = [
        make(alert, check_id=str(alert)) for alert in range(20) for make in (world.body, world.resolved)
    ]
    codes = _at_once(world, bodies)
    assert set(codes) == {200}
    assert world.one("SELECT count(*) FROM rmm_alerts WHERE resolved_at IS NULL") == 0
    assert [ticket for ticket in world.tickets() if ticket["closed_at"] is None] == []
