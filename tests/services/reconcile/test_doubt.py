"""Lists that prove nothing: empty ones, lists that leave most out, and what the vendor says of one alert."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from rmm_extension.domain.errors import Unavailable
from rmm_extension.domain.types import AlertEvent, AlertKind, Severity
from rmm_extension.models import Alert, Integration, new_id, utc_now
from rmm_extension.services import connections, recurring, retention
from rmm_extension.services.queries import health
from rmm_extension.testing.statements import StatementCounter, is_write
from tests.harness.world import World
from tests.services.reconcile.conftest import Script, Vendor
from tests.services.working import work_one

AGO = utc_now() - timedelta(days=1)
"""When the alerts began: one moment for what is stored and what is listed, however long a test takes."""
KEPT = timedelta(days=400)
"""Longer than resolved alerts are kept."""


def opened(world: World, number: int, **values: Any) -> None:
    """Open alerts of a day ago, recorded without tickets, numbered from 1000."""
    with world.unit() as session:
        session.add_all(
            Alert(
                **{
                    "tenant_id": world.tenant,
                    "id": new_id(),
                    "integration_id": world.integration_id,
                    "external_id": str(1000 + at),
                    "status": "active",
                    "severity": "critical",
                    "dedup_key": f"agent|check:{at}",
                    "first_channel": "webhook",
                    "triggered_at": AGO,
                    "last_event_at": AGO,
                    "created_at": AGO,
                    "updated_at": AGO,
                    **values,
                }
            )
            for at in range(number)
        )


def listed(number: int, start: int = 0) -> list[AlertEvent]:
    return [
        AlertEvent(
            kind=AlertKind.TRIGGERED,
            external_id=str(1000 + at),
            occurred_at=AGO - timedelta(seconds=1),
            severity=Severity.CRITICAL,
        )
        for at in range(start, start + number)
    ]


def statuses(world: World) -> dict[str, int]:
    rows = world.rows("SELECT status, count(*) AS n FROM rmm_alerts GROUP BY status")
    return {row["status"]: row["n"] for row in rows}


def still_there(external_id: str) -> AlertEvent:
    return AlertEvent(kind=AlertKind.TRIGGERED, external_id=external_id, occurred_at=utc_now())


def test_one_empty_list_resets_nothing_and_a_second_look_is_due_in_a_minute(
    world: World, vendor: Vendor, script: Script
) -> None:
    script.single = Unavailable("Tactical does not answer.")
    opened(world, 2)
    run = vendor.poll()
    assert run["counts"] == {"processed": 0, "in_doubt": 2}
    assert statuses(world) == {"active": 2}
    row = vendor.connection()
    assert len(row["reconcile_state"]["suspects"]) == 2
    assert row["next_reconcile_at"] - row["last_reconciled_at"] == timedelta(seconds=60)


def test_a_second_empty_list_a_minute_later_counts(world: World, vendor: Vendor, script: Script) -> None:
    script.single = Unavailable("Tactical does not answer.")
    opened(world, 2)
    vendor.poll()
    vendor.poll()
    assert statuses(world) == {"active": 2}, "too early"
    vendor.minute_later()
    assert vendor.poll()["counts"] == {"processed": 0, "resolved": 2}
    assert statuses(world) == {"resolved": 2}
    assert vendor.state() == {}


def test_the_last_alert_heals_by_two_lists_over_http(world: World, vendor: Vendor) -> None:
    """The single call fails here, so that only the lists speak."""
    alert_id = vendor.trigger()
    vendor.poll()
    vendor.resolve(alert_id)
    vendor.fault("server_error", prefix=f"/alerts/{alert_id}/")
    vendor.poll()
    assert world.alert(alert_id)["status"] == "active"
    vendor.minute_later()
    vendor.poll()
    assert world.alert(alert_id)["status"] == "auto_resolved"
    assert world.tickets()[0]["closed_at"] is not None


def test_the_vendors_word_on_the_one_alert_makes_a_second_look_needless(world: World, vendor: Vendor) -> None:
    alert_id = vendor.trigger()
    vendor.poll()
    vendor.resolve(alert_id)
    run = vendor.poll()
    assert run["counts"] == {"processed": 0, "resolved": 1}
    resolved = vendor.lab.alerts[int(alert_id)].resolved_on
    assert world.alert(alert_id)["resolved_at"] == resolved, "the vendor's own time"
    assert vendor.state() == {}


def test_an_alert_that_the_vendor_deleted_is_over(world: World, vendor: Vendor) -> None:
    alert_id = vendor.trigger()
    vendor.poll()
    del vendor.lab.alerts[int(alert_id)]
    vendor.poll()
    assert world.alert(alert_id)["status"] == "auto_resolved"


def test_an_empty_list_beside_an_active_alert_is_not_believed(world: World, vendor: Vendor) -> None:
    alert_id = vendor.trigger()
    vendor.poll()
    vendor.fault("wrong_shape", body="[]", count=1)
    assert vendor.poll()["counts"] == {"processed": 0}
    vendor.well()
    assert world.alert(alert_id)["status"] == "active"
    assert vendor.state() == {}


def test_many_suspects_are_not_asked_for_one_by_one(world: World, vendor: Vendor, script: Script) -> None:
    asked: list[str] = []
    script.single = lambda external_id: asked.append(external_id)
    opened(world, 11)
    vendor.poll()
    assert asked == []
    assert statuses(world) == {"active": 11}


def test_most_alerts_at_once_wait_for_a_second_look(world: World, vendor: Vendor, script: Script) -> None:
    opened(world, 40)
    script.events = listed(10)
    assert vendor.poll()["counts"] == {"processed": 10, "in_doubt": 30}
    assert statuses(world) == {"active": 40}
    vendor.minute_later()
    script.events = listed(15)
    assert vendor.poll()["counts"] == {"processed": 15, "resolved": 25}
    assert statuses(world) == {"active": 15, "resolved": 25}


def test_half_of_them_is_not_most(world: World, vendor: Vendor, script: Script) -> None:
    opened(world, 42)
    script.events = listed(21)
    assert vendor.poll()["counts"] == {"processed": 21, "resolved": 21}


def test_what_comes_back_was_never_gone(world: World, vendor: Vendor, script: Script) -> None:
    opened(world, 40)
    script.events = listed(1)
    vendor.poll()
    vendor.minute_later()
    script.events = listed(40)
    assert vendor.poll()["counts"] == {"processed": 40}
    assert statuses(world) == {"active": 40}
    assert vendor.state() == {}


def test_a_failed_second_look_keeps_the_first(world: World, vendor: Vendor) -> None:
    alert_id = vendor.trigger()
    vendor.poll()
    vendor.resolve(alert_id)
    vendor.fault("server_error", prefix=f"/alerts/{alert_id}/")
    vendor.poll()
    vendor.minute_later()
    vendor.fault("forbidden")
    assert vendor.poll()["status"] == "failed"
    assert world.alert(alert_id)["status"] == "active"
    assert len(vendor.state()["suspects"]) == 1


def test_people_see_that_most_alerts_are_in_doubt_until_it_is_settled(
    world: World, vendor: Vendor, script: Script
) -> None:
    opened(world, 40)
    script.events = listed(10)
    vendor.poll()
    with world.unit() as session:
        (guard,) = health.vanish_guards(session, world.tenant)
        assert (guard.integration_id, guard.suspects, guard.open) == (world.integration_id, 30, 40)
        assert guard.since is not None
        assert health.vanish_guards(session, "another") == []
    vendor.minute_later()
    vendor.poll()
    with world.unit() as session:
        assert health.vanish_guards(session, world.tenant) == []


def test_a_few_in_doubt_are_nothing_to_tell(world: World, vendor: Vendor, script: Script) -> None:
    script.single = Unavailable("Tactical does not answer.")
    opened(world, 2)
    vendor.poll()
    with world.unit() as session:
        assert health.vanish_guards(session, world.tenant) == []


def test_the_second_look_comes_by_itself_even_where_polling_is_off(
    world: World, vendor: Vendor, script: Script
) -> None:
    script.single = Unavailable("Tactical does not answer.")
    opened(world, 2)
    with world.unit() as session:
        recurring.save_polling(session, world.admin, world.integration_id, enabled=False, minutes=15)
    vendor.poll()
    with world.app.app_context():
        assert recurring.start_due_polls(world.rmm) == 0
    world.do("UPDATE rmm_integrations SET next_reconcile_at = now() WHERE id = :id", id=world.integration_id)
    with world.app.app_context():
        assert recurring.start_due_polls(world.rmm) == 1


@pytest.mark.parametrize("way", ["resume", "reconnect"])
def test_a_first_look_does_not_outlive_a_pause_or_new_credentials(
    world: World, vendor: Vendor, script: Script, way: str
) -> None:
    script.single = Unavailable("Tactical does not answer.")
    opened(world, 2)
    vendor.poll()
    with world.unit() as session:
        if way == "resume":
            connections.pause(session, world.admin, world.integration_id)
            connections.resume(session, world.admin, world.integration_id)
        else:
            row = session.get(Integration, (world.tenant, world.integration_id))
            stored = connections.build(world.rmm, session, row)
            connections.reconnect(world.rmm, session, world.admin, world.integration_id, stored)
    assert vendor.state() == {}
    assert vendor.connection()["next_reconcile_at"] is None
    assert vendor.poll()["counts"] == {"processed": 0, "in_doubt": 2}


def test_a_change_of_the_connection_meanwhile_makes_it_a_first_look(
    world: World, vendor: Vendor, script: Script
) -> None:
    script.single = Unavailable("Tactical does not answer.")
    opened(world, 2)
    script.while_asked = [lambda: world.do("UPDATE rmm_integrations SET config_version = config_version + 1")]
    vendor.poll()
    assert vendor.state() == {}
    assert statuses(world) == {"active": 2}


def test_alerts_of_our_own_ids_are_neither_missing_nor_counted(
    world: World, vendor: Vendor, script: Script
) -> None:
    opened(world, 30, synthesized=True)
    assert vendor.poll()["counts"] == {"processed": 0}
    assert statuses(world) == {"active": 30}


def test_the_vendors_own_word_counts_although_its_clock_is_behind(
    world: World, vendor: Vendor, script: Script
) -> None:
    """It says how the alert is now: that its time is older than ours must not keep it open for ever."""
    opened(world, 1, last_event_at=utc_now())
    script.single = lambda external_id: AlertEvent(
        kind=AlertKind.RESET, external_id=external_id, occurred_at=utc_now() - timedelta(hours=1)
    )
    vendor.poll()
    assert statuses(world) == {"resolved": 1}


def test_what_is_acknowledged_at_the_vendor_is_open_there(
    world: World, vendor: Vendor, script: Script
) -> None:
    opened(world, 1)
    taken_on = [msgspec.structs.replace(one, kind=AlertKind.ACKNOWLEDGED) for one in listed(2)]
    script.events = taken_on
    vendor.poll()
    vendor.poll()
    assert statuses(world) == {"active": 2}


def test_a_listed_time_in_the_future_is_no_news(world: World, vendor: Vendor, script: Script) -> None:
    ahead = utc_now() + timedelta(days=9_000)
    script.events = [msgspec.structs.replace(one, occurred_at=ahead) for one in listed(2)]
    assert vendor.poll()["counts"] == {"processed": 2, "created": 2}
    assert vendor.poll()["counts"] == {"processed": 2}
    world.do("UPDATE rmm_alerts SET status = 'resolved', resolved_here = TRUE")
    assert vendor.poll()["counts"] == {"processed": 2}
    assert statuses(world) == {"resolved": 2}


def test_what_is_over_here_is_not_removed_while_it_is_listed(
    world: World, vendor: Vendor, script: Script
) -> None:
    """Without its row the alert would be new, and make a ticket of what a person has resolved."""
    opened(world, 2, status="resolved", resolved_here=True, updated_at=utc_now() - KEPT)
    script.events = [msgspec.structs.replace(one, occurred_at=utc_now() - KEPT) for one in listed(1)]
    world.do("UPDATE rmm_alerts SET triggered_at = :at, last_event_at = :at", at=utc_now() - KEPT)
    assert vendor.poll()["counts"] == {"processed": 1}
    with world.app.app_context():
        retention.start_due(world.rmm)
    run_id = world.one(
        "SELECT id FROM rmm_job_runs WHERE kind = 'retention' AND tenant_id = :t", t=world.tenant
    )
    counts = work_one(world, run_id)
    assert isinstance(counts, dict)
    assert counts["alerts"] == 1, "the other one is gone at the vendor"
    assert vendor.poll()["counts"] == {"processed": 1}
    assert statuses(world) == {"resolved": 1}
    with StatementCounter(this_thread=True) as sent:
        vendor.poll()
    assert [text for text in sent.statements if is_write(text) and "rmm_alerts" in text] == []
