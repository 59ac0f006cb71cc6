"""An alert that was recorded without a ticket gets worse."""

from __future__ import annotations

import pytest

from tests.harness.world import World

CRITICAL = {"severities": ["critical"]}
ALWAYS_LATER = "2026-11-21 02:30:00+00:00"


@pytest.fixture
def picky(world: World) -> World:
    """Only critical alerts make tickets."""
    world.do("DELETE FROM rmm_alert_rules")
    world.add_rule(0, CRITICAL)
    return world


def test_a_rule_that_did_not_want_it_before_takes_it(picky: World) -> None:
    assert picky.post(picky.body(severity="warning")).json["outcome"] == "recorded_only"
    assert picky.post(picky.body(severity="error")).json["outcome"] == "ticket_created"
    (ticket,) = picky.tickets()
    alert = picky.alert()
    assert (alert["severity"], alert["ticket_id"]) == ("critical", ticket["id"])
    assert alert["matched_rule_id"] is not None
    assert picky.one("SELECT count(*) FROM rmm_alerts") == 1
    told = picky.one(
        "SELECT jsonb_path_query_array(steps, '$[*].code') FROM rmm_alert_events ORDER BY id DESC LIMIT 1"
    )
    assert told[:2] == ["received", "severity_changed"]
    assert "ticket_created" in told


def test_it_joins_the_open_ticket_of_its_condition(picky: World) -> None:
    picky.post(picky.body(1, severity="error"))
    picky.post(picky.body(2, severity="warning"))
    assert picky.post(picky.body(2, severity="error")).json["outcome"] == "occurrence_appended"
    assert len(picky.tickets()) == 1
    assert picky.one("SELECT occurrence_count FROM rmm_alert_conditions") == 2


@pytest.mark.parametrize("severity", ["info", "warning"])
def test_what_does_not_get_worse_is_not_decided_anew(picky: World, severity: str) -> None:
    picky.post(picky.body(severity="warning"))
    picky.add_rule(1)
    picky.post(picky.body(severity=severity, alert_time=ALWAYS_LATER))
    assert picky.tickets() == []


def test_delivered_twice_it_is_one_ticket(picky: World) -> None:
    picky.post(picky.body(severity="warning"))
    for _ in range(3):
        picky.post(picky.body(severity="error"))
    assert len(picky.tickets()) == 1
    assert picky.one("SELECT occurrence_count FROM rmm_alert_conditions") == 1
