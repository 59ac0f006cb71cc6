"""What vendors told of devices, on pages: the log of deliveries, a device's activity, sync page, health."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from reference_psa.db import db
from rmm_extension.models import Integration, JobRun, Signal, new_id, utc_now
from rmm_extension.services.unit import unit

from .conftest import World, said
from .test_deliveries import stored, taken

NOW = utc_now()


def told(world: World, integration_id: UUID, number: int = 1, **more: Any) -> list[UUID]:
    """Signals, the first one the newest, a minute apart."""
    row = {"integration_id": integration_id, "kind": "seen", "external_device_id": "7", "channel": "webhook"}
    row |= {"words": "Restarted", "outcome": "device_seen", "device_id": None, "reason": None, **more}
    times = [NOW - timedelta(minutes=at) for at in range(number)]
    rows = [{"external_id": str(new_id()), "received_at": at, "occurred_at": at, **row} for at in times]
    return world.insert(Signal, rows)


def test_the_log_has_them_in_one_order_with_the_others(world: World) -> None:
    connection = world.connect()
    (device,) = world.devices(connection)
    taken(world, connection, 2)
    stored(world, connection, 2)
    told(world, connection, 3, device_id=device)
    told(world, connection, 1, words="Not by webhook", channel="poll")
    page = world.client(role="read_only").get("/rmm/deliveries")
    assert page.text.count("data-rmm-row") == 7
    shown = said(page)
    assert "Device seen Restarted PC-0000" in shown
    assert "Not by webhook" not in shown
    only = said(world.client().get(f"/rmm/deliveries?outcome=signal&connection={connection}"))
    assert "Restarted" in only
    assert "SERVER-07" not in only


def test_pages_hold_each_once(world: World) -> None:
    connection = world.connect()
    told(world, connection, 60)
    first = world.client().get("/rmm/deliveries?outcome=signal").text
    assert first.count("data-rmm-row") == 50


@pytest.mark.parametrize(
    "reason, words",
    [
        ("organization_not_synced", "Its organization is not synced here"),
        ("older_event", "The device was seen since"),
        ("some_new_word", "Some new word."),
    ],
)
def test_why_nothing_followed(world: World, reason: str, words: str) -> None:
    connection = world.connect()
    told(world, connection, outcome="skipped", reason=reason)
    assert words in said(world.client().get("/rmm/deliveries"))


def test_the_log_of_another_tenant(world: World) -> None:
    connection = world.connect(tenant="two")
    told(world, connection, tenant_id="two", words="Theirs")
    assert "Theirs" not in said(world.client().get("/rmm/deliveries"))


def test_a_device_tells_what_its_vendor_told(world: World) -> None:
    connection = world.connect()
    (device,) = world.devices(connection)
    told(world, connection, device_id=device, words="Software added: <b>7-Zip</b>")
    told(world, connection, device_id=device, words="Old news", outcome="skipped", reason="older_event")
    page = world.client(role="read_only").get(f"/rmm/devices/{device}")
    shown = said(page)
    assert "Software added: <b>7-Zip</b> · " in shown
    assert "Old news nothing changed here" in shown
    assert "Acme RMM" in shown
    assert "<b>7-Zip" not in page.text


def test_health_knows_the_last_delivery_that_told_of_a_device(world: World) -> None:
    connection = world.connect()
    with world.app.app_context(), unit(world.rmm) as session:
        row = session.scalars(select(Integration).where(Integration.id == connection)).one()
        row.webhook_enabled = True
    told(world, connection, received_at=NOW - timedelta(hours=1))
    shown = said(world.client().get(f"/rmm/connections/{connection}/health"))
    assert "The last delivery arrived 1 h ago" in shown


class TestActivityLog:
    @pytest.fixture
    def connection(self, world: World) -> UUID:
        """One to a vendor that keeps such a log."""
        return world.connect()

    def test_it_is_on_until_it_is_switched_off(self, world: World, connection: UUID) -> None:
        client, address = world.client(), f"/rmm/connections/{connection}"
        first = client.get(f"{address}/sync").text
        assert 'id="activity"' in first
        assert "It was not read yet" in first
        answer = client.post(f"{address}/activity-log", data={"activity": "y", "pause": "30"})
        assert answer.status_code == 303
        assert self.settings(world, connection)["activityLog"] == {"enabled": True, "intervalMinutes": 30}
        client.post(f"{address}/activity-log", data={"pause": "30"})
        assert self.settings(world, connection)["activityLog"]["enabled"] is False
        assert "The activity log is not read any more" in said(client.get(f"{address}/sync"))

    @pytest.mark.parametrize("minutes", ["4", "61", "", "soon"])
    def test_other_intervals_are_refused(self, world: World, connection: UUID, minutes: str) -> None:
        answer = world.client().post(
            f"/rmm/connections/{connection}/activity-log", data={"activity": "y", "pause": minutes}
        )
        assert answer.status_code == 422
        assert "activityLog" not in self.settings(world, connection)

    def test_it_is_read_when_somebody_asks(self, world: World, connection: UUID) -> None:
        answer = world.client().post(f"/rmm/connections/{connection}/sync", data={"what": "activity"})
        assert answer.status_code == 303
        with world.app.app_context():
            (kind,) = db.session.scalars(select(JobRun.kind).where(JobRun.integration_id == connection))
        assert kind == "activity_sync"

    def test_who_may_not_configure(self, world: World, connection: UUID) -> None:
        address = f"/rmm/connections/{connection}/activity-log"
        assert world.client(role="technician").post(address, data={"pause": "30"}).status_code == 403

    def test_a_vendor_without_one_shows_none(self, world: World) -> None:
        connection = world.connect(provider="single")
        assert 'id="activity"' not in world.client().get(f"/rmm/connections/{connection}/sync").text
        answer = world.client().post(f"/rmm/connections/{connection}/activity-log", data={"pause": "30"})
        assert answer.status_code == 404

    def settings(self, world: World, connection: UUID) -> dict[str, Any]:
        with world.app.app_context():
            found = db.session.scalars(select(Integration.settings).where(Integration.id == connection)).one()
        return dict(found)
