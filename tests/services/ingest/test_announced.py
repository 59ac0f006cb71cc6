"""An episode of an alert is told once, however often it is decided; an end that nobody waits for is not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rmm_extension.models import MaintenanceWindow, new_id, utc_now
from rmm_extension.services import attention, window_end
from tests.harness.world import World
from tests.services.ingest.test_adoption import minimal, poll, polled
from tests.services.working import signals, work

CRITICAL = {"severities": ["critical"]}
LATER = "2026-11-21 02:30:00+00:00"


@pytest.fixture
def picky(world: World) -> World:
    """Only critical alerts make tickets, and nobody is asked which are active."""
    world.do("DELETE FROM rmm_alert_rules")
    world.do('UPDATE rmm_integrations SET settings = \'{"alertPolling": {"enabled": false}}\'')
    world.add_rule(0, CRITICAL)
    return world


def window_of_now(world: World) -> None:
    now = utc_now()
    with world.unit() as session:
        times = {"starts_at": now - timedelta(hours=1), "ends_at": now + timedelta(hours=1)}
        session.add(MaintenanceWindow(tenant_id=world.tenant, id=new_id(), name="Patch night", **times))
    world.do("UPDATE rmm_integrations SET config_version = config_version + 1")


def window_ends(world: World) -> None:
    world.do("UPDATE rmm_maintenance_windows SET ends_at = now() - interval '1 minute'")
    world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
    with world.app.app_context():
        window_end.end_windows(world.rmm)
    work(world, "window_end")


def test_an_alert_that_got_worse_in_a_window_is_told_once(picky: World) -> None:
    picky.post(picky.body(severity="warning"))
    window_of_now(picky)
    assert picky.post(picky.body(severity="error", alert_time=LATER)).json["outcome"] == "suppressed"
    window_ends(picky)
    assert picky.alert()["ticket_id"] is not None
    assert signals(picky).count("alert_triggered") == 1


def test_an_adopted_alert_that_waits_for_its_text_is_told_once(picky: World) -> None:
    picky.add_rule(1, {"keywords": ["disk c:"]})
    assert picky.post(minimal()).json["outcome"] == "recorded_only"
    assert poll(picky, polled(message=None, severity="warning")) == "awaiting_details"
    assert poll(picky, polled(severity="warning", at=LATER)) == "ticket_created"
    assert signals(picky).count("alert_triggered") == 1


@pytest.mark.parametrize("why", ["held", "no client"])
def test_an_alert_whose_waiting_ends_in_a_window_is_told_once(picky: World, why: str) -> None:
    if why == "held":
        picky.do("DELETE FROM rmm_alert_rules")
        picky.add_rule(0, holdMinutes=60)
        picky.post(picky.body(alert_time=utc_now().isoformat(sep=" ")))
        picky.do("UPDATE rmm_alerts SET hold_until = now(), triggered_at = triggered_at - interval '2 hours'")
    else:
        picky.do("UPDATE rmm_organization_mappings SET client_id = NULL")
        picky.post()
        picky.do("UPDATE rmm_organization_mappings SET client_id = :client", client=picky.client_id)
    window_of_now(picky)
    with picky.app.app_context():
        attention.retry_due(picky.rmm)
    work(picky, "alert_decisions")
    assert picky.alert()["status"] == "suppressed"
    window_ends(picky)
    assert picky.alert()["ticket_id"] is not None
    assert signals(picky).count("alert_triggered") == 1


def test_the_next_episode_is_told_when_its_window_ends(picky: World) -> None:
    picky.post()
    picky.post(picky.resolved())
    assert signals(picky).count("alert_triggered") == 1
    window_of_now(picky)
    assert picky.post(picky.body(alert_time=utc_now().isoformat(sep=" "))).json["outcome"] == "suppressed"
    assert "alert_triggered" not in signals(picky)
    window_ends(picky)
    assert signals(picky).count("alert_triggered") == 1


def test_the_end_of_what_was_told_before_its_window_is_told(picky: World) -> None:
    picky.post(picky.body(severity="warning"))
    window_of_now(picky)
    picky.post(picky.body(severity="error", alert_time=LATER))
    assert picky.post(picky.resolved()).json["outcome"] == "resolved"
    assert signals(picky).count("alert_resolved") == 1


def test_the_end_of_what_waited_for_its_text_is_told_to_nobody(picky: World) -> None:
    picky.add_rule(1, {"keywords": ["disk c:"]})
    assert picky.post(picky.body(severity="warning")).json["outcome"] == "awaiting_details"
    assert picky.post(picky.resolved()).json["outcome"] == "resolved"
    assert not {"alert_triggered", "alert_resolved"} & set(signals(picky))
