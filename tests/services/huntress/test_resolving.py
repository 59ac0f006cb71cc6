"""A person closes the ticket of an incident: what Huntress makes of it, and what is in its way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.huntress.conftest import Scene


def begun(scene: Scene, **wanted: Any) -> tuple[str, str]:
    """An incident with its ticket, by webhook; the ids of both."""
    scene.webhook()
    number = scene.raised(**wanted)
    scene.deliver()
    scene.follow_up("alert_details")
    return number, scene.tickets()[0]["id"]


def with_reader_key(scene: Scene) -> None:
    world, huntress = scene.world, scene.huntress
    with world.unit() as session:
        for name, value in (("api_key", huntress.reader_key), ("api_secret", huntress.reader_secret)):
            world.rmm.vault.store(session, world.tenant, world.integration_id, name, value)


def resolutions(scene: Scene) -> int:
    return len([one for one in scene.huntress.paths() if one.startswith("POST ")])


def test_an_incident_whose_remediations_are_approved_is_closed_there(scene: Scene) -> None:
    number, ticket = begun(scene)
    scene.huntress.control(f"incidents/{number}/approve")
    assert scene.close(ticket) == [{"reset": 1}]
    assert (scene.status(number), scene.world.alert(number)["status"]) == ("closed", "resolved")
    assert "Huntress has closed the incident." in scene.notes()[-1]


def test_its_echo_changes_nothing(scene: Scene) -> None:
    number, ticket = begun(scene)
    scene.huntress.control(f"incidents/{number}/approve")
    scene.close(ticket)
    notes = scene.notes()
    scene.deliver()
    assert scene.poll()["status"] == "succeeded"
    scene.follow_up("alert_details")
    assert scene.follow_up("alert_reset") == []
    assert (scene.world.alert(number)["status"], len(scene.tickets())) == ("resolved", 1)
    assert len(scene.notes()) - len(notes) <= 1  # that its status moved, at most
    assert resolutions(scene) == 1


def test_what_is_not_approved_is_told_on_the_ticket_and_nothing_is_sent(scene: Scene) -> None:
    number, ticket = begun(scene, remediations=3)
    scene.close(ticket)
    assert scene.status(number) == "sent"
    assert "3 of 3 remediations are not approved yet" in scene.notes()[-1]
    assert f"https://acme-msp.huntress.io/incident_reports/{number}" in scene.notes()[-1]
    assert resolutions(scene) == 0


def test_one_that_huntress_works_on_is_left_to_it(scene: Scene) -> None:
    number, ticket = begun(scene)
    scene.huntress.control(f"incidents/{number}/status", status="auto_remediating")
    scene.close(ticket)
    assert "auto remediating" in scene.notes()[-1]
    assert resolutions(scene) == 0


def test_a_key_that_only_reads_is_told_on_the_ticket(scene: Scene) -> None:
    number, ticket = begun(scene)
    scene.huntress.control(f"incidents/{number}/approve")
    with_reader_key(scene)
    scene.close(ticket)
    assert scene.status(number) == "sent"
    assert "user-based API key" in "\n".join(scene.notes()) + "\n".join(failures(scene))


def failures(scene: Scene) -> list[str]:
    """What runs ended with."""
    return [row["error"] or "" for row in scene.world.rows("SELECT error FROM rmm_job_runs")]


@pytest.mark.parametrize("status", ["closed", "dismissed"])
def test_one_that_is_over_there_counts_as_closed(scene: Scene, status: str) -> None:
    number, ticket = begun(scene)
    scene.huntress.control(f"incidents/{number}/status", status=status)
    scene.huntress.lab.courier.forget()
    assert scene.close(ticket) == [{"reset": 1}]
    assert resolutions(scene) == 0
    assert f"was {status} in Huntress already" in scene.notes()[-1]


def test_an_escalation_is_resolved_there(scene: Scene) -> None:
    scene.webhook()
    raised = scene.huntress.control("escalations/raise", organization_ids=[int(scene.organization)])
    scene.deliver()
    assert scene.close(scene.tickets()[0]["id"]) == [{"reset": 1}]
    assert scene.huntress.lab.escalations[raised["id"]].resolved is not None


def test_an_escalation_that_only_the_portal_resolves_is_told(scene: Scene) -> None:
    scene.webhook()
    scene.huntress.control("escalations/raise", organization_ids=[int(scene.organization)], by_api=False)
    scene.deliver()
    scene.close(scene.tickets()[0]["id"])
    assert "only in its portal" in scene.notes()[-1]
