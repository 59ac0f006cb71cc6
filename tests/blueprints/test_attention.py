"""Needs attention: everything that waits for somebody, why, and what to do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rmm_extension.models import Integration, WebhookDelivery, utc_now
from rmm_extension.services.unit import unit

from .conftest import World, said


def test_when_all_is_well_it_says_so(world: World) -> None:
    world.connect()
    page = said(world.client("read_only").get("/rmm/attention"))
    assert "All is well" in page
    assert "waiting" not in page


def test_alerts_say_why_in_the_words_of_their_story(world: World) -> None:
    connection = world.connect()
    (failed,) = world.alerts(connection, 1, attention="ticket_failed", attention_at=utc_now())
    (kept,) = world.alerts(connection, 1, attention="reset_failed", attention_at=utc_now())
    (silent,) = world.alerts(connection, 1, attention="ticket_failed", attention_at=utc_now())
    world.history(failed, connection, [{"code": "ticket_failed", "reason": "the old reason"}])
    world.history(
        failed,
        connection,
        [{"code": "no_window"}, {"code": "ticket_failed", "reason": "no <b>board</b> is set"}],
    )
    world.history(kept, connection, [{"code": "vendor_reset", "accepted": False, "message": "It said no."}])
    world.history(
        kept, connection, [{"code": "vendor_reset", "accepted": True, "message": "Of another time."}]
    )
    answer = world.client("technician").get("/rmm/attention")
    page = said(answer)
    assert "No ticket could be made: no <b>board</b> is set." in page
    assert "<b>board" not in answer.text
    assert "the old reason" not in page
    assert "In no maintenance window" not in page
    assert "The vendor did not resolve the alert: It said no." in page
    assert "It is tried again every few minutes." in page, "where the story says nothing"
    assert answer.text.count('name="ids"') == 6, "one to select and one to try again, of each"
    assert str(silent) in answer.text


def test_who_may_not_manage_sees_what_waits_but_no_buttons(world: World) -> None:
    connection = world.connect()
    world.alerts(connection, 1, attention="ticket_failed")
    answer = world.client("read_only").get("/rmm/attention")
    assert "Disk 0 is full" in said(answer)
    assert '<form method="post" action="/rmm' not in answer.text


def test_organizations_without_a_client_lead_to_their_mapping(world: World) -> None:
    connection = world.connect()
    world.organizations(connection, ["Harbour Dental"])
    world.alerts(connection, 3, attention="no_client", attention_at=utc_now(), external_organization_id="o0")
    page = world.client().get("/rmm/attention")
    assert "3 alerts wait for a client" in said(page)
    assert f"/rmm/connections/{connection}/organizations?q=Harbour+Dental" in page.text


def test_a_connection_on_which_most_alerts_vanished(world: World) -> None:
    connection = world.connect("Headquarters")
    with world.app.app_context(), unit(world.rmm) as session:
        row = session.get_one(Integration, ("one", connection))
        row.reconcile_state = {
            "mass": True,
            "suspects": ["x"] * 40,
            "open": 60,
            "since": "2026-11-21T02:00:00Z",
        }
    answer = world.client().get("/rmm/attention")
    assert "40 of 60 open alerts were missing in the vendor's list" in said(answer)
    assert "Look again" in answer.text


@pytest.mark.parametrize("state", ["failed", "quarantined"])
def test_a_delivery_can_be_replayed_from_here(world: World, state: str) -> None:
    connection = world.connect()
    (delivery,) = world.insert(
        WebhookDelivery,
        [
            {
                "integration_id": connection,
                "provider": "acme",
                "state": state,
                "attempts": 2,
                "reason": "It could not be read.",
                "body": b"{}",
                "received_at": utc_now(),
            }
        ],
    )
    answer = world.client("technician").get("/rmm/attention")
    assert f"/rmm/deliveries/{delivery}/replay" in answer.text
    assert "It could not be read." in said(answer)


def test_a_delivery_put_aside_says_why_in_words(world: World) -> None:
    row = {"integration_id": world.connect(), "provider": "acme", "state": "quarantined", "attempts": 0}
    world.insert(WebhookDelivery, [{**row, "reason": "not_json", "body": b"{", "received_at": utc_now()}])
    shown = said(world.client().get("/rmm/attention"))
    assert "Put aside" in shown
    assert "The body is not JSON." in shown
    assert "not_json" not in shown


def test_a_failed_sync_can_be_run_again(world: World) -> None:
    connection = world.connect()
    world.run(connection, status="failed", error="The vendor did not answer.", finished_at=utc_now())
    world.run(connection, kind="alert_decisions", status="failed", error="Odd.", finished_at=utc_now())
    answer = world.client().get("/rmm/attention")
    assert answer.text.count("Run again") == 1
    assert "The vendor did not answer." in said(answer)


def test_the_navigation_counts_what_waits(world: World) -> None:
    connection = world.connect()
    world.alerts(connection, 2, attention="ticket_failed")
    world.run(connection, status="failed", finished_at=utc_now())
    page = said(world.client().get("/rmm/alerts"))
    assert "Needs attention 3 waiting" in page
    other = said(world.client(tenant="two").get("/rmm/alerts"))
    assert "waiting" not in other


def test_long_lists_end_with_a_link_to_all(world: World) -> None:
    world.alerts(world.connect(), 60, attention="ticket_failed")
    page = world.client().get("/rmm/attention")
    assert page.text.count("data-rmm-select") == 50
    assert "Show all alerts that need attention" in said(page)


def test_a_failed_run_that_a_later_one_made_good_needs_nobody(world: World) -> None:
    connection = world.connect()
    earlier, key = utc_now() - timedelta(hours=1), f"device_sync:{connection}"
    failed: dict[str, Any] = {"status": "failed", "error": "The vendor did not answer.", "exclusive_key": key}
    world.run(connection, **failed, queued_at=earlier)
    # What others did, and what went well before it, makes nothing good.
    world.run(connection, status="succeeded", exclusive_key="device_sync:another")
    world.run(connection, status="succeeded", exclusive_key=key, queued_at=earlier - timedelta(minutes=1))
    page = said(world.client().get("/rmm/attention"))
    assert "The vendor did not answer." in page
    assert "Needs attention 1 waiting" in page
    world.run(connection, status="succeeded", exclusive_key=key)
    page = said(world.client().get("/rmm/attention"))
    assert "The vendor did not answer." not in page
    assert "waiting" not in page
