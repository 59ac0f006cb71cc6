"""A rule tried on what is stored: in its place, with the words of the history, without a trace."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from rmm_extension.domain.errors import ConfigError
from rmm_extension.models import Alert, AlertHistory, new_id, utc_now
from rmm_extension.services import dry_run
from rmm_extension.services.connections import UnknownConnection
from rmm_extension.services.dry_run import DryRun
from rmm_extension.services.rules import RuleDraft, RuleInvalid, UnknownRule
from tests.harness.world import World

EVERYTHING = RuleDraft("New", actions={"autoResolveTicket": True})


@pytest.fixture
def bare(world: World) -> World:
    """A connection without a rule, with one device."""
    world.do("DELETE FROM rmm_alert_rules")
    world.device("dev-1")
    return world


def store(world: World, *hours_ago: float, **columns: Any) -> list[UUID]:
    """Alerts of the device that began so long ago, each a condition of its own unless told."""
    rows = [alert(world, utc_now() - timedelta(hours=hours), **columns) for hours in hours_ago]
    ids = [row.id for row in rows]
    with world.unit() as session:
        session.add_all(rows)
    return ids


def alert(world: World, began: datetime, **columns: Any) -> Alert:
    number = new_id()
    values = {
        "integration_id": world.integration_id,
        "external_id": str(number),
        "external_device_id": "dev-1",
        "external_organization_id": "1",
        "device_name": "SERVER-01",
        "status": "active",
        "severity": "major",
        "alert_class": "disk",
        "dedup_key": f"dev-1|{number}",
        "message": "Disk C: is at 95% capacity",
        "first_channel": "webhook",
        "triggered_at": began,
        "last_event_at": began,
    }
    return Alert(tenant_id=world.tenant, id=number, **(values | columns))


def tried(world: World, draft: RuleDraft = EVERYTHING, rule_id: UUID | None = None, days: int = 7) -> DryRun:
    with world.unit() as session:
        return dry_run.dry_run(
            world.rmm, session, world.tenant, world.integration_id, draft, rule_id=rule_id, days=days
        )


def test_what_matches_what_becomes_of_it_and_why(bare: World) -> None:
    store(bare, 3, 2, dedup_key="dev-1|same")
    store(bare, 1, severity="minor", message="CPU")
    found = tried(bare, RuleDraft("Disks", conditions={"keywords": ["disk"]}))
    assert (found.looked_at, found.matched, found.tickets, found.joined) == (3, 2, 1, 1)
    assert (found.capped, found.is_active, found.taken_earlier) == (False, True, {})
    assert [one.outcome for one in found.sample] == ["occurrence_appended", "ticket_created", "recorded_only"]
    assert found.sample[0].sentences == [
        "Received by webhook from Tactical RMM (severity major).",
        "Rule “Disks” matched: keyword disk.",
        "It would join the open ticket of its condition as 2nd occurrence.",
    ]
    assert found.sample[2].sentences[1:] == [
        "Rule “Disks” skipped: the message has none of the keywords disk.",
        "No rule matches, so no ticket would be made.",
    ]


def test_the_way_an_alert_came_is_told(bare: World) -> None:
    store(bare, 1, first_channel="poll")
    (one,) = tried(bare).sample
    assert one.sentences[0] == "Received by polling from Tactical RMM (severity major)."


def test_a_new_rule_stands_behind_all_others(bare: World) -> None:
    store(bare, 2, 1)
    store(bare, 3, severity="minor")
    bare.add_rule(0, {"severities": ["minor"]})
    found = tried(bare)
    assert (found.matched, found.taken_earlier) == (2, {"Rule 0": 1})


def test_an_edited_rule_is_asked_at_its_place(bare: World) -> None:
    store(bare, 1)
    mine = bare.add_rule(0, {"severities": ["none"]})
    bare.add_rule(1)
    assert tried(bare, EVERYTHING, mine).matched == 1
    assert tried(bare, RuleDraft("New", conditions={"severities": ["none"]}), mine).matched == 0


def test_a_rule_that_is_off_is_tried_as_if_it_were_on_and_says_so(bare: World) -> None:
    store(bare, 1)
    mine = bare.add_rule(0)
    bare.do("UPDATE rmm_alert_rules SET is_active = FALSE")
    found = tried(bare, RuleDraft("New", is_active=False), mine)
    assert (found.is_active, found.matched) == (False, 1)


def test_other_rules_that_are_off_are_not_asked(bare: World) -> None:
    store(bare, 1)
    bare.add_rule(0)
    bare.do("UPDATE rmm_alert_rules SET is_active = FALSE")
    assert tried(bare).matched == 1


def test_windows_holds_and_clients_count(bare: World) -> None:
    now = utc_now()
    store(bare, 10, status="resolved", resolved_at=now - timedelta(hours=9))
    store(bare, 5, status="resolved", resolved_at=now - timedelta(hours=4.9))
    store(bare, 4, external_device_id="stranger", external_organization_id="unknown")
    store(bare, 0.1)
    bare.do(
        "INSERT INTO rmm_maintenance_windows (tenant_id, id, name, is_active, starts_at, ends_at)"
        " VALUES (:tenant, :id, 'Night', TRUE, :start, :end)",
        tenant=bare.tenant,
        id=uuid4(),
        start=now - timedelta(hours=11),
        end=now - timedelta(hours=8),
    )
    found = tried(bare, RuleDraft("Lasting", actions={"holdMinutes": 30}))
    numbers = (found.matched, found.tickets, found.suppressed, found.held_back, found.waiting)
    assert numbers == (3, 0, 1, 1, 1)
    assert found.without_client == 1


def test_the_clients_are_those_of_now(bare: World) -> None:
    store(bare, 1, external_device_id=None)
    assert tried(bare).tickets == 1
    bare.do("UPDATE rmm_organization_mappings SET client_id = NULL")
    assert (tried(bare).tickets, tried(bare).without_client) == (0, 1)


def test_only_the_days_asked_for(bare: World) -> None:
    store(bare, 1, 23, 25, 24 * 80)
    assert [tried(bare, days=days).looked_at for days in (1, 2, 90)] == [2, 3, 4]
    for days in (0, 91):
        with pytest.raises(ConfigError, match="1 to 90"):
            tried(bare, days=days)


def test_an_end_without_a_beginning_is_no_alert(bare: World) -> None:
    ended = utc_now() - timedelta(hours=1)
    (brief,) = store(bare, 2)
    store(bare, 2)
    bare.do("UPDATE rmm_alerts SET status = 'resolved', triggered_at = :at, resolved_at = :at", at=ended)
    with bare.unit() as session:
        session.add(
            AlertHistory(
                tenant_id=bare.tenant,
                id=new_id(),
                alert_id=brief,
                integration_id=bare.integration_id,
                at=ended,
                occurred_at=ended,
                channel="webhook",
                kind="triggered",
                outcome="recorded_only",
            )
        )
    assert [one.alert_id for one in tried(bare).sample] == [brief]


def test_more_than_are_asked_are_told(bare: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dry_run, "MOST_ALERTS", 3)
    newest = store(bare, 1, 2, 3)
    assert tried(bare).capped is False
    store(bare, 4)
    found = tried(bare)
    assert (found.looked_at, found.capped) == (3, True)
    assert {one.alert_id for one in found.sample} == set(newest)


def test_it_leaves_no_trace(bare: World, statement_counter: Any) -> None:
    store(bare, 1, 2, 3)
    bare.add_rule(0, {"severities": ["none"]})
    with statement_counter() as sent:
        tried(bare, RuleDraft("New", actions={"holdMinutes": 5}))
    assert sent.writes == 0, sent
    assert sent.count <= 8, sent
    assert bare.tickets() == []


def test_more_alerts_take_no_more_statements(bare: World, statement_counter: Any) -> None:
    store(bare, 1)
    tried(bare)
    with statement_counter() as few:
        tried(bare)
    store(bare, *(hours / 10 for hours in range(1, 200)))
    with statement_counter() as many:
        assert tried(bare).looked_at == 200
    assert many.count == few.count, many


def test_what_it_cannot_try_it_refuses(bare: World) -> None:
    with pytest.raises(RuleInvalid):
        tried(bare, RuleDraft("", conditions={"messagePattern": "("}))
    with pytest.raises(UnknownRule):
        tried(bare, EVERYTHING, uuid4())
    other = World(bare.app).connect(name="Second")
    with pytest.raises(UnknownRule):
        tried(bare, EVERYTHING, other.one("SELECT id FROM rmm_alert_rules"))
    with pytest.raises(UnknownConnection), bare.unit() as session:
        dry_run.dry_run(bare.rmm, session, "another", bare.integration_id, EVERYTHING, rule_id=None, days=7)


def test_alerts_of_another_connection_are_not_asked(bare: World) -> None:
    other = World(bare.app).connect(name="Second")
    store(other, 1)
    assert tried(bare).looked_at == 0
