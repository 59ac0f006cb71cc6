"""Polling beside webhooks: whoever is newer wins, and nothing is lost between them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from reference_psa.models import User
from reference_psa.services import tickets as people
from rmm_extension.domain.types import AlertEvent, AlertKind, Severity
from rmm_extension.models import utc_now
from rmm_extension.services.reconcile import work
from tests.harness.world import AGENT, World
from tests.services.reconcile.conftest import Script, Vendor
from tests.services.working import relay_all, steps
from tests.services.working import work as work_off


def listed(external_id: str | int = 524, **values: Any) -> AlertEvent:
    """An alert in the vendor's list, as the webhook of :meth:`World.body` has it."""
    return AlertEvent(
        **{
            "kind": AlertKind.TRIGGERED,
            "external_id": str(external_id),
            "occurred_at": utc_now() - timedelta(minutes=1),
            "severity": Severity.CRITICAL,
            "external_device_id": AGENT,
            "external_organization_id": "1",
            "condition": "check:202",
            "alert_class": "check",
            **values,
        }
    )


def other() -> AlertEvent:
    """Something else that is active, so that the list is not empty."""
    return listed(1, external_device_id="other")


def test_an_alert_that_a_webhook_brings_during_the_fetch_is_not_missing(
    world: World, vendor: Vendor, script: Script
) -> None:
    script.events = [other()]
    script.while_asked = [lambda: world.post()]
    vendor.poll()
    assert world.alert()["status"] == "active"


def test_an_alert_that_changes_during_the_fetch_is_not_missing(
    world: World, vendor: Vendor, script: Script
) -> None:
    world.post(world.body(severity="warning"))
    script.events = [other()]
    script.while_asked = [lambda: world.post(world.body(severity="error"))]
    vendor.poll()
    alert = world.alert()
    assert (alert["status"], alert["severity"]) == ("active", "critical")
    script.while_asked = []
    vendor.poll()
    assert world.alert()["status"] == "auto_resolved"


def test_a_change_between_comparing_and_resetting_is_noticed(
    world: World, vendor: Vendor, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.post(world.body(severity="warning"))
    script.events = [other()]
    honest = work.Work.do

    def do(self: work.Work) -> None:
        world.post(world.body(severity="error"))
        honest(self)

    monkeypatch.setattr(work.Work, "do", do)
    vendor.poll()
    assert world.alert()["status"] == "active"


def test_an_end_that_a_webhook_brings_during_the_fetch_stays(
    world: World, vendor: Vendor, script: Script
) -> None:
    world.post()
    told = world.alert()["last_event_at"]
    script.events = [listed(occurred_at=told), other()]
    script.while_asked = [lambda: world.post(world.resolved())]
    vendor.poll()
    assert world.alert()["status"] == "auto_resolved"
    assert world.alert()["episode"] == 1


def test_an_older_text_does_not_overwrite_a_newer_one(world: World, vendor: Vendor, script: Script) -> None:
    world.post(world.body(severity="warning"))
    script.events = [listed(severity=Severity.MINOR)]
    script.while_asked = [lambda: world.post(world.body(severity="error"))]
    vendor.poll()
    assert world.alert()["severity"] == "critical"


def test_the_echo_of_our_own_reset_changes_nothing(world: World, vendor: Vendor, script: Script) -> None:
    world.post()
    world.post(world.resolved())
    history = world.one("SELECT count(*) FROM rmm_alert_events")
    script.events = [other()]
    vendor.poll()
    vendor.poll()
    assert world.one("SELECT count(*) FROM rmm_alert_events") == history + 1, "the other alert alone"


def test_an_alert_that_a_person_resolved_here_stays_so_while_it_is_listed(
    world: World, vendor: Vendor, script: Script
) -> None:
    world.post()
    told = world.alert()["last_event_at"]
    long_ago = "updated_at = now() - interval '1 day'"
    world.do(f"UPDATE rmm_alerts SET status = 'resolved', resolved_here = TRUE, {long_ago}")
    script.events = [listed(occurred_at=told)]
    assert vendor.poll()["counts"] == {"processed": 1}
    assert world.alert()["status"] == "resolved"
    script.events = [listed(occurred_at=told + timedelta(hours=1))]
    vendor.poll()
    assert (world.alert()["status"], world.alert()["episode"]) == ("active", 2)


def missing_then_listed(world: World, vendor: Vendor, script: Script, event: AlertEvent) -> None:
    """The vendor leaves the alert out once, and has it again an hour later, with the same old time."""
    script.events = [other()]
    vendor.poll()
    assert world.alert()["status"] == "auto_resolved"
    world.do(
        "UPDATE rmm_alerts SET updated_at = updated_at - interval '1 hour',"
        " last_event_at = last_event_at - interval '1 hour'"
    )
    script.events = [other(), event]
    vendor.poll()


def test_an_alert_that_is_listed_again_after_all_opens_again(
    world: World, vendor: Vendor, script: Script
) -> None:
    """Its time is as old as before: only that a list left it out had ended it here."""
    world.post()
    event = listed(occurred_at=world.alert()["last_event_at"])
    missing_then_listed(world, vendor, script, event)
    alert = world.alert()
    assert (alert["status"], alert["episode"]) == ("active", 2)
    assert len(world.tickets()) == 2 + 1, "one anew, one before, one of the other alert"
    assert vendor.poll()["counts"] == {"processed": 2}


def test_what_was_put_aside_at_the_vendor_does_not_open_again(
    world: World, vendor: Vendor, script: Script
) -> None:
    world.post()
    event = listed(occurred_at=world.alert()["last_event_at"], silenced=True)
    missing_then_listed(world, vendor, script, event)
    assert world.alert()["status"] == "auto_resolved"
    script.events = [other(), msgspec.structs.replace(event, silenced=False)]
    vendor.poll()
    assert world.alert()["status"] == "active"


def test_a_list_that_lags_a_little_opens_nothing(world: World, vendor: Vendor, script: Script) -> None:
    world.post()
    event = listed(occurred_at=world.alert()["last_event_at"])
    script.events = [other()]
    vendor.poll()
    script.events = [other(), event]
    vendor.poll()
    assert world.alert()["status"] == "auto_resolved"


def test_the_vendors_clock_may_be_ahead(world: World, vendor: Vendor, script: Script) -> None:
    ahead = (utc_now() + timedelta(hours=1)).isoformat(sep=" ")
    world.post(world.body(alert_time=ahead))
    script.events = [other()]
    vendor.poll()
    assert world.alert()["status"] == "auto_resolved"
    assert steps(world)[-2] == "vanished"


def test_an_alert_listed_twice_is_taken_once(world: World, vendor: Vendor, script: Script) -> None:
    script.events = [listed(), listed()]
    assert vendor.poll()["counts"] == {"processed": 1, "created": 1}


def test_an_alert_that_we_snoozed_counts_as_reset_until_it_wakes(world: World, vendor: Vendor) -> None:
    """Over HTTP: a person closes the ticket, the connection snoozes in place of resolving."""
    world.do("""UPDATE rmm_integrations SET settings = '{"reset_mode": "snooze", "snooze_days": 1}'""")
    alert_id, _ = vendor.trigger(0), vendor.trigger(1)
    vendor.poll()
    ticket_id = str(world.alert(alert_id)["ticket_id"])
    with world.unit() as session:
        person = session.query(User).filter_by(tenant_id=world.tenant, role="admin").first()
        assert person is not None
        people.close(session, person, ticket_id, None)
    relay_all(world)
    work_off(world, "alert_reset")
    assert vendor.lab.alerts[int(alert_id)].snoozed is True
    world.do("UPDATE rmm_alerts SET updated_at = updated_at - interval '1 day'")
    assert vendor.poll()["counts"] == {"processed": 2}
    assert world.alert(alert_id)["status"] == "resolved"

    until = vendor.lab.alerts[int(alert_id)].snooze_until
    assert until is not None, "the server takes its mark away some time after the end of the snooze"
    vendor.lab.alerts[int(alert_id)].snooze_until = until - timedelta(days=1, seconds=1)
    assert vendor.poll()["counts"] == {"processed": 2, "created": 1}
    alert = world.alert(alert_id)
    assert (alert["status"], alert["episode"]) == ("active", 2)
    assert alert["ticket_id"] not in (None, ticket_id)
