"""Every event that real flows put into the outbox keeps its contract."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rmm_extension.domain.contracts.events import CATALOGUE, check
from rmm_extension.domain.types import AlertEvent, AlertKind, Channel, Connection, Severity
from rmm_extension.host import SYSTEM_ACTOR
from rmm_extension.models import MaintenanceWindow, new_id
from rmm_extension.services import connection_health, connections, events, hooks, manual, relay
from rmm_extension.services.ingest import decide_again, ingest
from rmm_extension.services.ingest.facts import by_id
from tests.harness.world import AGENT, World
from tests.services.working import relay_all

Told = list[tuple[str, dict[str, Any]]]


@pytest.fixture(autouse=True)
def consumed() -> Any:
    """Everything that consumers are given, checked as it comes."""
    found: Told = []

    def consumer(rmm: Any, session: Any, tenant_id: str, name: str, payload: dict[str, Any]) -> None:
        check(name, payload)
        assert payload["tenantId"] == tenant_id
        found.append((name, payload))

    relay.EVENT_CONSUMERS.append(relay.Consumer(consumer))
    yield found
    relay.EVENT_CONSUMERS.remove(relay.Consumer(consumer))


def told(world: World, consumed: Told) -> list[str]:
    """What was told since the last call; signals carry the same as consumers get."""
    consumed.clear()
    sent = relay_all(world)
    assert sent == consumed
    return [name for name, _ in sent]


def poll(world: World, event: AlertEvent) -> None:
    with world.unit() as session:
        facts = by_id(session, world.tenant, world.integration_id, event)
        assert facts is not None
        ingest(world.rmm, session, facts, event, Channel.POLL)


def test_an_alerts_life(world: World, consumed: Told) -> None:
    world.device()
    world.post(world.body(message="Disk full"))
    opened = ["webhook_received", "alert_triggered", "ticket_created", "ticket_linked"]
    assert told(world, consumed) == opened
    first = dict(consumed)["ticket_created"]
    assert first["ticketId"] == world.tickets()[0]["id"]
    assert first["source"] == "tacticalrmm"
    world.post(world.body(525, message="Disk still full"))
    assert told(world, consumed) == ["webhook_received", "alert_triggered", "ticket_linked"]
    with world.app.app_context():
        assert manual.acknowledge(world.rmm, world.admin, [world.alert(525)["id"]]).done == 1
    assert told(world, consumed) == ["alert_acknowledged"]
    assert dict(consumed)["alert_acknowledged"]["acknowledgedBy"] == "Ada Admin"
    world.post(world.resolved())
    assert told(world, consumed) == ["webhook_received", "alert_resolved"]
    with world.app.app_context():
        assert manual.resolve(world.rmm, world.admin, [world.alert(525)["id"]], at_vendor=False).done == 1
    assert told(world, consumed) == ["alert_resolved", "ticket_closed"]


def test_an_alert_by_polling_that_makes_no_ticket(world: World, consumed: Told) -> None:
    world.do("DELETE FROM rmm_alert_rules")
    at = datetime(2026, 11, 21, 2, tzinfo=UTC)
    event = AlertEvent(
        kind=AlertKind.TRIGGERED,
        external_id="9",
        occurred_at=at,
        severity=Severity.NONE,
        external_device_id=AGENT,
        external_organization_id="1",
        message="A text",
    )
    poll(world, event)
    assert told(world, consumed) == ["alert_triggered"]
    assert "ticketId" not in dict(consumed)["alert_triggered"]
    with world.app.app_context():
        assert manual.create_tickets(world.rmm, world.admin, [world.alert(9)["id"]]).done == 1
    assert told(world, consumed) == ["ticket_created", "ticket_linked"]
    for kind, name in ((AlertKind.ACKNOWLEDGED, "alert_acknowledged"), (AlertKind.RESET, "alert_resolved")):
        at += timedelta(minutes=1)
        poll(
            world,
            AlertEvent(kind=kind, external_id="9", occurred_at=at, severity=Severity.NONE, condition="c"),
        )
        assert told(world, consumed) == [name]


def test_a_repeat_tells_nothing(world: World, consumed: Told) -> None:
    world.post()
    told(world, consumed)
    world.post()
    world.post(world.resolved(999))
    assert told(world, consumed) == []


def test_a_suppressed_alert_tells_nothing_until_it_surfaces(world: World, consumed: Told) -> None:
    start = datetime(2026, 11, 21, 2, tzinfo=UTC)
    window = {"name": "Patch night", "starts_at": start, "ends_at": start + timedelta(hours=1)}
    with world.unit() as session:
        session.add(MaintenanceWindow(tenant_id=world.tenant, id=new_id(), **window))
    world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
    for number in (1, 2):
        assert world.post(world.body(number)).json["outcome"] == "suppressed"
    assert told(world, consumed) == []
    world.post(world.resolved(1))
    assert told(world, consumed) == []
    with world.unit() as session:
        decide_again(world.rmm, session, world.tenant, world.alert(2)["id"], channel=Channel.TICK)
    assert told(world, consumed) == ["alert_triggered", "ticket_created", "ticket_linked"]


def test_a_tickets_events_name_the_ticket_of_their_moment(world: World, consumed: Told) -> None:
    """The relay may be late: by then the alert is in its next episode, with another ticket."""
    text = {"message": "Disk full"}
    later = {"alert_time": "2026-11-21 05:00:00+00:00"}
    for body in (world.body(**text), world.resolved(), world.body(**text, **later)):
        world.post(body)
    names = told(world, consumed)
    tickets = [payload["ticketId"] for name, payload in consumed if name == "ticket_created"]
    assert Counter(names)["ticket_created"] == 2
    assert tickets == [ticket["id"] for ticket in world.tickets()]


def test_connections(world: World, consumed: Told) -> None:
    with world.unit() as session:
        connection = Connection(
            tenant_id=world.tenant,
            integration_id="",
            provider="tacticalrmm",
            instance_url="https://rmm.example.com",
            secrets={"api_key": "K" * 32},
        )
        row = connections.create(world.rmm, session, world.admin, "Second", connection, catch_all=False)
        made = row.id
    assert told(world, consumed) == ["integration_connected"]
    with world.unit() as session:
        connection_health.mark_error(session, world.tenant, made, "The vendor does not answer.")
    with world.unit() as session:
        connection_health.mark_well(session, world.tenant, made)
    with world.unit() as session:
        connection_health.mark_needs_reauth(session, world.tenant, made, "The key was refused.")
    assert told(world, consumed) == ["integration_failed", "integration_failed"]
    assert [payload["error"]["message"] for _, payload in consumed] == [
        "The vendor does not answer.",
        "The key was refused.",
    ]
    with world.unit() as session:
        connections.disconnect(world.rmm, session, world.admin, made)
    assert told(world, consumed) == ["integration_disconnected"]


def test_a_ticket_that_is_closed(world: World, consumed: Told) -> None:
    world.post()
    ticket = world.tickets()[0]["id"]
    told(world, consumed)
    for actor in (world.admin, SYSTEM_ACTOR(world.tenant)):
        with world.unit() as session:
            hooks.ticket_closed(session, world.tenant, ticket, actor)
    assert told(world, consumed) == ["ticket_closed", "ticket_closed"]
    by_person, by_itself = [payload for _, payload in consumed]
    assert by_person == {"tenantId": world.tenant, "ticketId": ticket, "closedBy": "Ada Admin"}
    assert by_itself == {"tenantId": world.tenant, "ticketId": ticket}


def test_a_ticket_that_is_closed_by_the_end_of_its_alert(world: World, consumed: Told) -> None:
    """Told once, and of the ticket that was closed: the alert may be on another one by then."""
    world.post()
    ticket = world.tickets()[0]["id"]
    told(world, consumed)
    world.post(world.resolved())
    world.post(world.body(alert_time="2026-11-21 05:00:00+00:00"))
    assert world.alert()["ticket_id"] != ticket
    assert told(world, consumed).count("ticket_closed") == 1
    assert dict(consumed)["ticket_closed"] == {"tenantId": world.tenant, "ticketId": ticket}


def test_a_ticket_that_the_end_of_its_alert_leaves_open_is_not_told(world: World, consumed: Told) -> None:
    world.post(world.body(1))
    world.post(world.body(2))
    world.post(world.resolved(1))
    assert world.tickets()[0]["closed_at"] is None
    assert "ticket_closed" not in told(world, consumed)


def test_a_reset_that_is_asked_for_again_tells_nothing_again(world: World, consumed: Told) -> None:
    """Closed, reopened and closed while the first reset is under way: two closings, and no third."""
    world.post(world.body(message="Disk full"))
    ticket = world.tickets()[0]["id"]
    told(world, consumed)
    for _ in range(2):
        with world.unit() as session:
            hooks.ticket_closed(session, world.tenant, ticket, world.admin)
    assert told(world, consumed) == ["ticket_closed", "ticket_closed"]
    assert world.one("SELECT count(*) FROM rmm_outbox WHERE topic = 'ticket_closed'") == 1
    world.do("UPDATE rmm_outbox SET due_at = now()")
    assert told(world, consumed) == []


def test_an_unknown_name_is_refused_where_it_is_told(world: World) -> None:
    with pytest.raises(LookupError, match="no event nonsense"), world.unit() as session:
        events.tell(session, world.tenant, "nonsense", {})


def test_what_is_absent_is_left_out(world: World) -> None:
    with world.unit() as session:
        events.tell(session, world.tenant, "alert_triggered", {"assetId": None, "message": ""})
    (row,) = world.rows("SELECT payload FROM rmm_outbox")
    assert row["payload"]["payload"] == {"tenantId": world.tenant, "message": ""}
    assert CATALOGUE["alert_triggered"].name == "RMM_ALERT_TRIGGERED"
