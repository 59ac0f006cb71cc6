"""The end of maintenance windows: what is still active goes through rules, and the vendor is asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from rmm_extension.domain.errors import Unavailable
from rmm_extension.domain.story import sentences
from rmm_extension.domain.types import AlertEvent, AlertKind, Connection, Severity
from rmm_extension.models import MaintenanceWindow, new_id, utc_now
from rmm_extension.providers.tacticalrmm import TacticalRmm
from rmm_extension.services import recurring, window_end
from rmm_extension.testing.statements import StatementCounter
from tests.harness.world import AGENT, World
from tests.services.working import queued, signals, steps, work, work_one

POLL, DECIDE = "alert_reconcile", "window_end"
Lists = Callable[..., None]


@pytest.fixture(autouse=True)
def window(world: World) -> None:
    """A window around the time of the test's deliveries, which is now."""
    now = utc_now()
    with world.unit() as session:
        session.add(
            MaintenanceWindow(
                tenant_id=world.tenant,
                id=new_id(),
                name="Patch night",
                starts_at=now - timedelta(hours=2),
                ends_at=now + timedelta(hours=2),
            )
        )
    edited(world)


def edited(world: World) -> None:
    world.do("UPDATE rmm_integrations SET config_version = config_version + 1")


def over(world: World) -> None:
    """The window ended a minute ago."""
    world.do("UPDATE rmm_maintenance_windows SET ends_at = now() - interval '1 minute'")
    edited(world)


def suppress(world: World, number: int = 524, **changes: Any) -> None:
    began = (utc_now() - timedelta(minutes=30)).isoformat(sep=" ")
    answer = world.post(world.body(number, check_id=str(number), alert_time=began, **changes))
    assert answer.json["outcome"] == "suppressed"


def tick(world: World) -> int:
    with world.app.app_context():
        return window_end.end_windows(world.rmm)


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch) -> Lists:
    """``lists(524)`` is what the vendor lists from now on, ``lists(error)`` what it raises."""

    def script(*numbers: int, error: Exception | None = None) -> None:
        def active_alerts(self: TacticalRmm, connection: Connection) -> list[AlertEvent]:
            if error is not None:
                raise error
            return [listed(number) for number in numbers]

        def alert(self: TacticalRmm, connection: Connection, external_id: str) -> AlertEvent | None:
            return next(
                (one for one in active_alerts(self, connection) if one.external_id == external_id), None
            )

        monkeypatch.setattr(TacticalRmm, "active_alerts", active_alerts)
        monkeypatch.setattr(TacticalRmm, "alert", alert)

    return script


def listed(number: int) -> AlertEvent:
    return AlertEvent(
        kind=AlertKind.TRIGGERED,
        external_id=str(number),
        occurred_at=utc_now() - timedelta(minutes=40),
        severity=Severity.CRITICAL,
        external_device_id=AGENT,
        external_organization_id="1",
        condition=f"check:{number}",
    )


def test_while_the_window_holds_nothing_happens(world: World) -> None:
    suppress(world)
    assert tick(world) == 0


def test_the_vendor_is_asked_and_what_is_still_active_gets_its_ticket(world: World, lists: Lists) -> None:
    suppress(world)
    over(world)
    lists(524)
    assert tick(world) == 1
    assert queued(world, DECIDE) == []
    assert work(world, POLL) == [{"processed": 1, "decided": 1}]
    alert = world.alert()
    assert (alert["status"], alert["suppressed_by_window_id"]) == ("active", None)
    (ticket,) = world.tickets()
    assert alert["ticket_id"] == ticket["id"]
    told = steps(world)
    assert told[:3] == ["received", "suppressed", "window_ended"]
    assert "alert_triggered" in signals(world)
    assert tick(world) == 0


def test_what_is_over_by_then_ends_quietly(world: World, lists: Lists) -> None:
    suppress(world, 1)
    suppress(world, 2)
    over(world)
    lists(2)
    tick(world)
    work(world, POLL)
    assert world.alert(1)["status"] == "resolved"
    assert world.alert(2)["status"] == "active"
    assert len(world.tickets()) == 1


def test_a_scheduled_poll_after_the_window_does_the_same(world: World, lists: Lists) -> None:
    """The list names the time at which the alert began, which lies in the window: now is what counts."""
    suppress(world)
    over(world)
    lists(524)
    with world.app.app_context():
        assert recurring.start_due_polls(world.rmm) == 1
    work(world, POLL)
    assert world.alert()["status"] == "active"
    assert len(world.tickets()) == 1


def test_a_weekly_window_ends_too(world: World, lists: Lists) -> None:
    suppress(world)
    two_days_ago = (utc_now() - timedelta(days=2)).isoweekday() % 7
    times = '"startTime": "00:00", "endTime": "00:01", "timezone": "UTC"'
    recurrence = f'{{"type": "weekly", "days": [{two_days_ago}], {times}}}'
    world.do("UPDATE rmm_maintenance_windows SET recurrence = CAST(:r AS jsonb)", r=recurrence)
    edited(world)
    lists(524)
    assert tick(world) == 1


@pytest.mark.parametrize("how", ["deleted", "switched off"])
def test_a_window_that_was_taken_away_has_ended(world: World, lists: Lists, how: str) -> None:
    suppress(world)
    if how == "deleted":
        world.do("DELETE FROM rmm_maintenance_windows")
    else:
        world.do("UPDATE rmm_maintenance_windows SET is_active = FALSE")
    edited(world)
    lists(524)
    assert tick(world) == 1
    work(world, POLL)
    assert world.alert()["status"] == "active"


def test_another_window_that_holds_keeps_it_suppressed(world: World) -> None:
    suppress(world)
    over(world)
    now = utc_now()
    with world.unit() as session:
        session.add(
            MaintenanceWindow(
                tenant_id=world.tenant,
                id=new_id(),
                name="For this client",
                client_id=world.client_id,
                starts_at=now - timedelta(hours=1),
                ends_at=now + timedelta(hours=1),
            )
        )
    edited(world)
    assert tick(world) == 0


@pytest.mark.parametrize(
    "change",
    [
        "state = 'paused'",
        "state = 'needs_reauth'",
        "state = 'not_connected'",
        """settings = '{"alertPolling": {"enabled": false}}'""",
        "provider = 'gone'",
    ],
)
def test_where_the_vendor_cannot_be_asked_what_is_known_here_decides(world: World, change: str) -> None:
    suppress(world)
    over(world)
    world.do(f"UPDATE rmm_integrations SET {change}")
    assert tick(world) == 1
    assert queued(world, POLL) == []
    if "gone" in change:
        return
    assert work(world, DECIDE) == [{"decided": 1, "skipped": 0}]
    assert world.alert()["status"] == "active"
    assert len(world.tickets()) == 1
    assert "window_ended" in steps(world)


def test_a_fetch_that_fails_leaves_the_decision_to_what_is_known_here(world: World, lists: Lists) -> None:
    suppress(world)
    over(world)
    lists(error=Unavailable("Tactical RMM does not answer."))
    tick(world)
    (run_id,) = queued(world, POLL)
    assert work_one(world, run_id) == "Tactical RMM does not answer."
    assert work(world, DECIDE) == [{"decided": 1, "skipped": 0}]
    assert world.alert()["status"] == "active"


@pytest.mark.parametrize("state", ["failed", "put off"])
def test_a_window_that_ends_while_the_vendor_is_away_is_decided_here(world: World, state: str) -> None:
    suppress(world)
    over(world)
    tick(world)
    if state == "failed":
        world.do("UPDATE rmm_job_runs SET status = 'failed', finished_at = now()")
    else:
        world.do("UPDATE rmm_job_runs SET due_at = now() + interval '1 hour'")
    assert tick(world) == 1
    assert len(queued(world, DECIDE)) == 1


def test_a_poll_that_is_about_to_begin_is_not_doubled(world: World) -> None:
    suppress(world)
    over(world)
    assert tick(world) == 1
    assert tick(world) == 0


def test_what_a_poll_could_not_settle_is_not_asked_for_every_half_minute(world: World, lists: Lists) -> None:
    """Here the list is empty, which proves nothing before a second look."""
    suppress(world)
    over(world)
    lists()
    tick(world)
    (run_id,) = queued(world, POLL)
    world.do("UPDATE rmm_job_runs SET status = 'succeeded' WHERE id = :id", id=run_id)
    assert tick(world) == 0
    world.do("UPDATE rmm_job_runs SET queued_at = queued_at - interval '11 minutes'")
    assert tick(world) == 1


def test_alerts_of_our_own_ids_are_decided_here(world: World, lists: Lists) -> None:
    body = {"event": "failure", "agent_id": AGENT, "alert_type": "check", "client_id": "1"}
    assert world.post(body).json["outcome"] == "suppressed"
    suppress(world, 1, agent_id="another")
    over(world)
    lists(1)
    assert tick(world) == 2
    assert work(world, DECIDE) == [{"decided": 1, "skipped": 0}]
    assert world.alert(f"agent:{AGENT}:check")["status"] == "active"
    assert world.alert(1)["status"] == "suppressed"
    work(world, POLL)
    assert world.alert(1)["status"] == "active"


def test_an_acknowledged_alert_is_not_forgotten(world: World, lists: Lists) -> None:
    suppress(world)
    world.do("UPDATE rmm_alerts SET status = 'acknowledged'")
    over(world)
    lists(524)
    assert tick(world) == 1
    work(world, POLL)
    assert world.alert()["status"] == "acknowledged"
    assert len(world.tickets()) == 1


def test_the_story_names_the_window(world: World, lists: Lists) -> None:
    suppress(world)
    over(world)
    lists(524)
    tick(world)
    work(world, POLL)
    (row,) = world.rows("SELECT steps FROM rmm_alert_events ORDER BY at DESC, id DESC LIMIT 1")
    assert "Maintenance window “Patch night” ended." in sentences(row["steps"])


def test_a_suspended_tenant_waits(world: World) -> None:
    suppress(world)
    over(world)
    world.do("UPDATE tenants SET is_active = FALSE")
    assert tick(world) == 0


def test_a_tick_costs_the_same_for_many_alerts(world: World) -> None:
    counts = []
    for number in (1, 40):
        for at in range(number):
            suppress(world, number * 100 + at)
        if number == 1:
            tick(world)
        with StatementCounter() as sent:
            tick(world)
        counts.append(sent.count)
    over(world)
    with StatementCounter() as sent:
        assert tick(world) == 1
    assert counts[0] == counts[1] <= 2
    assert sent.count <= 8, sent
