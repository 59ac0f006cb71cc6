"""Rules with their hits, and what a connection's alerts look like."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from rmm_extension.models import AlertHistory, new_id, utc_now
from rmm_extension.services.queries import rules
from tests.harness.world import World


def hit(world: World, rule_id: UUID | None, *days_ago: float) -> None:
    """The rule took alerts so many days ago."""
    with world.unit() as session:
        for days in days_ago:
            at = utc_now() - timedelta(days=days)
            session.add(
                AlertHistory(
                    tenant_id=world.tenant,
                    id=new_id(),
                    alert_id=new_id(),
                    integration_id=world.integration_id,
                    at=at,
                    occurred_at=at,
                    channel="webhook",
                    kind="triggered",
                    outcome="ticket_created",
                    rule_id=rule_id,
                )
            )


def listed(world: World) -> list[Any]:
    with world.unit() as session:
        return list(rules.rule_list(session, world.tenant, world.integration_id))


def test_rules_come_in_their_order_with_the_hits_of_30_days(world: World) -> None:
    world.do("DELETE FROM rmm_alert_rules")
    second, first = world.add_rule(5), world.add_rule(1)
    hit(world, first, 40, 31)
    hit(world, second, 0.5, 1, 29, 31)
    hit(world, None, 1)
    found = listed(world)
    assert [(row.id, row.hits) for row in found] == [(first, 0), (second, 3)]
    ages = [(utc_now() - row.last_hit_at) / timedelta(days=1) for row in found]
    assert ages == pytest.approx([31, 0.5], abs=0.1)


def test_a_rule_that_was_never_met_has_no_last_hit(world: World) -> None:
    (row,) = listed(world)
    assert (row.hits, row.last_hit_at, row.name, row.is_active) == (0, None, "Rule 0", True)


def test_the_pipeline_counts_a_hit_once_an_alert(world: World) -> None:
    world.post(world.body(1))
    world.post(world.body(1))
    world.post(world.body(2, check_id="9"))
    world.post(world.resolved(1))
    (row,) = listed(world)
    assert row.hits == 2


def test_counting_stops_at_its_cap(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "HITS_CAP", 2)
    rule_id = world.one("SELECT id FROM rmm_alert_rules")
    hit(world, rule_id, 1, 2, 3, 4)
    assert listed(world)[0].hits == 3


def test_many_rules_take_one_statement(world: World, statement_counter: Any) -> None:
    for place in range(1, 8):
        world.add_rule(place)
    with statement_counter() as sent:
        assert len(listed(world)) == 8
    assert sent.count == 1, sent


def test_other_connections_and_tenants_have_their_own(world: World) -> None:
    other = World(world.app).connect(name="Second")
    hit(
        other,
        other.one("SELECT id FROM rmm_alert_rules WHERE integration_id = :id", id=other.integration_id),
        1,
    )
    assert [row.hits for row in listed(world)] == [0]
    rule_id = listed(world)[0].id
    with world.unit() as session:
        assert list(rules.rule_list(session, "another", world.integration_id)) == []
        assert rules.rule(session, "another", rule_id) is None
        assert rules.rule(session, world.tenant, uuid4()) is None
        mine = rules.rule(session, world.tenant, rule_id)
        assert mine is not None
        assert mine.name == "Rule 0"


def test_values_that_were_seen_are_choices(world: World, statement_counter: Any) -> None:
    world.post(world.body(1, alert_type="check", severity="error"))
    world.post(world.body(2, alert_type="task", severity="warning", check_id="None", task_id="4"))
    with world.unit() as session, statement_counter() as sent:
        seen = rules.seen_values(session, world.tenant, world.integration_id)
    assert sent.count == 1, sent
    stored = world.rows("SELECT DISTINCT activity_type, alert_class, source_type, severity FROM rmm_alerts")
    assert set(seen.alert_classes) == {row["alert_class"] for row in stored if row["alert_class"]}
    assert set(seen.activity_types) == {row["activity_type"] for row in stored if row["activity_type"]}
    assert set(seen.source_types) == {row["source_type"] for row in stored if row["source_type"]}
    assert list(seen.severities) == ["critical", "moderate"]


def test_only_the_newest_alerts_are_looked_through(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "NEWEST", 1)
    world.post(world.body(1, severity="error", alert_time="2026-11-21 02:00:00+00:00"))
    world.post(world.body(2, severity="warning", alert_time="2026-11-21 02:30:00+00:00"))
    with world.unit() as session:
        assert list(rules.seen_values(session, world.tenant, world.integration_id).severities) == ["moderate"]


def test_a_connection_without_alerts_has_seen_nothing(world: World) -> None:
    with world.unit() as session:
        seen = rules.seen_values(session, world.tenant, world.integration_id)
        assert seen == rules.SeenValues([], [], [], [])
        assert list(rules.recent_alerts(session, world.tenant, world.integration_id)) == []


def test_recent_alerts_are_the_newest_first(world: World) -> None:
    for number in (1, 2, 3):
        world.post(world.body(number, alert_time=f"2026-11-21 02:0{number}:00+00:00"))
    with world.unit() as session:
        found = rules.recent_alerts(session, world.tenant, world.integration_id, 2)
    assert [row.id for row in found] == [world.alert(3)["id"], world.alert(2)["id"]]
