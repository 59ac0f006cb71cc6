"""The editor of maintenance windows: what is kept, what is refused, and the preview of the next times."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from werkzeug.test import TestResponse

from reference_psa.db import db
from reference_psa.models import Asset
from rmm_extension.models import utc_now

from .conftest import World, said
from .test_hosts import with_ports
from .test_maintenance import RECURRENCE, add, add_asset, stored

ONCE = {
    "name": "Move of servers",
    "is_active": "y",
    "kind": "once",
    "starts": "2090-01-06T22:00",
    "ends": "2090-01-07T02:00",
    "timezone": "UTC",
}
WEEKLY = {
    "name": "Patch night",
    "is_active": "y",
    "kind": "weekly",
    "days": ["2", "4"],
    "start_time": "22:00",
    "end_time": "02:00",
    "timezone": "Europe/Berlin",
}


def errors_at(answer: TestResponse, field: str) -> str:
    """What stands at a field of the form."""
    found = re.search(rf'id="{field}-error">(.*?)</div>', answer.text, re.S)
    return found[1] if found else ""


def test_a_one_off_window_by_the_clock_of_its_zone(world: World) -> None:
    browser = world.client()
    answer = browser.post("/rmm/maintenance/new", data={**ONCE, "timezone": "America/New_York"})
    assert answer.location == "/rmm/maintenance"
    (row,) = stored(world)
    assert (row.starts_at, row.ends_at) == (
        datetime(2090, 1, 7, 3, tzinfo=UTC),
        datetime(2090, 1, 7, 7, tzinfo=UTC),
    )
    assert (row.recurrence, row.is_active) == (None, True)
    assert "“Move of servers” was added. Next: Sat 7 Jan 2090, 03:00 to 07:00 UTC." in said(
        browser.get(answer.location)
    )


def test_a_weekly_window_with_its_scopes(world: World) -> None:
    connection, asset = world.connect(), add_asset(world)
    scopes = {"connection": str(connection), "client": "one-c0", "asset": f"SERVER-01 [{asset}]"}
    # What was filled in for “once” before is not sent as part of a weekly one.
    data = {**WEEKLY, **scopes, "starts": "2090-01-01T00:00", "ends": "2090-01-01T00:00"}
    assert world.client().post("/rmm/maintenance/new", data=data).status_code == 303
    (row,) = stored(world)
    assert row.recurrence == RECURRENCE
    assert (row.starts_at, row.ends_at) == (None, None)
    assert (row.integration_id, row.client_id, row.asset_id) == (connection, "one-c0", asset)


def test_a_stored_window_comes_back_as_it_was_given(world: World) -> None:
    browser, asset = world.client(), add_asset(world)
    browser.post("/rmm/maintenance/new", data={**WEEKLY, "asset": f"SERVER-01 [{asset}]"})
    (before,) = stored(world)
    page = browser.get(f"/rmm/maintenance/{before.id}").text
    fields = {"asset": "SERVER-01", "asset_before": "SERVER-01", "asset_id": asset}
    for name, value in fields.items():
        assert re.search(rf'<input[^>]* name="{name}"[^>]* value="{value}"', page), name
    assert re.findall(r'value="(\d)" id="days-\d" checked', page) == ["2", "4"]
    assert 'value="Europe/Berlin"' in page
    answer = browser.post(f"/rmm/maintenance/{before.id}", data={**WEEKLY, **fields})
    assert answer.status_code == 303
    (after,) = stored(world)
    assert after.updated_at == before.updated_at, "nothing was changed"


def test_a_one_off_window_is_shown_by_the_clock_of_the_zone_used_last(world: World) -> None:
    browser = world.client()
    window_id = add(world, "Move", startsAt="2090-01-06T21:00:00Z", endsAt="2090-01-06T23:30:00Z")
    assert 'value="2090-01-06T21:00"' in browser.get(f"/rmm/maintenance/{window_id}").text
    add(world, "Patch night", recurrence=RECURRENCE)
    page = browser.get(f"/rmm/maintenance/{window_id}").text
    assert 'value="2090-01-06T22:00"' in page
    assert 'value="2090-01-07T00:30"' in page


def test_everything_wrong_is_told_at_once_at_its_field(world: World) -> None:
    answer = world.client().post(
        "/rmm/maintenance/new",
        data={"kind": "weekly", "start_time": "", "end_time": "25:00", "timezone": "Mars", "asset": "nobody"},
    )
    assert answer.status_code == 422
    assert errors_at(answer, "name") == "This is empty. Fill it in."
    assert errors_at(answer, "days") == "Choose at least one day."
    assert errors_at(answer, "start_time") == "This is empty. Fill it in."
    assert errors_at(answer, "end_time").startswith("Give a time of the day")
    assert errors_at(answer, "timezone") == "This time zone is not known. Choose one such as Europe/Berlin."
    assert errors_at(answer, "asset") == "No asset has a device named “nobody”: choose one of the list."
    assert '<a href="#days">Days: Choose at least one day.</a>' in answer.text
    assert stored(world) == []


@pytest.mark.parametrize(
    "change, field, sentence",
    [
        ({"ends": "2090-01-06T22:00"}, "ends", "It must end after it starts."),
        ({"ends": ""}, "ends", "Fill this in, too."),
        ({"starts": "soon"}, "starts", "Give a date and a time."),
        (
            {"timezone": "America"},
            "timezone",
            "This time zone is not known. Choose one such as Europe/Berlin.",
        ),
        (
            {"starts": "2027-03-28T02:30", "timezone": "Europe/Berlin"},
            "starts",
            "There is no 02:30 on that day: the clocks are set forward over it.",
        ),
        ({"client": "gone"}, "client", "This client does not exist (any more). Choose another one."),
        ({"asset": "PC [gone]"}, "asset", "This asset does not exist (any more). Choose another one."),
        (
            {"connection": "01900000-0000-7000-8000-000000000000"},
            "connection",
            "This connection does not exist (any more). Choose another one.",
        ),
        ({"connection": "x"}, "connection", "There is no such connection."),
    ],
)
def test_what_is_refused_stays_as_it_was_typed(
    world: World, change: dict[str, str], field: str, sentence: str
) -> None:
    answer = world.client().post("/rmm/maintenance/new", data={**ONCE, **change})
    assert answer.status_code == 422
    assert errors_at(answer, field) == sentence
    assert 'value="Move of servers"' in answer.text


def test_no_time_at_all_is_told_on_top(world: World) -> None:
    answer = world.client().post("/rmm/maintenance/new", data={**ONCE, "starts": "", "ends": ""})
    assert "Say when it holds: from when until when, or on which days of the week." in said(answer)


def test_an_asset_is_found_by_the_name_of_its_device(world: World) -> None:
    connection = world.connect()
    first, second = add_asset(world, "A"), add_asset(world, "B")
    world.devices(connection, 1, name="SERVER-01", asset_id=first)
    browser = world.client()
    assert browser.post("/rmm/maintenance/new", data={**ONCE, "asset": "server-01"}).status_code == 303
    assert stored(world)[0].asset_id == first
    world.devices(connection, 1, name="SERVER-01", asset_id=second)
    answer = browser.post("/rmm/maintenance/new", data={**ONCE, "asset": "SERVER-01"})
    assert (
        errors_at(answer, "asset")
        == "Several assets have a device named “SERVER-01”: choose one of the list."
    )
    assert f'<option value="SERVER-01 [{second}]">' in answer.text
    world.devices(connection, 1, name="FILESERVER", asset_id=second)
    found = browser.get("/rmm/maintenance/assets?q=erver").json
    assert found["assets"][0] == "FILESERVER"
    assert sorted(found["assets"][1:]) == sorted([f"SERVER-01 [{first}]", f"SERVER-01 [{second}]"])
    assert browser.get("/rmm/maintenance/assets").json == {"assets": []}
    assert world.client(tenant="two").get("/rmm/maintenance/assets?q=erver").json == {"assets": []}


def test_an_asset_that_is_gone_is_not_dropped_silently(world: World) -> None:
    asset = add_asset(world)
    window_id = add(world, assetId=asset)
    with world.app.app_context():
        db.session.query(Asset).delete()
        db.session.commit()
    browser = world.client()
    label = f"An asset that is gone [{asset}]"
    assert f'value="{label}"' in browser.get(f"/rmm/maintenance/{window_id}").text
    data = {**ONCE, "asset": label, "asset_before": label, "asset_id": asset}
    answer = browser.post(f"/rmm/maintenance/{window_id}", data=data)
    assert errors_at(answer, "asset") == "This asset does not exist (any more). Choose another one."
    assert browser.get(f"/rmm/maintenance/new?asset={asset}").text.count("gone") == 0


def test_a_host_without_assets_has_no_field_for_them(world: World) -> None:
    with_ports(world, assets=None)
    browser = world.client()
    assert 'name="asset"' not in browser.get("/rmm/maintenance/new").text
    assert browser.post("/rmm/maintenance/new", data={**ONCE, "asset": "x [y]"}).status_code == 303
    assert stored(world)[0].asset_id is None
    assert browser.get("/rmm/maintenance").status_code == 200


@pytest.mark.parametrize("given, hours", [("1h", 1), ("4h", 4)])
def test_a_shortcut_prefills_from_now_on(world: World, given: str, hours: int) -> None:
    asset = add_asset(world)
    page = world.client().get(f"/rmm/maintenance/new?for={given}&asset={asset}&client=one-c0").text
    starts, ends = re.findall(r'type="datetime-local" value="([^"]+)"', page)
    start, end = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (starts, ends))
    assert end - start == timedelta(hours=hours)
    assert timedelta() <= utc_now() - start < timedelta(minutes=5)
    assert 'value="Maintenance of SERVER-01"' in page
    assert '<option selected value="one-c0">Alpha</option>' in page
    assert stored(world) == []


def test_until_tomorrow_at_eight_by_the_clock_of_the_zone_used_last(world: World) -> None:
    add(world, recurrence={**RECURRENCE, "timezone": "Asia/Tokyo"})
    page = world.client().get("/rmm/maintenance/new?for=tomorrow").text
    starts, ends = re.findall(r'type="datetime-local" value="([^"]+)"', page)
    assert ends.endswith("T08:00")
    assert datetime.fromisoformat(ends).date() - datetime.fromisoformat(starts).date() == timedelta(days=1)
    assert 'value="Asia/Tokyo"' in page


def test_rubbish_in_the_address_prefills_nothing(world: World) -> None:
    page = world.client().get("/rmm/maintenance/new?for=ever&asset=x&connection=y&client=<b>")
    assert page.status_code == 200
    assert "<b>" not in page.text.replace("&lt;b&gt;", "")


def test_the_preview_without_script(world: World) -> None:
    answer = world.client().post("/rmm/maintenance/new", data={**WEEKLY, "name": "", "do": "show"})
    assert answer.status_code == 200
    assert errors_at(answer, "name") == ""
    assert said(answer).count("UTC Tue") + said(answer).count("UTC Thu") >= 2
    assert "By a clock in Europe/Berlin , and in UTC." in said(answer)
    assert stored(world) == []


def test_the_preview_as_json(world: World) -> None:
    browser = world.client()
    data = {**ONCE, "starts": "2090-06-06T22:00", "ends": "2090-06-07T02:00", "timezone": "Europe/Berlin"}
    assert browser.get("/rmm/maintenance/preview", query_string=data).json == {
        "zone": "Europe/Berlin",
        "times": [
            {
                "local": "Tue 6 Jun 2090, 22:00 to Wed 02:00",
                "utc": "Tue 6 Jun 2090, 20:00 to Wed 00:00",
            }
        ],
        "problems": [],
    }
    three = browser.get("/rmm/maintenance/preview", query_string=WEEKLY).json
    assert [len(three["times"]), three["problems"]] == [3, []]
    wrong = browser.get("/rmm/maintenance/preview", query_string={**WEEKLY, "days": [], "name": ""}).json
    assert wrong["problems"] == ["Choose at least one day."]
    over = {**ONCE, "starts": "2020-01-01T00:00", "ends": "2020-01-02T00:00"}
    assert browser.get("/rmm/maintenance/preview", query_string=over).json["times"] == []


def test_names_are_escaped(world: World) -> None:
    add(world, "<script>alert(1)</script>", clientId="one-c2")
    assert "<script>alert(1)" not in world.client().get("/rmm/maintenance").text
    window_id = stored(world)[0].id
    for path in ("", "/delete"):
        assert "<script>alert(1)" not in world.client().get(f"/rmm/maintenance/{window_id}{path}").text


def test_the_vendor_is_offered_only_where_one_can_be_told(world: World) -> None:
    browser = world.client()
    world.connect()
    assert "at_vendor" not in browser.get("/rmm/maintenance/new").text
    browser.post("/rmm/maintenance/new", data={**ONCE, "at_vendor": "y"})
    assert [row.at_vendor for row in stored(world)] == [False]
