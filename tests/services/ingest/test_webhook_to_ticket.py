"""From a delivery to a ticket and back."""

from __future__ import annotations

import json

import pytest

from tests.harness.world import AGENT, RESOLVED_ON, World


def test_a_failure_makes_a_ticket_with_all_it_knows(world: World) -> None:
    world.device(name="SERVER-01")
    answer = world.post()
    assert (answer.status_code, answer.json) == (200, {"recorded": True, "outcome": "ticket_created"})
    (ticket,) = world.tickets()
    assert ticket["title"] == "[Tactical RMM Alert] check on SERVER-01"
    assert ticket["client_id"] == world.client_id
    assert ticket["source_reference"] == "524"
    assert "Severity: critical" in ticket["description"]
    alert = world.alert()
    assert (alert["status"], alert["severity"], alert["ticket_id"]) == ("active", "critical", ticket["id"])
    assert alert["dedup_key"] == f"{AGENT}|check:202"
    (note,) = world.notes(ticket["id"])
    assert "External alert ID: 524" in note
    condition = world.rows("SELECT ticket_id, occurrence_count FROM rmm_alert_conditions")
    assert condition == [{"ticket_id": ticket["id"], "occurrence_count": 1}]


def test_a_repeat_changes_nothing(world: World) -> None:
    world.post()
    before = world.rows("SELECT * FROM rmm_alert_events")
    answer = world.post()
    assert answer.json == {"recorded": True, "outcome": "skipped", "reason": "duplicate"}
    assert world.rows("SELECT * FROM rmm_alert_events") == before
    assert len(world.tickets()) == 1


def test_another_alert_of_the_same_condition_joins_the_open_ticket(world: World) -> None:
    world.post()
    answer = world.post(world.body(525))
    assert answer.json["outcome"] == "occurrence_appended"
    (ticket,) = world.tickets()
    assert world.alert(525)["ticket_id"] == ticket["id"]
    assert len(world.notes(ticket["id"])) == 2
    assert "occurrence 2" in world.notes(ticket["id"])[1]
    assert world.one("SELECT occurrence_count FROM rmm_alert_conditions") == 2


def test_the_resolution_closes_an_untouched_ticket(world: World) -> None:
    world.post()
    answer = world.post(world.resolved())
    assert answer.json["outcome"] == "resolved"
    (ticket,) = world.tickets()
    assert ticket["closed_at"] is not None
    alert = world.alert()
    assert alert["status"] == "auto_resolved"
    assert alert["resolved_at"].isoformat() == "2026-11-21T03:00:00+00:00"
    notes = world.notes(ticket["id"])
    assert any("Alert resolved in Tactical RMM." in note for note in notes)
    assert any("Closed automatically" in note for note in notes)


def test_a_ticket_somebody_works_on_stays_open_and_says_why(world: World) -> None:
    world.post()
    (ticket,) = world.tickets()
    _comment(world, ticket["id"])
    world.post(world.resolved())
    (ticket,) = world.tickets()
    assert ticket["closed_at"] is None
    assert world.alert()["status"] == "resolved"
    assert "The ticket stays open:" in world.notes(ticket["id"])[-1]


def test_a_ticket_with_another_active_alert_stays_open(world: World) -> None:
    world.post()
    world.post(world.body(525))
    world.post(world.resolved(524))
    (ticket,) = world.tickets()
    assert ticket["closed_at"] is None
    assert "another alert on it is still active" in world.notes(ticket["id"])[-1]
    world.post(world.resolved(525))
    (ticket,) = world.tickets()
    assert ticket["closed_at"] is not None


def test_without_the_rules_consent_the_ticket_is_left_alone(world: World) -> None:
    world.do("UPDATE rmm_alert_rules SET actions = '{\"createTicket\": true}'")
    world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
    world.post()
    world.post(world.resolved())
    (ticket,) = world.tickets()
    assert ticket["closed_at"] is None
    assert len(world.notes(ticket["id"])) == 1
    steps = world.rows("SELECT steps FROM rmm_alert_events ORDER BY id DESC LIMIT 1")[0]["steps"]
    assert {"code": "ticket_untouched_rule_off"} in steps


def test_after_the_close_the_next_firing_makes_a_new_ticket(world: World) -> None:
    world.post()
    world.post(world.resolved())
    answer = world.post(world.body(600, alert_time="2026-11-21 04:00:00+00:00"))
    assert answer.json["outcome"] == "ticket_created"
    assert len(world.tickets()) == 2
    assert world.one("SELECT occurrence_count FROM rmm_alert_conditions") == 1


def test_a_resolution_before_its_failure_opens_nothing_later(world: World) -> None:
    assert world.post(world.resolved()).json == {
        "recorded": True,
        "outcome": "skipped",
        "reason": "tombstone",
    }
    assert world.post().json["reason"] == "older_event"
    assert world.tickets() == []
    assert world.alert()["status"] == "resolved"


def test_an_id_that_fires_again_after_its_end_begins_a_new_episode(world: World) -> None:
    world.post()
    world.post(world.resolved())
    answer = world.post(world.body(alert_time="2026-11-21 05:00:00+00:00"))
    assert answer.json["outcome"] == "ticket_created"
    alert = world.alert()
    assert (alert["episode"], alert["status"], alert["resolved_at"]) == (2, "active", None)
    assert len(world.tickets()) == 2


def test_a_higher_severity_is_told_on_the_ticket_and_raises_its_priority(world: World) -> None:
    world.post(world.body(severity="warning"))
    answer = world.post(world.body(severity="error"))
    assert answer.json["outcome"] == "updated"
    assert world.alert()["severity"] == "critical"
    (ticket,) = world.tickets()
    assert "Severity rose from moderate to critical." in world.notes(ticket["id"])[-1]
    name = world.one("SELECT name FROM priorities WHERE id = :id", id=ticket["priority_id"])
    assert name == "Urgent"


def test_no_rule_no_ticket(world: World) -> None:
    world.do("DELETE FROM rmm_alert_rules")
    world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
    assert world.post().json["outcome"] == "recorded_only"
    assert world.tickets() == []
    assert world.alert()["status"] == "active"


def test_an_unmapped_organization_waits_for_a_client(world: World) -> None:
    world.do("UPDATE rmm_organization_mappings SET client_id = NULL")
    assert world.post().json["outcome"] == "recorded_only"
    assert world.alert()["attention"] == "no_client"


@pytest.mark.parametrize("obstacle", ["board", "status"])
def test_a_ticket_the_host_refuses_does_not_lose_the_alert(world: World, obstacle: str) -> None:
    if obstacle == "board":
        world.do("UPDATE boards SET is_active = FALSE")
    else:
        world.do("UPDATE ticket_statuses SET is_closed = TRUE, is_default = FALSE")
    answer = world.post()
    assert answer.status_code == 200
    alert = world.alert()
    assert (alert["status"], alert["ticket_id"]) == ("active", None)
    assert alert["attention"] == "ticket_failed"
    (event,) = world.rows("SELECT steps FROM rmm_alert_events")
    assert event["steps"][-1]["code"] == "ticket_failed"
    assert "No " in event["steps"][-1]["reason"]


def test_the_history_says_every_decision_in_order(world: World) -> None:
    world.post()
    (event,) = world.rows("SELECT channel, outcome, steps FROM rmm_alert_events")
    assert (event["channel"], event["outcome"]) == ("webhook", "ticket_created")
    assert [step["code"] for step in event["steps"]] == ["received", "rule_matched", "ticket_created"]


def test_what_follows_is_written_with_the_alert(world: World) -> None:
    world.post()
    (row,) = world.rows("SELECT topic, payload FROM rmm_outbox")
    assert row["topic"] == "alert_followups"
    assert row["payload"]["signals"] == ["alert_triggered", "ticket_created", "ticket_linked"]
    assert row["payload"]["fetch_details"] is True
    assert row["payload"]["refresh_device"] == AGENT
    assert row["payload"]["alert_id"] == str(world.alert()["id"])


def test_texts_postgresql_cannot_store_do_not_stop_an_alert(world: World) -> None:
    body = json.dumps(world.body(message="before \x00 after", note="\ud800")).encode()
    assert world.post(body).json["outcome"] == "ticket_created"
    assert "\x00" not in world.alert()["message"]
    assert RESOLVED_ON


def _comment(world: World, ticket_id: str) -> None:
    world.do(
        "INSERT INTO comments (tenant_id, id, ticket_id, user_id, body, is_internal, is_system_generated, at)"
        " SELECT tenant_id, 'c1', :ticket, id, 'Looking into it', TRUE, FALSE, now() FROM users"
        " WHERE tenant_id = :tenant LIMIT 1",
        tenant=world.tenant,
        ticket=ticket_id,
    )
