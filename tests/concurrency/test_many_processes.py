"""Sixteen processes bring everything in any order, twice and late, to a real web server."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.harness.webserver import ROOT, environment, web_processes
from tests.harness.world import World

SENDERS, POLLERS = 12, 4
START = datetime(2026, 11, 21, 2, tzinfo=UTC)
CONDITIONS = range(12)
COUNTED = range(3)
"""Conditions that only fire: their counts must be exact."""
HANDLED = range(3, 5)
"""Conditions whose ticket a person has worked on: it must not be closed."""
Event = tuple[int, dict[str, Any]]


@dataclass
class Plan:
    """What is brought first, what then in any order, and which alerts must be open at the end."""

    first: list[dict[str, Any]] = field(default_factory=list)
    then: list[dict[str, Any]] = field(default_factory=list)
    open: dict[str, bool] = field(default_factory=dict)


@pytest.fixture
def web(world: World, tmp_path: Path) -> Iterator[str]:
    with web_processes(world, tmp_path) as address:
        yield address


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_order_ends_with_one_open_ticket_for_every_open_condition(
    web: str, world: World, seed: int
) -> None:
    chance = random.Random(seed)
    print(f"seed {seed}")
    plan = _plan(world, chance)
    assert _bring(web, world, plan.first, chance) == {200}
    touched = _work_on(world)
    assert _bring(web, world, plan.then, chance) == {200}
    assert world.one("SELECT count(*) FROM rmm_webhook_deliveries") == 0
    _alerts_are_right(world, plan)
    for condition in CONDITIONS:
        _tickets_are_right(world, plan, condition, touched)
    for condition in COUNTED:
        assert _count(world, condition) == len(_ids(plan, condition))


def _alerts_are_right(world: World, plan: Plan) -> None:
    rows = world.rows("SELECT external_id, status, ticket_id FROM rmm_alerts")
    assert {row["external_id"] for row in rows} == set(plan.open)
    is_open = {row["external_id"]: row["status"] in ("active", "acknowledged") for row in rows}
    assert is_open == plan.open
    homeless = world.rows(
        "SELECT a.external_id FROM rmm_alerts a LEFT JOIN tickets t ON t.id = a.ticket_id"
        " WHERE a.status IN ('active', 'acknowledged') AND (t.id IS NULL OR t.closed_at IS NOT NULL)"
    )
    assert homeless == []


def _tickets_are_right(world: World, plan: Plan, condition: int, touched: set[str]) -> None:
    """One open ticket where any alert is open, or where a person has worked on it; else none."""
    tickets = world.rows(
        "SELECT DISTINCT t.id, t.closed_at FROM tickets t JOIN rmm_alerts a ON a.ticket_id = t.id"
        " WHERE a.dedup_key LIKE :key",
        key=f"%|check:{condition}",
    )
    still_open = {ticket["id"] for ticket in tickets if ticket["closed_at"] is None}
    if condition in HANDLED:
        assert still_open == {ticket["id"] for ticket in tickets}
        assert len(still_open) == 1
        assert still_open <= touched
    else:
        wanted = any(plan.open[alert] for alert in _ids(plan, condition))
        assert len(still_open) == wanted, (condition, tickets)


def _count(world: World, condition: int) -> int:
    return int(
        world.one(
            "SELECT occurrence_count FROM rmm_alert_conditions WHERE dedup_key LIKE :key",
            key=f"%|check:{condition}",
        )
    )


def _ids(plan: Plan, condition: int) -> list[str]:
    return [alert for alert in plan.open if int(alert) // 1000 == condition]


def _work_on(world: World) -> set[str]:
    """A person comments the tickets of the handled conditions."""
    found = set()
    for condition in HANDLED:
        row = world.rows(
            "SELECT ticket_id FROM rmm_alerts WHERE dedup_key LIKE :key LIMIT 1", key=f"%|check:{condition}"
        )[0]
        world.do(
            "INSERT INTO comments (tenant_id, id, ticket_id, user_id, body, is_internal, is_system_generated,"
            " at) SELECT u.tenant_id, gen_random_uuid()::text, :ticket, u.id, 'On it', false, false, now()"
            " FROM users u WHERE u.tenant_id = :tenant ORDER BY u.id LIMIT 1",
            tenant=world.tenant,
            ticket=row["ticket_id"],
        )
        found.add(row["ticket_id"])
    return found


def _plan(world: World, chance: random.Random) -> Plan:
    plan = Plan()
    for condition in CONDITIONS:
        for number in range(8):
            _add_alert(plan, world, chance, condition, condition * 1000 + number)
    chance.shuffle(plan.first)
    chance.shuffle(plan.then)
    return plan


def _add_alert(plan: Plan, world: World, chance: random.Random, condition: int, alert: int) -> None:
    """It fires, perhaps is acknowledged, ends, fires anew, ends again; each comes up to thrice."""

    def at(minutes: int) -> str:
        return f"{START + timedelta(minutes=minutes):%Y-%m-%d %H:%M:%S}.{alert % 1000:06}+00:00"

    def fires(minutes: int) -> dict[str, Any]:
        return world.body(alert, check_id=str(condition), alert_time=at(minutes))

    def ends(minutes: int) -> dict[str, Any]:
        return world.body(alert, event="resolved", check_id=str(condition), resolved_on=at(minutes))

    lives = 0 if condition in COUNTED else chance.randint(0, 3)
    story = [fires(0)]
    for life in range(1, lives + 1):
        story.append(ends(life * 20) if life % 2 else fires(life * 20))
    known_first = condition in HANDLED or condition in COUNTED or chance.random() < 0.6
    if known_first:
        plan.first.append(story[0])
        if chance.random() < 0.5:
            plan.then.append({**fires(0), "acknowledged": True})
    plan.then += [event for event in story for _ in range(chance.randint(1, 3))]
    plan.open[str(alert)] = lives % 2 == 0


def _bring(web: str, world: World, events: list[dict[str, Any]], chance: random.Random) -> set[int]:
    """Deal the events to sixteen processes that work at once; the status codes of the webhook."""
    by_vendor = [event for event in events if event.get("acknowledged")]
    hands: list[list[dict[str, Any]]] = [[] for _ in range(SENDERS + POLLERS)]
    for event in events:
        if not event.get("acknowledged"):
            hands[chance.randrange(len(hands))].append(event)
    for event in by_vendor:
        hands[SENDERS + chance.randrange(POLLERS)].append(event)
    for hand in hands:
        chance.shuffle(hand)
    url = f"{web}/api/webhooks/tacticalrmm/{world.token}"
    sender = [sys.executable, "-m", "tests.harness.sender", url, world.secret]
    poller = [sys.executable, "-m", "tests.harness.poller", world.tenant, str(world.integration_id)]
    env = environment(world)
    processes = [
        subprocess.Popen(
            sender if index < SENDERS else poller,
            env=env,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for index in range(len(hands))
    ]
    for process, hand in zip(processes, hands, strict=True):
        assert process.stdin is not None
        process.stdin.write("".join(f"{json.dumps(event)}\n" for event in hand))
        process.stdin.close()
    told = []
    for process in processes:
        assert process.stdout is not None
        told.append(json.loads(process.stdout.read() or "null"))
        process.stdout.close()
        assert process.wait(timeout=120) == 0
    for outcomes, hand in zip(told, hands, strict=True):
        assert len(outcomes) == len(hand)
    return {status for statuses in told[:SENDERS] for status in statuses}
