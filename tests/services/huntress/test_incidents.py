"""Incidents of a simulated Huntress, by webhook and by the poll: one alert, one ticket, in full."""

from __future__ import annotations

import pytest

from tests.services.huntress.conftest import Scene
from tests.services.working import steps


def test_a_webhook_makes_a_ticket_that_is_completed_with_the_host(scene: Scene) -> None:
    scene.webhook()
    number = scene.raised(severity="critical", remediations=12)
    assert [one["outcome"] for one in scene.deliver()] == ["ticket_created"]
    (ticket,) = scene.tickets()
    incident = scene.huntress.lab.incidents[int(number)]
    assert ticket["title"] == f"[Huntress] {incident.subject}"
    assert ticket["client_id"] == scene.world.client_id
    assert "Serial number: " not in ticket["description"]
    assert scene.follow_up("alert_details") == [{"completed": 1}]
    (ticket,) = scene.tickets()
    host = scene.hosts()[0]
    assert f"Hostname: {host.hostname}" in ticket["description"]
    assert f"https://acme-msp.huntress.io/incident_reports/{number}" in ticket["description"]
    assert ticket["description"].count("unapproved)") == 12
    alert = scene.world.alert(number)
    assert (alert["severity"], alert["alert_class"], alert["source_type"]) == (
        "critical",
        "Incident report",
        host.platform,
    )


def test_the_poll_brings_what_no_webhook_told(scene: Scene) -> None:
    number = scene.raised(announced=False)
    assert scene.poll()["status"] == "succeeded"
    assert scene.world.alert(number)["status"] == "active"
    assert scene.follow_up("alert_details") == [{"completed": 1}]
    assert "Host\n" in scene.tickets()[0]["description"]


def test_webhook_and_poll_bring_the_same_alert(scene: Scene) -> None:
    scene.webhook()
    number = scene.raised()
    scene.deliver()
    before, lines = scene.world.alert(number), scene.history()
    for _ in range(2):
        assert scene.poll()["status"] == "succeeded"
    assert (scene.world.alert(number), scene.history(), len(scene.tickets())) == (before, lines, 1)


def test_a_change_of_status_is_a_note_and_the_end_leaves_the_ticket_open(scene: Scene) -> None:
    """The rule that Huntress begins with closes no ticket by itself."""
    number = scene.raised(announced=False)
    scene.poll()
    scene.follow_up("alert_details")
    for status in ("auto_remediating", "closed"):
        scene.huntress.control(f"incidents/{number}/status", status=status)
        scene.poll()
    assert scene.world.alert(number)["status"] == "resolved"
    said = "\n".join(scene.notes())
    assert "sent → auto_remediating" in said
    assert "auto_remediating → closed" in said
    assert scene.tickets()[0]["closed_at"] is None


@pytest.mark.parametrize("is_touched", [False, True])
def test_a_rule_may_close_a_ticket_that_nobody_touched(scene: Scene, is_touched: bool) -> None:
    scene.world.do("UPDATE rmm_alert_rules SET actions = actions || '{\"autoResolveTicket\": true}'")
    scene.world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
    scene.webhook()
    number = scene.raised()
    scene.deliver()
    if is_touched:
        scene.comment(scene.tickets()[0]["id"])
    scene.huntress.control(f"incidents/{number}/status", status="closed")
    assert [one["outcome"] for one in scene.deliver()] == ["resolved"]
    assert (scene.tickets()[0]["closed_at"] is not None) is not is_touched


def test_comments_are_noted_once_whatever_comes_twice(scene: Scene) -> None:
    scene.webhook()
    number = scene.raised()
    scene.deliver()
    scene.huntress.control(f"incidents/{number}/comment", text="Please call the user.")
    scene.huntress.control("deliveries/double", count=1)
    scene.deliver()
    assert len([one for one in scene.notes() if "Please call the user." in one]) == 1
    assert len(scene.tickets()) == 1


def test_a_comment_on_a_closed_incident_does_not_open_it_again(scene: Scene) -> None:
    scene.webhook()
    number = scene.raised()
    scene.huntress.control(f"incidents/{number}/status", status="closed")
    scene.huntress.control(f"incidents/{number}/comment", text="All done.")
    scene.deliver()
    assert scene.world.alert(number)["status"] == "resolved"
    assert len(scene.tickets()) == 1


def test_an_unmapped_organization_goes_to_the_fallback(scene: Scene) -> None:
    scene.webhook()
    scene.raised(mapped=False)
    scene.deliver()
    (ticket,) = scene.tickets()
    assert "[Unmapped Org]" in ticket["title"]
    assert ticket["client_id"] == scene.fallback


def test_a_poisoned_incident_is_set_aside_and_stops_no_other(scene: Scene) -> None:
    first, poisoned, last = (scene.raised(announced=False, age=300 - 100 * n) for n in range(3))
    scene.huntress.control(f"incidents/{poisoned}/poison")
    run = scene.poll()
    assert run["status"] == "succeeded"
    assert run["counts"]["set_aside"] == 1
    assert {scene.world.alert(number)["status"] for number in (first, last)} == {"active"}
    (aside,) = scene.world.rows("SELECT * FROM rmm_set_aside_alerts")
    assert aside["external_id"] == poisoned
    assert aside["reason"].endswith("that cannot be read.")
    scene.poll()
    scene.huntress.control(f"incidents/{poisoned}/poison", fields={})
    scene.poll()
    assert scene.world.alert(poisoned)["status"] == "active"
    assert scene.world.rows("SELECT * FROM rmm_set_aside_alerts") == []
    assert len(scene.tickets()) == 3


def test_an_incident_that_is_being_deleted_is_not_told(scene: Scene) -> None:
    scene.raised(announced=False, status="deleting")
    assert scene.poll()["status"] == "succeeded"
    assert scene.world.rows("SELECT id FROM rmm_alerts") == []


def test_a_burst_is_read_over_several_pages(scene: Scene) -> None:
    host = scene.hosts()[0]
    told = scene.huntress.control(
        "incidents/burst", count=620, spread=3600, announced=False, agent_id=host.id
    )
    assert scene.poll()["counts"]["processed"] == 620
    assert scene.world.one("SELECT count(*) FROM rmm_alerts") == len(told["ids"]) == 620
    lists = [one for one in scene.huntress.paths("/v1/incident_reports") if one.endswith("reports")]
    assert len(lists) == 2
    lists_before = len(scene.huntress.paths())
    assert scene.poll()["status"] == "succeeded"
    assert len(scene.huntress.paths()) - lists_before == 2  # one page of each list


def test_the_story_says_how_an_incident_came_and_went(scene: Scene) -> None:
    scene.webhook()
    number = scene.raised()
    scene.deliver()
    scene.huntress.control(f"incidents/{number}/status", status="closed")
    scene.deliver()
    told = steps(scene.world, number)
    assert told[0] == "received"
    assert "ticket_created" in told


def test_an_escalation_makes_a_ticket_and_is_resolved(scene: Scene) -> None:
    scene.webhook()
    raised = scene.huntress.control("escalations/raise", organization_ids=[int(scene.organization)])
    scene.deliver()
    external_id = f"escalation:{raised['id']}"
    alert = scene.world.alert(external_id)
    assert (alert["status"], alert["alert_class"]) == ("active", "Escalation")
    (ticket,) = scene.tickets()
    assert ticket["client_id"] == scene.world.client_id
    assert scene.follow_up("alert_details") == [{"completed": 1}]
    scene.huntress.control(f"escalations/{raised['id']}/resolve")
    scene.deliver()
    assert scene.world.alert(external_id)["status"] == "resolved"
    assert scene.poll()["status"] == "succeeded"
    assert len(scene.tickets()) == 1
