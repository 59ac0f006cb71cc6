"""A condition that fires again soon after its ticket was closed goes on with that ticket."""

from __future__ import annotations

from typing import Any

import pytest

from reference_psa.adapters.tickets import SqlTickets
from reference_psa.models import User
from reference_psa.services import tickets as people
from rmm_extension.domain.errors import HostRejected
from rmm_extension.models import utc_now
from tests.harness.world import World
from tests.services.ingest.test_hold import ago, pass_time, tick
from tests.services.working import relay_all, signals, steps


@pytest.fixture
def reopening(world: World) -> World:
    """Every alert makes a ticket; one closed within the last hour goes on."""
    world.do("DELETE FROM rmm_alert_rules")
    world.add_rule(0, reopenWithinMinutes=60)
    return world


def fired_and_cleared(world: World) -> str:
    """A first firing whose ticket was closed with it, now; the ticket."""
    world.post(world.body(1, alert_time=ago(20)))
    world.post(world.resolved(1, alert_time=ago(20), resolved_on=ago(10)))
    (ticket,) = world.tickets()
    assert ticket["closed_at"] is not None
    return str(ticket["id"])


def closed_since(world: World, minutes: int) -> None:
    world.do("UPDATE tickets SET closed_at = now() - make_interval(mins => :minutes)", minutes=minutes)


def is_open(world: World) -> bool:
    return bool(world.tickets()[0]["closed_at"] is None)


def test_the_ticket_goes_on_with_a_note_and_its_count(reopening: World) -> None:
    ticket = fired_and_cleared(reopening)
    relay_all(reopening)
    answer = reopening.post(reopening.body(2, alert_time=ago(1), message="Disk full"))
    assert answer.json["outcome"] == "ticket_reopened"
    assert reopening.alert(2)["ticket_id"] == ticket
    assert reopening.alert(2)["auto_ticket_created"] is False
    assert is_open(reopening)
    assert len(reopening.tickets()) == 1
    assert "occurrence 2. The ticket is open again." in reopening.notes(ticket)[-1]
    assert reopening.one("SELECT occurrence_count FROM rmm_alert_conditions") == 2
    assert steps(reopening, 2)[-1] == "ticket_reopened"
    assert signals(reopening) == ["webhook_received", "alert_triggered", "ticket_linked"]


def test_it_stands_in_the_status_of_a_new_ticket_and_is_untouched(reopening: World) -> None:
    ticket = fired_and_cleared(reopening)
    reopening.post(reopening.body(2, alert_time=ago(1)))
    is_default = reopening.one(
        "SELECT s.is_default FROM tickets t JOIN ticket_statuses s ON s.tenant_id = t.tenant_id"
        " AND s.id = t.status_id WHERE t.id = :id",
        id=ticket,
    )
    assert is_default is True
    reopening.post(reopening.resolved(2, alert_time=ago(1), resolved_on=ago(0)))
    assert not is_open(reopening)


def test_longer_ago_a_new_ticket_is_made(reopening: World) -> None:
    fired_and_cleared(reopening)
    closed_since(reopening, 62)
    assert reopening.post(reopening.body(2, alert_time=ago(1))).json["outcome"] == "ticket_created"
    assert len(reopening.tickets()) == 2


def test_without_the_rules_wish_a_new_ticket_is_made(world: World) -> None:
    fired_and_cleared(world)
    assert world.post(world.body(2, alert_time=ago(1))).json["outcome"] == "ticket_created"


def test_a_ticket_that_a_person_closed_counts_too_and_is_theirs(reopening: World) -> None:
    reopening.post(reopening.body(1, alert_time=ago(20)))
    with reopening.unit() as session:
        person = session.query(User).filter_by(tenant_id=reopening.tenant, role="admin").first()
        assert person is not None
        people.close(session, person, str(reopening.alert(1)["ticket_id"]), None)
    assert reopening.post(reopening.body(2, alert_time=ago(1))).json["outcome"] == "ticket_reopened"
    reopening.post(reopening.resolved(1, alert_time=ago(20), resolved_on=ago(0)))
    reopening.post(reopening.resolved(2, alert_time=ago(1), resolved_on=ago(0)))
    assert is_open(reopening)


def test_the_same_alert_in_a_new_episode_reopens_it_too(reopening: World) -> None:
    ticket = fired_and_cleared(reopening)
    assert reopening.post(reopening.body(1, alert_time=ago(1))).json["outcome"] == "ticket_reopened"
    alert = reopening.alert(1)
    assert (alert["episode"], alert["ticket_id"], alert["status"]) == (2, ticket, "active")


def test_another_clients_ticket_is_left_closed(reopening: World) -> None:
    fired_and_cleared(reopening)
    other = reopening.one(
        "SELECT id FROM clients WHERE tenant_id = :t AND id <> :c LIMIT 1",
        t=reopening.tenant,
        c=reopening.client_id,
    )
    reopening.do("UPDATE rmm_organization_mappings SET client_id = :other", other=other)
    assert reopening.post(reopening.body(2, alert_time=ago(1))).json["outcome"] == "ticket_created"
    assert not is_open(reopening)


def test_with_a_hold_it_is_reopened_when_that_is_over(world: World) -> None:
    world.do("DELETE FROM rmm_alert_rules")
    world.add_rule(0, reopenWithinMinutes=60, holdMinutes=10)
    fired_and_cleared(world)
    assert world.post(world.body(2, alert_time=ago(1))).json["outcome"] == "held"
    assert not is_open(world)
    assert world.one("SELECT occurrence_count FROM rmm_alert_conditions") == 1
    pass_time(world)
    tick(world)
    assert is_open(world)
    assert world.one("SELECT occurrence_count FROM rmm_alert_conditions") == 2
    assert steps(world, 2)[-1] == "ticket_reopened"


def test_a_host_that_refuses_leaves_the_alert_under_needs_attention(
    reopening: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fired_and_cleared(reopening)

    def refuse(*args: Any) -> None:
        raise HostRejected("No open status.")

    monkeypatch.setattr(SqlTickets, "reopen_if_closed_since", refuse)
    assert reopening.post(reopening.body(2, alert_time=ago(1))).json["outcome"] == "recorded_only"
    assert reopening.alert(2)["attention"] == "ticket_failed"
    assert reopening.one("SELECT occurrence_count FROM rmm_alert_conditions") == 1
    monkeypatch.undo()
    reopening.do("UPDATE rmm_alerts SET attention_at = :at", at=utc_now().replace(year=2000))
    tick(reopening)
    assert is_open(reopening)
    assert reopening.one("SELECT occurrence_count FROM rmm_alert_conditions") == 2
