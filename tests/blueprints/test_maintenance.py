"""Maintenance windows as pages: lists, actions, the editor and its preview."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from reference_psa.db import db
from reference_psa.models import Asset
from rmm_extension.models import MaintenanceWindow, utc_now
from rmm_extension.services import maintenance
from rmm_extension.services.unit import unit
from rmm_extension.testing.statements import StatementCounter

from .conftest import World, said

RECURRENCE = {
    "type": "weekly",
    "days": [2, 4],
    "startTime": "22:00",
    "endTime": "02:00",
    "timezone": "Europe/Berlin",
}


def add(world: World, name: str = "Now", tenant: str = "one", **value: Any) -> UUID:
    """A window that holds now, unless something else is said."""
    now = utc_now()
    times = {"startsAt": now - timedelta(hours=1), "endsAt": now + timedelta(hours=1)}
    given = {} if "recurrence" in value else {key: moment.isoformat() for key, moment in times.items()}
    with world.app.app_context(), unit(world.rmm) as session:
        made = maintenance.create(world.rmm, session, world.actor(tenant), {"name": name, **given, **value})
        return made.id


def stored(world: World) -> list[MaintenanceWindow]:
    with world.app.app_context():
        return list(db.session.query(MaintenanceWindow).order_by(MaintenanceWindow.created_at))


def add_asset(world: World, name: str = "SERVER-01", tenant: str = "one", client: str = "c0") -> str:
    """An asset of Alpha with a device of the same name."""
    with world.app.app_context():
        row = Asset(tenant_id=tenant, client_id=f"{tenant}-{client}", name=name, asset_type="server")
        db.session.add(row)
        db.session.commit()
        return row.id


# --- The list


def test_the_list_says_what_runs_what_comes_and_what_is_over(world: World) -> None:
    connection = world.connect("Fleet")
    asset = add_asset(world)
    running = add(world, "Now", clientId="one-c0", assetId=asset, integrationId=str(connection))
    world.alerts(connection, 2, status="suppressed", suppressed_by_window_id=running)
    world.alerts(connection, 1, status="resolved", suppressed_by_window_id=running)
    add(world, "Patch night", recurrence=RECURRENCE)
    add(world, "Long ago", startsAt="2020-01-01T00:00:00Z", endsAt="2020-01-01T02:00:00Z")
    add(world, "Resting", recurrence=RECURRENCE, isActive=False)
    page = said(world.client().get("/rmm/maintenance"))
    assert "Maintenance 4" in page
    assert re.search(r"Running ends in (59|60) min Now", page) or "Running ends in 1 h Now" in page
    assert "Asset SERVER-01 Client Alpha" in page
    assert "Fleet 2 alerts" in page
    assert "Every Tuesday and Thursday, 22:00 to 02:00 the next day, Europe/Berlin Everything" in page
    assert "Over ended" in page
    assert "Wed 1 Jan 2020, 00:00 to 02:00 UTC" in page
    assert page.index("Resting") < page.index("Long ago") < page.index("Patch night Every"), "newest first"


def test_the_count_leads_to_the_alerts(world: World) -> None:
    connection = world.connect()
    window_id = add(world)
    world.alerts(connection, 1, status="suppressed", suppressed_by_window_id=window_id)
    page = world.client().get("/rmm/maintenance").text
    (link,) = re.findall(r'href="(/rmm/alerts\?[^"]+)"', page)
    assert str(window_id) in link
    assert "1 alert" in said(world.client().get("/rmm/maintenance"))


@pytest.mark.parametrize(
    "state, names", [("running", ["Now"]), ("planned", ["Patch night"]), ("over", []), ("off", ["Resting"])]
)
def test_a_filter_by_state(world: World, state: str, names: list[str]) -> None:
    add(world, "Now")
    add(world, "Patch night", recurrence={**RECURRENCE, "days": [(utc_now().isoweekday() + 3) % 7]})
    add(world, "Resting", isActive=False)
    answer = world.client().get(f"/rmm/maintenance?state={state}")
    assert re.findall(r'data-rmm-open href="[^"]+">([^<]+)<', answer.text) == names
    assert f"State: {state.capitalize()}" in said(answer)
    assert ("No window matches" in said(answer)) is (not names)


def test_a_filter_by_connection_shows_its_own_and_the_global_ones(world: World) -> None:
    first, second = world.connect("First"), world.connect("Second")
    add(world, "Of the first", integrationId=str(first))
    add(world, "Of all")
    page = said(world.client().get(f"/rmm/maintenance?connection={second}"))
    assert "Of all" in page
    assert "Of the first" not in page


def test_the_tab_of_a_connection(world: World) -> None:
    first, second = world.connect("First"), world.connect("Second")
    add(world, "Of the first", integrationId=str(first))
    add(world, "Of the second", integrationId=str(second))
    add(world, "Of all")
    answer = world.client().get(f"/rmm/connections/{first}/maintenance")
    page = said(answer)
    assert "2 windows : of this connection, and of all connections" in page
    assert "Of the second" not in page
    assert f"/rmm/maintenance/new?connection={first}" in answer.text
    assert "Maintenance" in said(world.client("read_only").get(f"/rmm/connections/{first}"))


def test_an_empty_list_says_what_windows_are_for(world: World) -> None:
    page = said(world.client().get("/rmm/maintenance"))
    assert "No maintenance windows yet While a window holds, alerts are recorded but make no ticket" in page
    assert "New window" in page
    reader = world.client("read_only").get("/rmm/maintenance")
    assert reader.status_code == 200
    assert "/rmm/maintenance/new" not in reader.text


def test_readers_see_windows_and_change_none(world: World) -> None:
    window_id = add(world)
    browser = world.client("technician")
    page = browser.get("/rmm/maintenance")
    assert "Now" in said(page)
    assert "End now" not in page.text
    for path in ("new", str(window_id), f"{window_id}/delete", "preview", "assets?q=a"):
        assert browser.get(f"/rmm/maintenance/{path}").status_code == 403, path
    for path in ("new", str(window_id), f"{window_id}/delete", f"{window_id}/switch", f"{window_id}/end"):
        assert browser.post(f"/rmm/maintenance/{path}").status_code == 403, path
    assert stored(world)[0].is_active


def test_another_tenants_windows_are_not_there(world: World) -> None:
    window_id = add(world, "Theirs", tenant="two")
    browser = world.client()
    assert "Theirs" not in browser.get("/rmm/maintenance").text
    assert browser.get(f"/rmm/maintenance/{window_id}").status_code == 404
    assert browser.get(f"/rmm/maintenance/{window_id}/delete").status_code == 404
    for action in ("switch", "end", "delete"):
        assert browser.post(f"/rmm/maintenance/{window_id}/{action}").status_code == 404, action
    assert (
        browser.post(f"/rmm/maintenance/{window_id}", data={"name": "Mine", "kind": "once"}).status_code
        == 404
    )
    assert [row.name for row in stored(world)] == ["Theirs"]


def test_what_is_gone_is_said(world: World) -> None:
    connection, asset = world.connect(), add_asset(world)
    add(world, integrationId=str(connection), clientId="one-c0", assetId=asset)
    with world.app.app_context():
        db.session.query(MaintenanceWindow).update({"client_id": "gone", "asset_id": "gone"})
        db.session.commit()
    page = said(world.client().get("/rmm/maintenance"))
    assert "Asset that is gone Client that is gone" in page


def test_the_list_costs_the_same_however_long_it_is(world: World) -> None:
    connection, asset = world.connect(), add_asset(world)
    browser = world.client()

    def cost() -> int:
        with StatementCounter() as counter:
            assert browser.get("/rmm/maintenance").status_code == 200
        return counter.count

    add(world, clientId="one-c0", assetId=asset, integrationId=str(connection))
    cost()
    one = cost()
    for number in range(15):
        add(world, f"W{number}", recurrence=RECURRENCE, clientId="one-c1")
    assert cost() == one


# --- Actions


def test_ending_says_what_follows(world: World) -> None:
    connection, window_id = world.connect(), add(world)
    world.alerts(connection, 3, status="suppressed", suppressed_by_window_id=window_id)
    browser = world.client()
    answer = browser.post(f"/rmm/maintenance/{window_id}/end")
    assert answer.location == "/rmm/maintenance"
    page = said(browser.get(answer.location))
    assert "“Now” has ended. 3 suppressed alerts go through the rules within a minute, unless" in page
    assert "Over ended just now" in page
    browser.post(f"/rmm/maintenance/{window_id}/end")
    assert "“Now” is not running now." in said(browser.get("/rmm/maintenance"))


def test_switching_off_and_on_leads_back_to_the_connection(world: World) -> None:
    connection, window_id = world.connect(), add(world)
    browser = world.client()
    answer = browser.post(f"/rmm/maintenance/{window_id}/switch", data={"active": "0", "back_to": connection})
    assert answer.location == f"/rmm/connections/{connection}/maintenance"
    assert "“Now” is off. It suppressed nothing at the moment." in said(browser.get(answer.location))
    assert not stored(world)[0].is_active
    browser.post(f"/rmm/maintenance/{window_id}/switch", data={"active": "1"})
    assert stored(world)[0].is_active


def test_deleting_names_the_consequence_first(world: World) -> None:
    connection, window_id = world.connect(), add(world)
    world.alerts(connection, 1, status="suppressed", suppressed_by_window_id=window_id)
    browser = world.client()
    page = said(browser.get(f"/rmm/maintenance/{window_id}/delete"))
    assert "Delete Now?" in page
    assert "1 suppressed alert goes through the rules within a minute, unless another window holds." in page
    assert len(stored(world)) == 1
    answer = browser.post(f"/rmm/maintenance/{window_id}/delete")
    assert "“Now” is deleted. 1 suppressed alert goes through" in said(browser.get(answer.location))
    assert stored(world) == []


def test_every_change_of_a_window_has_a_place(world: World) -> None:
    connection = world.connect("Fleet")
    everywhere, here = add(world, "Everywhere"), add(world, "Here", integrationId=str(connection))
    add(world, "Elsewhere", tenant="two")
    browser = world.client()
    browser.post(f"/rmm/maintenance/{everywhere}/end")
    browser.post(f"/rmm/maintenance/{here}/switch", data={"active": "0"})
    browser.post(f"/rmm/maintenance/{everywhere}/delete")
    assert 'href="/rmm/maintenance/activity"' in browser.get("/rmm/maintenance").text
    page = said(browser.get("/rmm/maintenance/activity"))
    for what in ("deleted: Everywhere", "switched off: Here", "created: Here", "created: Everywhere"):
        assert f"Window {what}" in page
    assert "Name: Here" in page
    assert "Elsewhere" not in page
    assert "Window switched off: Here" in said(browser.get(f"/rmm/connections/{connection}/activity"))


def test_windows_without_a_change_say_so(world: World) -> None:
    assert "No activity yet" in world.client().get("/rmm/maintenance/activity").text
