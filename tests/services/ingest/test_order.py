"""Events in whatever order they come: the vendor's time decides, and nothing moves backwards."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rmm_extension.domain.types import Channel
from rmm_extension.models import utc_now
from rmm_extension.services import manual
from rmm_extension.services.webhooks import take
from tests.harness.world import World
from tests.services.ingest.test_adoption import polled
from tests.services.working import relay_all, steps


def moment(hour: int) -> str:
    return f"2026-11-21 0{hour}:00:00+00:00"


def send(world: World, said: str) -> dict[str, Any]:
    """``T3`` is a trigger at three o'clock, ``R3`` a reset."""
    at = moment(int(said[1]))
    if said[0] == "T":
        return dict(world.post(world.body(alert_time=at)).json or {})
    return dict(world.post(world.resolved(resolved_on=at)).json or {})


@pytest.mark.parametrize(
    "order, status, episode, tickets",
    [
        ("T1 R2", "auto_resolved", 1, 1),
        ("R2 T1", "resolved", 1, 0),
        ("R2 T2", "resolved", 1, 0),
        ("R1 T2", "active", 2, 1),
        ("T2 R1", "active", 1, 1),
        ("T1 T1 T1", "active", 1, 1),
        ("T1 R2 T2", "auto_resolved", 1, 1),
        ("T1 R2 T1", "auto_resolved", 1, 1),
        ("T1 R2 T3", "active", 2, 2),
        ("T1 R2 R2 T3 R4", "auto_resolved", 2, 2),
        ("T1 R2 R4 T3", "auto_resolved", 1, 1),
        ("R4 R2 T3", "resolved", 1, 0),
    ],
)
def test_the_vendors_time_decides(world: World, order: str, status: str, episode: int, tickets: int) -> None:
    for said in order.split():
        send(world, said)
    alert = world.alert()
    assert (alert["status"], alert["episode"], len(world.tickets())) == (status, episode, tickets)


def test_a_late_end_of_something_that_ended_is_told_and_nobody_is_called(world: World) -> None:
    for said in ("T1", "R2"):
        send(world, said)
    relay_all(world)
    notes = world.notes(world.tickets()[0]["id"])
    assert send(world, "R4")["reason"] == "already_resolved"
    assert steps(world)[-1] == "cleared_again"
    assert world.notes(world.tickets()[0]["id"]) == notes
    assert relay_all(world) == []
    before = world.rows("SELECT * FROM rmm_alert_events")
    send(world, "R4")
    assert world.rows("SELECT * FROM rmm_alert_events") == before


class TestWhatTheHistoryHolds:
    def test_how_long_a_delivery_took(self, world: World) -> None:
        world.post()
        world.post(world.body(severity="warning"))
        world.post(world.resolved())
        found = world.rows("SELECT duration_ms FROM rmm_alert_events")
        assert len(found) == 3
        assert all(0 < row["duration_ms"] < 60_000 for row in found)

    def test_no_time_where_nothing_was_delivered(self, world: World) -> None:
        with world.app.app_context():
            take(world.rmm, world.tenant, world.integration_id, polled(), Channel.POLL)
            manual.acknowledge(world.rmm, world.admin, [world.alert()["id"]])
        assert world.one("SELECT count(*) FROM rmm_alert_events WHERE duration_ms IS NOT NULL") == 0

    def test_the_rule_that_took_the_alert(self, world: World) -> None:
        (rule,) = world.rows("SELECT id FROM rmm_alert_rules")
        world.post()
        world.post(world.resolved())
        found = world.rows("SELECT outcome, rule_id FROM rmm_alert_events ORDER BY id")
        assert [(row["outcome"], row["rule_id"]) for row in found] == [
            ("ticket_created", rule["id"]),
            ("resolved", None),
        ]

    def test_the_ticket_that_was_joined(self, world: World) -> None:
        world.post(world.body(1))
        world.post(world.body(2))
        (row,) = world.rows("SELECT steps FROM rmm_alert_events WHERE outcome = 'occurrence_appended'")
        joined = row["steps"][-1]
        assert (joined["code"], joined["ticket_id"]) == ("joined_ticket", world.tickets()[0]["id"])


class TestATimeThatCannotBe:
    """A vendor's clock that runs years ahead must not close an alert to everything that comes after."""

    AHEAD = "2077-01-01 00:00:00+00:00"

    def test_a_beginning_in_the_future_still_ends(self, world: World) -> None:
        world.post(world.body(alert_time=self.AHEAD))
        assert world.post(world.resolved(resolved_on="None")).json["outcome"] == "resolved"

    def test_an_end_in_the_future_still_lets_it_begin_again(self, world: World) -> None:
        world.post()
        world.post(world.resolved(resolved_on=self.AHEAD))
        assert world.post(world.body(alert_time="None")).json["outcome"] == "ticket_created"

    def test_a_tombstone_of_the_future_too(self, world: World) -> None:
        world.post(world.resolved(resolved_on=self.AHEAD))
        assert world.post(world.body(alert_time="None")).json["outcome"] == "ticket_created"

    def test_a_repeat_of_it_changes_nothing(self, world: World) -> None:
        for _ in range(3):
            outcome = world.post(world.body(alert_time=self.AHEAD)).json["outcome"]
        assert outcome == "skipped"
        assert world.one("SELECT count(*) FROM rmm_alert_events") == 1

    def test_a_hold_does_not_last_until_then(self, world: World) -> None:
        world.do("DELETE FROM rmm_alert_rules")
        world.add_rule(0, holdMinutes=10)
        world.post(world.body(alert_time=self.AHEAD))
        assert world.alert()["hold_until"] < utc_now() + timedelta(minutes=11)
