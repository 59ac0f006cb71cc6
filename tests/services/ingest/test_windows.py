"""Maintenance windows in the pipeline: no ticket and no event, but never forgotten."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rmm_extension.domain.types import Channel
from rmm_extension.models import MaintenanceWindow, new_id
from rmm_extension.services import details
from rmm_extension.services.ingest import decide_again
from tests.harness.world import World
from tests.services.working import relay_all, signals, steps

WEEKLY = {"type": "weekly", "days": [6], "startTime": "02:00", "endTime": "03:00", "timezone": "UTC"}
"""2026-11-21, the day of the test deliveries, is a Saturday."""


def window(world: World, **values: Any) -> None:
    basic = {"name": "Patch night", "starts_at": at(2), "ends_at": at(3)}
    with world.unit() as session:
        session.add(MaintenanceWindow(tenant_id=world.tenant, id=new_id(), **(basic | values)))
    world.do("UPDATE rmm_integrations SET config_version = config_version + 1")


def at(hour: int) -> datetime:
    return datetime(2026, 11, 21, hour, tzinfo=UTC)


@pytest.mark.parametrize("values", [{}, {"starts_at": None, "ends_at": None, "recurrence": WEEKLY}])
def test_an_alert_in_a_window_is_recorded_and_nothing_else(world: World, values: dict[str, Any]) -> None:
    window(world, **values)
    assert world.post().json == {"recorded": True, "outcome": "suppressed"}
    alert = world.alert()
    assert (alert["status"], alert["ticket_id"], alert["matched_rule_id"]) == ("suppressed", None, None)
    assert alert["suppressed_by_window_id"] is not None
    assert world.tickets() == []
    assert world.one("SELECT count(*) FROM rmm_alert_conditions") == 0
    assert "alert_triggered" not in signals(world)
    assert steps(world) == ["received", "suppressed"]


@pytest.mark.parametrize(
    "values",
    [
        {"ends_at": datetime(2026, 11, 21, 2, 6, tzinfo=UTC)},
        {"is_active": False},
        {"client_id": "another"},
        {"asset_id": "another"},
        {"integration_id": new_id()},
        {"recurrence": {**WEEKLY, "days": [0]}},
        {"recurrence": {**WEEKLY, "timezone": "America"}},
        {"tenant_id": "another"},
    ],
)
def test_a_window_that_does_not_hold_here_is_none(world: World, values: dict[str, Any]) -> None:
    if "tenant_id" in values:
        with world.unit() as session:
            session.add(
                MaintenanceWindow(tenant_id="another", id=new_id(), name="x", starts_at=at(2), ends_at=at(3))
            )
        world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
    else:
        window(world, **values)
    assert world.post().json["outcome"] == "ticket_created"


def test_all_windows_that_hold_are_named(world: World) -> None:
    window(world, name="One")
    window(world, name="Two", client_id=world.client_id)
    window(world, name="Three", integration_id=world.integration_id)
    world.post()
    (row,) = world.rows("SELECT steps FROM rmm_alert_events")
    assert [step.get("window") for step in row["steps"] if step["code"] == "suppressed"] == [
        "One",
        "Two",
        "Three",
    ]


def test_the_end_of_a_suppressed_alert_is_quiet(world: World) -> None:
    window(world)
    world.post()
    relay_all(world)
    assert world.post(world.resolved()).json["outcome"] == "resolved"
    assert world.alert()["status"] == "resolved"
    assert relay_all(world) == []


def test_a_repeat_in_the_window_changes_nothing(world: World) -> None:
    window(world)
    world.post()
    assert world.post().json["reason"] == "duplicate"


def test_once_the_window_is_over_a_decision_opens_the_ticket_and_tells_it(world: World) -> None:
    """Later decisions ask the windows for now, although the alert's own time lies in one."""
    window(world)
    world.post()
    relay_all(world)
    with world.unit() as session:
        done = decide_again(world.rmm, session, world.tenant, world.alert()["id"], channel=Channel.TICK)
    assert done is not None
    assert done.outcome == "ticket_created"
    alert = world.alert()
    assert (alert["status"], alert["suppressed_by_window_id"]) == ("active", None)
    assert signals(world) == ["alert_triggered", "ticket_created", "ticket_linked"]


def test_while_a_window_holds_a_decision_leaves_it_suppressed(world: World) -> None:
    now = datetime.now(UTC)
    window(world)
    world.post()
    window(
        world, name="Longer", starts_at=now.replace(year=now.year - 1), ends_at=now.replace(year=now.year + 1)
    )
    with world.unit() as session:
        done = decide_again(world.rmm, session, world.tenant, world.alert()["id"], channel=Channel.TICK)
    assert done is not None
    assert done.outcome == "suppressed"
    assert world.alert()["status"] == "suppressed"


def test_a_suppressed_alert_does_not_wait_for_its_text(world: World) -> None:
    world.do("DELETE FROM rmm_alert_rules")
    world.add_rule(0, {"keywords": ["disk"]})
    window(world)
    world.post()
    assert world.alert()["details_due_at"] is None
    with world.app.app_context():
        assert details.decide_overdue(world.rmm) == 0


def test_an_edit_of_windows_holds_for_the_very_next_event(world: World) -> None:
    assert world.post(world.body(1, check_id="1")).json["outcome"] == "ticket_created"
    window(world)
    assert world.post(world.body(2, check_id="2")).json["outcome"] == "suppressed"
    world.do("DELETE FROM rmm_maintenance_windows")
    world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
    assert world.post(world.body(3, check_id="3")).json["outcome"] == "ticket_created"
