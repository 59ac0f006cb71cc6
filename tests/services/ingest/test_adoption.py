"""Alerts that came without a number: their end finds them, and the real alert takes over their row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from reference_psa.adapters.tickets import SqlTickets
from rmm_extension.domain.errors import HostRejected
from rmm_extension.domain.rebuild import rebuild
from rmm_extension.domain.types import AlertEvent, AlertKind, Channel
from rmm_extension.domain.values import moment
from rmm_extension.models import Alert, AlertHistory, MaintenanceWindow, utc_now
from rmm_extension.providers.tacticalrmm.alerts import Facts, build_event
from rmm_extension.services.webhooks import take
from tests.harness.world import AGENT, ALERT_TIME, World
from tests.services.working import signals, steps

EXACT = {"alert_type": "check", "check_id": "202"}


def minimal(**changes: Any) -> dict[str, Any]:
    return {"agent_id": AGENT, "client_id": "1", "alert_time": ALERT_TIME, **changes}


def polled(alert_id: str = "524", at: str = ALERT_TIME, **changes: Any) -> AlertEvent:
    """A real alert as polling brings it: with its text."""
    facts = {
        "alert_id": alert_id,
        "alert_type": "check",
        "severity": "error",
        "agent_id": AGENT,
        "organization_id": "1",
        "device_name": "SERVER-01",
        "check_id": "202",
        "message": "Disk C: is at 95% capacity",
        **changes,
    }
    occurred = moment(at)
    assert occurred is not None
    return build_event(Facts(**facts), AlertKind.TRIGGERED, occurred, {})


def poll(world: World, event: AlertEvent) -> str:
    with world.app.app_context():
        return take(world.rmm, world.tenant, world.integration_id, event, Channel.POLL).outcome


def test_the_minimal_body_makes_an_alert_whose_resolution_meets_it(world: World) -> None:
    assert world.post({"agent_id": AGENT, "client_id": "1"}).json["outcome"] == "ticket_created"
    (row,) = world.rows("SELECT external_id, synthesized, status FROM rmm_alerts")
    assert (row["synthesized"], row["status"]) == (True, "active")
    body = {"agent_id": AGENT, "client_id": "1", "event": "resolved"}
    assert world.post(body).json["outcome"] == "resolved"
    assert world.one("SELECT status FROM rmm_alerts") == "auto_resolved"
    assert world.tickets()[0]["closed_at"] is not None


@pytest.mark.parametrize("known", [EXACT, {"alert_type": "check"}, {}], ids=["exact", "type", "agent"])
def test_the_real_alert_takes_over_row_key_and_ticket(world: World, known: dict[str, str]) -> None:
    world.post(minimal(**known))
    before = world.rows("SELECT id FROM rmm_alerts")
    (ticket,) = world.tickets()
    assert poll(world, polled()) == "updated"
    assert world.rows("SELECT id FROM rmm_alerts") == before
    alert = world.alert(524)
    assert (alert["synthesized"], alert["ticket_id"]) == (False, ticket["id"])
    assert alert["dedup_key"] == f"{AGENT}|check:202"
    assert "adopted" in steps(world)
    # The next firing of the condition joins that ticket, and the alert's own end closes it.
    assert world.post(world.body(525)).json["outcome"] == "occurrence_appended"
    assert (
        world.one("SELECT occurrence_count FROM rmm_alert_conditions WHERE dedup_key LIKE '%check:202'") == 2
    )
    world.post(world.resolved(525))
    world.post(world.resolved(524))
    assert world.tickets()[0]["closed_at"] is not None


def test_the_most_specific_row_is_taken(world: World) -> None:
    world.post(minimal())
    world.post(minimal(**EXACT))
    poll(world, polled())
    (left,) = world.rows("SELECT external_id FROM rmm_alerts WHERE synthesized")
    assert left["external_id"] == f"agent:{AGENT}:alert"


def test_an_alert_of_another_agent_or_check_takes_nothing(world: World) -> None:
    world.post(minimal(**EXACT))
    assert poll(world, polled("7", agent_id="B" * 40)) == "ticket_created"
    assert poll(world, polled("8", check_id="999")) == "ticket_created"
    assert world.one("SELECT count(*) FROM rmm_alerts WHERE synthesized") == 1


def test_a_stored_alert_that_is_over_does_not_swallow_the_real_one(world: World) -> None:
    """Its end is newer than the real alert's beginning: they may be two different things."""
    world.post(minimal())
    world.post(minimal(event="resolved", resolved_on="2026-11-21 03:00:00+00:00"))
    assert poll(world, polled()) == "ticket_created"
    assert world.alert(524)["status"] == "active"


def test_a_real_alert_after_the_end_of_a_stored_one_is_its_own(world: World) -> None:
    world.post(minimal())
    world.post(minimal(event="resolved", resolved_on="2026-11-21 03:00:00+00:00"))
    assert poll(world, polled(at="2026-11-21 04:00:00+00:00")) == "ticket_created"
    assert world.one("SELECT count(*) FROM rmm_alerts") == 2


def test_the_real_end_closes_what_was_stored_under_our_id_and_keeps_its_number(world: World) -> None:
    world.post(minimal())
    assert world.post(world.resolved(524)).json["outcome"] == "resolved"
    alert = world.alert(524)
    assert (alert["synthesized"], alert["status"]) == (False, "auto_resolved")
    # The beginning of the same alert, late: it is over.
    assert world.post(world.body(524)).json["reason"] == "older_event"


def test_the_condition_gets_the_ticket_although_it_had_one_before(world: World) -> None:
    world.post(world.body(500))
    world.post(world.resolved(500))
    later = "2026-11-21 05:00:00+00:00"
    world.post(minimal(alert_time=later))
    poll(world, polled(at=later))
    assert world.post(world.body(525, alert_time=later)).json["outcome"] == "occurrence_appended"
    still_open = [ticket for ticket in world.tickets() if ticket["closed_at"] is None]
    assert len(still_open) == 1


def test_a_condition_with_an_open_ticket_keeps_it_and_its_count(world: World) -> None:
    world.post(world.body(500))
    world.post(minimal())
    poll(world, polled())
    assert world.post(world.body(525)).json["outcome"] == "occurrence_appended"
    assert world.alert(525)["ticket_id"] == world.alert(500)["ticket_id"]
    count = "SELECT occurrence_count FROM rmm_alert_conditions WHERE dedup_key LIKE '%check:202'"
    assert world.one(count) == 2


def test_the_text_of_the_real_alert_completes_the_ticket(world: World) -> None:
    world.post(minimal())
    poll(world, polled())
    (ticket,) = world.tickets()
    assert ticket["title"] == "[Tactical RMM Alert] check on SERVER-01: Disk C: is at 95% capacity"
    assert "Disk C: is at 95% capacity" in ticket["description"]
    assert world.alert(524)["message"] == "Disk C: is at 95% capacity"


def test_without_its_text_the_real_alert_asks_for_it(world: World) -> None:
    world.post(minimal())
    world.do("DELETE FROM rmm_outbox")
    world.post(world.body(524))
    (row,) = world.rows("SELECT payload FROM rmm_outbox")
    assert row["payload"]["fetch_details"] is True


class TestWhatWasOnlyRecorded:
    """A delivery that says next to nothing meets no rule; the real alert, which says more, may meet one."""

    @pytest.fixture(autouse=True)
    def critical_only(self, world: World) -> None:
        world.do("DELETE FROM rmm_alert_rules")
        world.add_rule(0, {"severities": ["critical"]})
        assert world.post(minimal()).json["outcome"] == "recorded_only"

    def test_is_decided_with_what_the_real_alert_says(self, world: World) -> None:
        assert poll(world, polled()) == "ticket_created"
        alert = world.alert(524)
        (ticket,) = world.tickets()
        assert (alert["ticket_id"], alert["synthesized"], alert["severity"]) == (
            ticket["id"],
            False,
            "critical",
        )
        assert "Disk C: is at 95% capacity" in ticket["title"]
        assert world.one("SELECT occurrence_count FROM rmm_alert_conditions") == 1
        assert [name for name in signals(world) if name == "alert_triggered"] == ["alert_triggered"]
        assert_told(world)

    def test_is_asked_for_its_text_where_a_rule_needs_it(self, world: World) -> None:
        world.add_rule(1, {"keywords": ["disk c:"]})
        assert poll(world, polled(message=None, severity="warning")) == "awaiting_details"
        assert world.alert(524)["details_due_at"] is not None
        assert_told(world)

    def test_stays_recorded_where_no_rule_wants_it_still(self, world: World) -> None:
        assert poll(world, polled(severity="warning")) == "recorded_only"
        assert world.alert(524)["ticket_id"] is None
        assert_told(world)

    def test_a_refused_ticket_is_kept_for_needs_attention(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any) -> None:
            raise HostRejected("No board.")

        monkeypatch.setattr(SqlTickets, "create", refuse)
        poll(world, polled())
        assert world.alert(524)["attention"] == "ticket_failed"
        assert_told(world)

    def test_in_a_window_of_now_it_is_suppressed(self, world: World) -> None:
        now = utc_now()
        with world.unit() as session:
            session.add(
                MaintenanceWindow(
                    tenant_id=world.tenant,
                    name="Patch night",
                    starts_at=now - timedelta(hours=1),
                    ends_at=now + timedelta(hours=1),
                )
            )
        world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
        assert poll(world, polled()) == "suppressed"
        assert_told(world)


def assert_told(world: World) -> None:
    """The history explains the alert's whole state."""
    with world.unit() as session:
        row = session.scalars(select(Alert)).one()
        history = session.scalars(select(AlertHistory).order_by(AlertHistory.id)).all()
        state = rebuild(history)
        assert state is not None
        assert state.status == row.status
        assert state.ticket_id == row.ticket_id
        assert state.matched_rule_id == row.matched_rule_id
        assert state.attention == row.attention
        assert state.suppressed_by_window_id == row.suppressed_by_window_id
        assert state.awaits_text == (row.details_due_at is not None)
        assert state.severity == row.severity
