"""A rule that waits: a ticket only of what lasts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from rmm_extension.models import utc_now
from rmm_extension.services import attention
from tests.harness.world import World
from tests.services.working import queued, relay_all, signals, steps, work


@pytest.fixture
def holding(world: World) -> World:
    """Every alert makes a ticket once it has lasted ten minutes."""
    world.do("DELETE FROM rmm_alert_rules")
    world.add_rule(0, holdMinutes=10)
    return world


def ago(minutes: float) -> str:
    """A time of the vendor's, so many minutes before now."""
    return (utc_now() - timedelta(minutes=minutes)).isoformat(sep=" ")


def tick(world: World) -> list[Any]:
    with world.app.app_context():
        attention.retry_due(world.rmm)
    return work(world, "alert_decisions")


def pass_time(world: World) -> None:
    """The hold is over, as the clock sees it."""
    world.do("UPDATE rmm_alerts SET hold_until = now() - interval '1 second' WHERE hold_until IS NOT NULL")


def test_it_is_stored_with_its_rule_and_makes_no_ticket_yet(holding: World) -> None:
    answer = holding.post(holding.body(alert_time=ago(1), message="Disk full"))
    assert answer.json["outcome"] == "held"
    alert = holding.alert()
    assert (alert["status"], alert["ticket_id"], alert["attention"]) == ("active", None, None)
    assert alert["matched_rule_id"] is not None
    assert alert["rule_actions"]["holdMinutes"] == 10
    assert alert["hold_until"] == alert["triggered_at"] + timedelta(minutes=10)
    assert steps(holding)[-2:] == ["rule_matched", "held"]
    assert holding.tickets() == []
    assert signals(holding) == ["webhook_received", "alert_triggered"]


def test_it_makes_its_ticket_when_it_is_still_open_then(holding: World) -> None:
    holding.post(holding.body(alert_time=ago(1), message="Disk full"))
    relay_all(holding)
    assert tick(holding) == []
    pass_time(holding)
    assert tick(holding) == [{"decided": 1, "still_waiting": 0}]
    (ticket,) = holding.tickets()
    alert = holding.alert()
    assert (alert["ticket_id"], alert["hold_until"]) == (ticket["id"], None)
    assert alert["auto_ticket_created"] is True
    assert steps(holding)[-3:] == ["hold_over", "rule_matched", "ticket_created"]
    assert signals(holding) == ["ticket_created", "ticket_linked"]
    assert holding.one("SELECT occurrence_count FROM rmm_alert_conditions") == 1
    assert tick(holding) == []


def test_its_end_before_that_leaves_no_ticket(holding: World) -> None:
    holding.post(holding.body(alert_time=ago(5)))
    ended = holding.post(holding.resolved(alert_time=ago(5), resolved_on=ago(1)))
    assert ended.json["outcome"] == "resolved"
    alert = holding.alert()
    assert (alert["status"], alert["hold_until"]) == ("resolved", None)
    pass_time(holding)
    assert tick(holding) == []
    assert holding.tickets() == []


def test_what_has_lasted_that_long_when_it_comes_is_not_held(holding: World) -> None:
    assert holding.post(holding.body(alert_time=ago(11))).json["outcome"] == "ticket_created"
    assert holding.alert()["hold_until"] is None


def test_a_new_episode_is_held_afresh(holding: World) -> None:
    holding.post(holding.body(alert_time=ago(9)))
    holding.post(holding.resolved(alert_time=ago(9), resolved_on=ago(8)))
    assert holding.post(holding.body(alert_time=ago(2))).json["outcome"] == "held"
    alert = holding.alert()
    assert (alert["episode"], alert["hold_until"]) == (2, alert["triggered_at"] + timedelta(minutes=10))


def test_it_joins_the_open_ticket_of_its_condition_at_once(holding: World) -> None:
    holding.post(holding.body(1, alert_time=ago(30)))
    assert holding.post(holding.body(2, alert_time=ago(1))).json["outcome"] == "occurrence_appended"
    assert holding.alert(2)["hold_until"] is None
    assert len(holding.tickets()) == 1


def test_two_that_were_held_share_one_ticket_with_an_exact_count(holding: World) -> None:
    holding.post(holding.body(1, alert_time=ago(5)))
    holding.post(holding.body(2, alert_time=ago(4)))
    pass_time(holding)
    assert tick(holding) == [{"decided": 2, "still_waiting": 0}]
    (ticket,) = holding.tickets()
    assert "occurrence 2" in holding.notes(ticket["id"])[-1]
    assert holding.one("SELECT occurrence_count FROM rmm_alert_conditions") == 2


def test_after_it_windows_are_asked_for_now(holding: World) -> None:
    holding.post(holding.body(alert_time=ago(1)))
    holding.do(
        "INSERT INTO rmm_maintenance_windows (tenant_id, id, name, is_active, starts_at, ends_at, created_at,"
        " updated_at) VALUES (:tenant, gen_random_uuid(), 'Patches', TRUE, now() - interval '1 hour',"
        " now() + interval '1 hour', now(), now())",
        tenant=holding.tenant,
    )
    holding.do("UPDATE rmm_integrations SET config_version = config_version + 1")
    pass_time(holding)
    tick(holding)
    alert = holding.alert()
    assert (alert["status"], alert["hold_until"], alert["matched_rule_id"]) == ("suppressed", None, None)
    assert holding.tickets() == []


def test_after_it_no_rule_holds_a_second_time(holding: World) -> None:
    holding.post(holding.body(alert_time=ago(1)))
    holding.do("DELETE FROM rmm_alert_rules")
    holding.add_rule(0, holdMinutes=1440)
    pass_time(holding)
    tick(holding)
    assert len(holding.tickets()) == 1


def test_an_acknowledged_one_gets_its_ticket_too(holding: World) -> None:
    holding.post(holding.body(alert_time=ago(1)))
    holding.do("UPDATE rmm_alerts SET status = 'acknowledged'")
    pass_time(holding)
    tick(holding)
    assert holding.alert()["status"] == "acknowledged"
    assert len(holding.tickets()) == 1


def test_one_without_a_client_waits_for_it_after_the_hold(holding: World) -> None:
    holding.do("UPDATE rmm_organization_mappings SET client_id = NULL")
    assert holding.post(holding.body(alert_time=ago(1))).json["outcome"] == "held"
    pass_time(holding)
    tick(holding)
    alert = holding.alert()
    assert (alert["attention"], alert["hold_until"]) == ("no_client", None)


def test_the_hit_of_its_rule_counts_once(holding: World) -> None:
    holding.post(holding.body(alert_time=ago(1)))
    pass_time(holding)
    tick(holding)
    assert holding.one("SELECT count(*) FROM rmm_alert_events WHERE rule_id IS NOT NULL") == 1


def test_ticks_that_overlap_start_one_run(holding: World) -> None:
    holding.post(holding.body(alert_time=ago(1)))
    pass_time(holding)
    with holding.app.app_context():
        assert attention.retry_due(holding.rmm) == 1
        assert attention.retry_due(holding.rmm) == 0
    assert len(queued(holding, "alert_decisions")) == 1


def test_the_history_says_until_when(holding: World) -> None:
    holding.post(holding.body(alert_time=ago(1)))
    (row,) = holding.rows("SELECT steps FROM rmm_alert_events")
    held = row["steps"][-1]
    assert (held["code"], held["minutes"]) == ("held", 10)
    assert datetime.fromisoformat(held["until"]) == holding.alert()["hold_until"]
