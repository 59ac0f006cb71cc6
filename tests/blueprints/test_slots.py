"""What the host's own pages show of the extension."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask_login import login_user

from reference_psa.db import db
from reference_psa.models import Asset, User
from rmm_extension.blueprints.slots import Slots
from rmm_extension.models import utc_now
from rmm_extension.testing.statements import StatementCounter

from .conftest import World


@pytest.fixture
def slots(world: World) -> Iterator[Slots]:
    """The slots in a request of the tenant's technician."""
    with world.app.test_request_context("/"):
        login_user(db.session.get(User, ("one", "one-technician")))
        yield Slots()
        db.session.commit()


def test_navigation_by_permission(world: World, slots: Slots) -> None:
    labels = [entry.label for entry in slots.navigation()]
    assert labels == [
        "Overview",
        "Alerts",
        "Needs attention",
        "Devices",
        "Software",
        "Compliance",
        "Workflows",
        "Maintenance",
        "Deliveries",
        "Connections",
    ]


def test_nothing_to_show_is_empty(world: World, slots: Slots) -> None:
    assert slots.asset_panel("a1") == ""
    assert slots.asset_badges(["a1"]) == {}
    assert slots.asset_badges([]) == {}
    assert slots.asset_filters() == ""
    assert slots.ticket_panel("t1") == ""
    assert slots.dashboard() == ""


def test_nobody_signed_in_sees_nothing(world: World) -> None:
    connection = world.connect()
    world.devices(connection, 1, asset_id="a1")
    with world.app.test_request_context("/"):
        assert list(Slots().navigation()) == []
        assert Slots().asset_panel("a1") == ""
        assert Slots().asset_badges(["a1"]) == {}
        assert Slots().integration_cards() == ""
        assert Slots().dashboard() == ""


def test_an_assets_panel(world: World, slots: Slots) -> None:
    connection = world.connect("<b>HQ</b>")
    (device,) = world.devices(connection, 1, asset_id="a1", facts={"lan_ip": "10.0.0.5"})
    world.alerts(connection, 1, device_id=device, message="<script>x</script>")
    panel = slots.asset_panel("a1")
    assert "10.0.0.5" in panel
    assert "&lt;script&gt;x" in panel
    assert "<b>HQ" not in panel
    assert panel.count("<link") == 1


def test_an_assets_panel_has_all_its_devices(world: World, slots: Slots) -> None:
    first, second = world.connect("First"), world.connect("Second")
    disk = {"name": "C:", "total_gb": 100.0, "free_gb": 4.5, "utilization_percent": 95.5}
    facts = {"has_pending_patches": True, "hardware": {"memory_gb": 16.0, "disks": [disk]}}
    (mine,) = world.devices(first, 1, asset_id="a1", facts=facts, name="MINE", last_synced_at=utc_now())
    world.devices(second, 1, asset_id="a1", name="TWIN", status="overdue", last_seen_at=None)
    world.devices(second, 1, asset_id="a2", name="STRANGER")
    (alert,) = world.alerts(first, 1, device_id=mine, message="Full")
    world.history(alert, first, [{"code": "no_window"}])
    panel = " ".join(re.sub(r"<[^>]+>", " ", slots.asset_panel("a1")).split())
    for words in (
        "MINE Online Patches pending",
        "Acme RMM · First, synced just now",
        "Memory (GB) 16",
        "C: 96 %, nearly full 4.5 GB 100.0 GB",
        "TWIN Overdue",
        "Acme RMM · Second, synced never",
        "Full",
        "Activity",
    ):
        assert words in panel, words
    assert "STRANGER" not in panel


@pytest.mark.parametrize(
    "columns, words",
    [
        ({"last_synced_at": None}, "not synced yet"),
        ({"last_synced_at": utc_now() - timedelta(hours=3)}, "synced 3 h ago"),
        ({"last_error": "It has no name."}, "sync failed"),
        ({"missing_count": 1, "missing_since": utc_now()}, "not in the last list"),
        ({"missing_count": 2, "missing_since": utc_now()}, "missing at the vendor"),
    ],
)
def test_a_badge_says_how_the_sync_stands(
    world: World, slots: Slots, columns: dict[str, Any], words: str
) -> None:
    world.devices(world.connect(), 1, asset_id="a1", **columns)
    badge = " ".join(slots.asset_badges(["a1"])["a1"].striptags().split())
    assert f"Acme RMM · {words}" in badge


def test_badges_of_a_list_are_one_statement(world: World, slots: Slots) -> None:
    connection = world.connect()
    for at in range(20):
        world.devices(connection, 1, asset_id=f"a{at}", status="overdue")
    slots.navigation()
    with StatementCounter() as sent:
        badges = slots.asset_badges([f"a{at}" for at in range(30)])
    assert len(badges) == 20
    assert sent.count == 1
    assert "Overdue" in badges["a3"]


def test_a_badge_counts_the_active_alerts_of_all_devices_of_an_asset(world: World, slots: Slots) -> None:
    connection = world.connect()
    for status, number in (("active", 2), ("acknowledged", 1), ("resolved", 1)):
        (device,) = world.devices(connection, 1, asset_id="a1")
        world.alerts(connection, number, device_id=device, status=status)
        world.alerts(connection, 1, device_id=device, status="active")
    assert "5 active" in slots.asset_badges(["a1"])["a1"]


@pytest.mark.parametrize("panel", ["asset_panel", "ticket_panel"])
def test_a_panel_costs_the_same_for_one_alert_and_for_many(world: World, slots: Slots, panel: str) -> None:
    connection = world.connect()
    (device,) = world.devices(connection, 1, asset_id="x")
    slots.navigation()
    getattr(slots, panel)("nothing")  # which workflows people start is read once per request
    counts = []
    for more in (1, 15):
        ids = world.alerts(connection, more, device_id=device, ticket_id="x")
        for alert in ids:
            world.history(alert, connection, [{"code": "no_window"}])
        slots.head()
        with StatementCounter() as sent:
            assert getattr(slots, panel)("x")
        counts.append(sent.count)
    assert counts[0] == counts[1] <= 13, sent


def test_panels_offer_what_the_person_may_do(world: World) -> None:
    connection = world.connect()
    (device,) = world.devices(connection, 1, asset_id="a1")
    world.alerts(connection, 2, device_id=device, ticket_id="t1")
    world.alerts(connection, 1, device_id=device)
    for role, count in (("technician", 3), ("read_only", 0)):
        with world.app.test_request_context("/"):
            login_user(db.session.get(User, ("one", f"one-{role}")))
            asset, ticket = Slots().asset_panel("a1"), Slots().ticket_panel("t1")
            db.session.commit()
        assert asset.count("Acknowledge</button>") == count
        assert asset.count("Create ticket…") == (1 if count else 0)
        assert ("Resolve all 2 that are open…" in ticket) == bool(count)
        assert "back=ticket:t1" in ticket.replace("%3A", ":") or not count


def test_a_tickets_panel_tells_why(world: World, slots: Slots) -> None:
    connection = world.connect()
    (device,) = world.devices(connection, 1, name="PC-7")
    (alert,) = world.alerts(connection, 1, ticket_id="t1", device_id=device)
    world.history(alert, connection, [{"code": "ticket_created", "number": "T-1"}])
    panel = slots.ticket_panel("t1")
    assert "PC-7" in panel
    assert "Ticket T-1 created." in panel


def test_another_tenants_rows_are_not_shown(world: World, slots: Slots) -> None:
    connection = world.connect(tenant="two")
    world.devices(connection, 1, tenant_id="two", asset_id="a1")
    world.alerts(connection, 1, tenant_id="two", ticket_id="t1")
    assert slots.asset_panel("a1") == ""
    assert slots.asset_badges(["a1"]) == {}
    assert slots.ticket_panel("t1") == ""
    assert slots.dashboard() == ""


def test_the_dashboard(world: World, slots: Slots) -> None:
    connection = world.connect()
    world.alerts(connection, 2)
    assert "<strong>2</strong>" in slots.dashboard()


def test_filters_offer_the_connected_vendors(world: World, slots: Slots) -> None:
    world.connect()
    assert 'name="agent_status"' in slots.asset_filters()
    for name in ("rmm_managed", "rmm_alerts", "rmm_patches"):
        assert f'name="{name}"' in slots.asset_filters()
    assert '<option value="acme">' in slots.asset_filters()


def test_host_pages_show_them(world: World) -> None:
    browser = world.client()
    world.connect("Headquarters")
    assert "Headquarters" in browser.get("/settings/integrations").text
    for path in ("/", "/assets"):
        assert browser.get(path).status_code == 200


def test_the_hosts_list_of_assets_can_show_those_with_active_alerts(world: World) -> None:
    connection = world.connect()
    with world.app.app_context():
        for name in ("LOUD", "QUIET"):
            db.session.add(Asset(tenant_id="one", id=name, name=name, asset_type="workstation"))
        db.session.commit()
    loud, quiet = (world.devices(connection, 1, asset_id=name)[0] for name in ("LOUD", "QUIET"))
    world.alerts(connection, 2, device_id=loud)
    world.alerts(connection, 1, device_id=quiet, status="resolved")
    browser = world.client()
    every, some = browser.get("/assets").text, browser.get("/assets?rmm_alerts=active").text
    assert ">QUIET</a>" in every
    assert ">QUIET</a>" not in some
    assert ">LOUD</a>" in some
    assert "2 active" in some
    assert "Alerts: Active" in some
    by_hand = browser.get("/assets?rmm_managed=no").text
    assert ">QUIET</a>" not in by_hand
    assert ">LOUD</a>" in browser.get("/assets?agent_status=online&rmm_patches=unknown").text
    assert ">LOUD</a>" not in browser.get("/assets?agent_status=not_online").text
