"""Webhooks cut off: polling brings what they would have brought, over HTTP from a simulated vendor."""

from __future__ import annotations

import pytest

from tests.harness.world import World
from tests.services.reconcile.conftest import Vendor
from tests.services.working import relay_all, steps


def test_an_unknown_active_alert_becomes_a_ticket(world: World, vendor: Vendor) -> None:
    alert_id = vendor.trigger()
    run = vendor.poll()
    assert (run["status"], run["counts"]) == ("succeeded", {"processed": 1, "created": 1})
    alert = world.alert(alert_id)
    assert (alert["status"], alert["first_channel"]) == ("active", "poll")
    (ticket,) = world.tickets()
    assert alert["ticket_id"] == ticket["id"]


def test_what_is_resolved_at_the_vendor_closes_its_ticket(world: World, vendor: Vendor) -> None:
    kept, gone = vendor.trigger(0), vendor.trigger(1)
    vendor.poll()
    vendor.resolve(gone)
    run = vendor.poll()
    assert run["counts"] == {"processed": 1, "resolved": 1}
    assert world.alert(gone)["status"] == "auto_resolved"
    assert world.alert(kept)["status"] == "active"
    assert steps(world, gone)[-2:] == ["vanished", "ticket_closed"]
    states = {row["id"]: row["closed_at"] for row in world.tickets()}
    assert states[world.alert(gone)["ticket_id"]] is not None
    assert states[world.alert(kept)["ticket_id"]] is None


def test_an_alert_that_a_webhook_brought_ends_by_polling_too(world: World, vendor: Vendor) -> None:
    vendor.trigger()
    vendor.poll()
    world.post(world.body(900_000))
    vendor.poll()
    alert = world.alert(900_000)
    assert (alert["first_channel"], alert["status"]) == ("webhook", "auto_resolved")


def test_a_raised_severity_reaches_alert_and_ticket(world: World, vendor: Vendor) -> None:
    alert_id = vendor.trigger(severity="warning", check_id=None)
    vendor.poll()
    assert world.alert(alert_id)["severity"] == "moderate"
    vendor.lab.alerts[int(alert_id)].severity = "error"
    run = vendor.poll()
    assert run["counts"] == {"processed": 1, "updated": 1}
    assert world.alert(alert_id)["severity"] == "critical"
    assert "Severity rose from moderate to critical." in world.notes(world.tickets()[0]["id"])
    assert vendor.poll()["counts"] == {"processed": 1}


def test_the_text_that_a_webhook_does_not_carry_comes_with_the_poll(world: World, vendor: Vendor) -> None:
    world.do("DELETE FROM rmm_alert_rules")
    world.add_rule(0, {"keywords": ["is overdue", "failed", "check"]})
    alert_id = vendor.trigger()
    alert = vendor.lab.alerts[int(alert_id)]
    told = alert.alert_time.isoformat(sep=" ")
    agent = vendor.agents[0].agent_id
    world.post(world.body(alert_id, agent_id=agent, check_id=str(alert.check_id), alert_time=told))
    assert world.alert(alert_id)["details_due_at"] is not None
    vendor.poll()
    alert_row = world.alert(alert_id)
    assert (alert_row["details_due_at"], alert_row["message"]) == (None, alert.message)
    assert len(world.tickets()) == 1


def test_an_alert_stored_without_its_number_is_adopted_and_never_missing(
    world: World, vendor: Vendor
) -> None:
    alert_id = vendor.trigger(0)
    agent = vendor.agents[0].agent_id
    other = vendor.agents[1].agent_id
    for one in (agent, other):
        body = {"event": "failure", "agent_id": one, "alert_type": "check", "client_id": "1"}
        assert world.post(body).json["outcome"] == "ticket_created"
    vendor.poll()
    assert world.alert(alert_id)["synthesized"] is False
    assert len(world.tickets()) == 2
    left = world.alert(f"agent:{other}:check")
    assert (left["status"], left["synthesized"]) == ("active", True)


def test_a_ticket_stays_for_the_alert_that_took_its_place(world: World, vendor: Vendor) -> None:
    """Tactical RMM gives a condition that fails again a new alert: the old one's end must not close it."""
    first = vendor.trigger()
    vendor.poll()
    check = vendor.lab.alerts[int(first)].check_id
    vendor.resolve(first)
    second = vendor.trigger(check_id=check)
    assert first != second
    vendor.poll()
    (ticket,) = world.tickets()
    assert ticket["closed_at"] is None
    assert world.alert(second)["ticket_id"] == ticket["id"]
    assert world.alert(first)["status"] == "resolved"


def test_a_second_poll_changes_nothing(world: World, vendor: Vendor) -> None:
    for agent in range(3):
        vendor.trigger(agent)
    vendor.poll()
    before = world.rows("SELECT id, xmin::text FROM rmm_alerts ORDER BY id")
    assert vendor.poll()["counts"] == {"processed": 3}
    assert world.rows("SELECT id, xmin::text FROM rmm_alerts ORDER BY id") == before


def test_hidden_and_snoozed_alerts_are_open(world: World, vendor: Vendor) -> None:
    hidden, snoozed = vendor.trigger(0), vendor.trigger(1)
    vendor.poll()
    vendor.lab.alerts[int(hidden)].hidden = True
    vendor.lab.alerts[int(snoozed)].snoozed = True
    assert vendor.poll()["counts"] == {"processed": 2}
    assert world.alert(hidden)["status"] == world.alert(snoozed)["status"] == "active"


def test_a_sync_is_told_when_it_begins_and_ends(world: World, vendor: Vendor) -> None:
    gone = vendor.trigger(0)
    vendor.trigger(1)
    vendor.poll()
    vendor.resolve(gone)
    relay_all(world)
    vendor.poll()
    told = [(name, payload) for name, payload in relay_all(world) if name.startswith("sync_")]
    assert [name for name, _ in told] == ["sync_started", "sync_finished"]
    finished = told[1][1]
    assert finished["syncType"] == "alerts"
    assert (finished["actorType"], finished["actorUserId"]) == ("USER", "admin")
    assert (finished["itemsProcessed"], finished["itemsCreated"], finished["itemsUpdated"]) == (1, 0, 1)


@pytest.mark.parametrize("state", ["paused", "not_connected", "needs_reauth"])
def test_a_connection_that_does_not_work_is_not_polled(world: World, vendor: Vendor, state: str) -> None:
    vendor.trigger()
    world.do("UPDATE rmm_integrations SET state = :state", state=state)
    assert vendor.poll()["status"] == "failed"
    assert vendor.lab.requests == [] or all("alerts" not in r["path"] for r in vendor.lab.requests)
    assert world.one("SELECT count(*) FROM rmm_alerts") == 0


def test_the_connection_remembers_the_start_of_the_fetch(world: World, vendor: Vendor) -> None:
    before = world.one("SELECT clock_timestamp()")
    run = vendor.poll()
    times = vendor.connection()
    assert before < times["last_reconciled_at"] <= run["finished_at"]
    assert times["last_error"] is None
