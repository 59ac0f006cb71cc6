"""Patches: a device's and an asset's, those of the fleet, who lacks one, and asking anew."""

from __future__ import annotations

import csv
import dataclasses
import re
from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

import pytest
from flask_login import login_user
from sqlalchemy import update

from reference_psa.db import db
from reference_psa.models import User
from rmm_extension.blueprints.slots import Slots
from rmm_extension.domain.types import Connection
from rmm_extension.models import DeviceRow, Integration, JobRun, PatchList, utc_now
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.registry import ProviderRegistry
from rmm_extension.services.queries import patch_devices
from rmm_extension.services.unit import unit
from rmm_extension.testing.statements import StatementCounter
from tests.harness.patches import SECOND_TUESDAY, Listed

from .conftest import World, said
from .patching import TELLS, fleet, put, synced
from .test_lists import OPEN, walk
from .vendor import AcmeProvider

KB = "KB5034441"


def names(text: str) -> list[str]:
    """What the rows of a list lead to, in words."""
    return re.findall(r'data-rmm-open href="[^"]+">([^<]*)', text)


# --- The fleet's


def test_the_fleets_list_shows_what_waits(world: World) -> None:
    _, ids = fleet(world)
    put(world, ids[3], Listed(SECOND_TUESDAY, kb=KB))
    answer = world.client("read_only").get("/rmm/patches")
    page = said(answer)
    assert "As of the patch sync 3 h ago" in page
    assert re.search(rf"{re.escape(SECOND_TUESDAY)} Critical Operating system 2", page)
    assert re.search(r"Security Update \(KB5030001\) Important Operating system 1", page)
    assert names(answer.text) == [SECOND_TUESDAY, "Chrome 131", "Security Update (KB5030001)"]


@pytest.mark.parametrize(
    "query, found",
    [
        ("status=failed", ["Driver"]),
        ("status=rejected", ["Silverlight"]),
        ("status=installed", [SECOND_TUESDAY, "Definition Update"]),
        ("status=nonsense", [SECOND_TUESDAY, "Chrome 131", "Security Update (KB5030001)"]),
        ("kind=software", ["Chrome 131"]),
        ("severity=critical", [SECOND_TUESDAY, "Chrome 131"]),
        ("severity=important", ["Security Update (KB5030001)"]),
        ("q=kb503", [SECOND_TUESDAY, "Security Update (KB5030001)"]),
        ("q=kb4481252&status=rejected", ["Silverlight"]),
        ("q=100%25", []),
        ("client=one-c1", []),
        ("client=one-c1&status=installed", [SECOND_TUESDAY]),
        ("sort=last", ["Security Update (KB5030001)", "Chrome 131", SECOND_TUESDAY]),
        ("after=Chrome+131", ["Security Update (KB5030001)"]),
        ("before=Chrome+131", [SECOND_TUESDAY]),
    ],
)
def test_what_the_fleets_list_is_narrowed_to(world: World, query: str, found: list[str]) -> None:
    fleet(world)
    assert names(world.client().get(f"/rmm/patches?{query}").text) == found


def test_a_patch_leads_to_the_devices_that_lack_it_with_the_same_filters(world: World) -> None:
    _, ids = fleet(world)
    browser = world.client()
    (url,) = re.findall(
        r'data-rmm-open href="([^"]+)">Definition', browser.get("/rmm/patches?status=installed").text
    )
    assert url == "/rmm/patches/devices?status=installed&amp;patch=Definition+Update"
    page = browser.get(url.replace("&amp;", "&"))
    assert names(page.text) == ["PC-A"]
    assert "Who has Definition Update" in said(page)
    assert f'href="/rmm/devices/{ids[0]}/patches"' in page.text


@pytest.mark.parametrize(
    "query, found",
    [
        (f"q={KB}", ["PC-A"]),
        (f"q={KB}&status=installed", ["PC-C"]),
        ("q=update", ["PC-A", "PC-A"]),
        ("q=update&severity=important", ["PC-A"]),
        ("q=chrome&client=one-c1", []),
        ("q=no+such+patch", []),
        ("patch=Chrome+131", ["PC-B"]),
        ("patch=Chrome", []),
        ("", []),
    ],
)
def test_who_lacks_a_patch(world: World, query: str, found: list[str]) -> None:
    fleet(world)
    assert names(world.client().get(f"/rmm/patches/devices?{query}").text) == found


def test_what_the_search_says(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet(world)
    browser = world.client()
    for query, words in {
        "": "Type the name of a patch",
        "q=zoom": "No device lacks a patch named like this",
        "patch=Driver": "No device lacks this patch now",
        "q=update": "2 patches are named like this",
        "q=driver&status=failed": "Who failed at “driver”",
    }.items():
        assert words in said(browser.get(f"/rmm/patches/devices?{query}")), query
    monkeypatch.setattr("rmm_extension.blueprints.patches.NAMES_AT_ONCE", 1)
    assert "More than 1 patches are named like this" in said(browser.get("/rmm/patches/devices?q=update"))


def test_devices_that_lack_a_patch_can_be_worked_on(world: World) -> None:
    _, ids = fleet(world)
    path = f"/rmm/patches/devices?q={KB}"
    technician = world.client("technician").get(path).text
    assert technician.count('name="ids"') == 1
    assert f'value="patches:q={KB}"' in technician
    assert 'name="ids"' not in world.client("read_only").get(path).text
    form = {"ids": [str(ids[0])], "back": f"patches:q={KB}"}
    answer = world.client("dispatcher").post("/rmm/devices/refresh", data=form)
    assert answer.headers["Location"] == path


def test_a_list_without_patches_says_what_to_do(world: World) -> None:
    browser = world.client()
    world.connect(provider="single")
    assert "an RMM is connected that lists those of its devices" in said(browser.get("/rmm/patches"))
    connection = world.connect()
    page = browser.get("/rmm/patches")
    assert "have never been synced" in said(page)
    assert f"/rmm/connections/{connection}/sync" in page.text
    synced(world, connection)
    assert "Nothing is pending" in said(browser.get("/rmm/patches"))


# --- A device's and an asset's


def test_a_devices_own_page(world: World) -> None:
    _, ids = fleet(world)
    page = said(world.client("read_only").get(f"/rmm/devices/{ids[0]}"))
    for words in (
        "2 OS patches pending",
        "1 OS patch failed",
        "No software patches pending",
        "as of the patch sync 3 h ago",
        "Installed in the last 90 days: 1",
        "Definition Update",
    ):
        assert words in page, words
    assert (
        page.index("Failed Driver") < page.index("Pending 2026-11") < page.index("Approved Security Update")
    )
    assert "Refresh patches" not in page
    assert "Refresh patches" in said(world.client("dispatcher").get(f"/rmm/devices/{ids[0]}"))


def test_a_kind_that_could_never_be_read_is_not_available(world: World) -> None:
    connection = world.connect()
    synced(world, connection)
    (device,) = world.devices(connection, 1, name="PC-A", facts={})
    put(world, device, Listed("Update"))
    with world.app.app_context(), unit(world.rmm) as session:
        session.execute(update(PatchList).values(software_digest=None))
    page = said(world.client().get(f"/rmm/devices/{device}/patches"))
    assert "1 OS patch pending" in page
    assert "Pending software patches: not available" in page
    with world.app.app_context(), unit(world.rmm) as session:
        session.execute(update(PatchList).values(software_digest=b"-"))
    assert "No software patches pending" in said(world.client().get(f"/rmm/devices/{device}/patches"))


@pytest.mark.parametrize(
    "facts, words",
    [
        (
            {"os_patches_pending": 3},
            ["3 OS patches pending", "Pending software patches: not available", "Sync them"],
        ),
        (
            {"os_patches_pending": 0, "software_patches_failed": 1},
            ["No OS patches pending", "1 software patch failed"],
        ),
        ({"has_pending_patches": True}, ["Patches pending", "it does not say which or how many"]),
        ({}, ["have never been synced"]),
    ],
)
def test_a_device_without_a_list_tells_what_its_facts_say(
    world: World, facts: dict[str, object], words: list[str]
) -> None:
    (device,) = world.devices(world.connect(), 1, facts=facts)
    page = said(world.client().get(f"/rmm/devices/{device}"))
    for each in words:
        assert each in page, each


def test_a_vendor_that_lists_no_patches_is_not_said_to_have_none(world: World) -> None:
    (device,) = world.devices(world.connect(provider="single"), 1)
    page = said(world.client().get(f"/rmm/devices/{device}"))
    assert "does not say whether patches are pending" in page
    for words in ("patches pending", "Refresh patches", "Sync them"):
        assert words not in page.partition("Patches single")[2].partition("Activity")[0], words


def test_a_listed_device_without_any_and_one_that_was_not_scanned(world: World) -> None:
    connection = world.connect()
    empty, unscanned = world.devices(connection, 2)
    synced(world, connection)
    put(world, empty)
    page = said(world.client().get(f"/rmm/devices/{empty}"))
    assert "No OS patches pending" in page
    assert "may not have been scanned yet" in said(world.client().get(f"/rmm/devices/{unscanned}"))
    assert "None are listed of this device" in said(world.client().get(f"/rmm/devices/{empty}/patches"))


@pytest.mark.parametrize(
    "query, found",
    [
        ("", [SECOND_TUESDAY, "Definition Update", "Driver", "Security Update (KB5030001)"]),
        ("status=waiting", [SECOND_TUESDAY, "Security Update (KB5030001)"]),
        ("status=installed", ["Definition Update"]),
        ("kind=software", []),
        ("severity=important", ["Security Update (KB5030001)"]),
        ("q=kb5034441", [SECOND_TUESDAY]),
        ("sort=last&status=waiting", ["Security Update (KB5030001)", SECOND_TUESDAY]),
    ],
)
def test_a_devices_list(world: World, query: str, found: list[str]) -> None:
    _, ids = fleet(world)
    assert names(world.client().get(f"/rmm/devices/{ids[0]}/patches?{query}").text) == found


def test_pages_of_a_devices_list(world: World) -> None:
    (device,) = world.devices(world.connect(), 1)
    put(world, device, *(Listed(f"Patch {at:03}") for at in range(120)))
    seen = walk(world.client(), f"/rmm/devices/{device}/patches")
    assert [len(page) for page in seen] == [50, 50, 20]
    assert len({url for page in seen for url in page}) == 120


def test_an_assets_list_tells_its_devices_apart(world: World) -> None:
    connection, _ = fleet(world)
    second = world.connect("Second")
    for number, name in ((connection, "LEFT"), (second, "RIGHT")):
        (device,) = world.devices(number, 1, name=name, asset_id="shared", facts=TELLS)
        put(world, device, Listed(f"Only on {name}"))
    page = said(world.client().get("/rmm/assets/shared/patches"))
    assert re.search(r"Only on LEFT LEFT", page)
    assert re.search(r"Only on RIGHT RIGHT", page)
    assert "Second" in page
    for nothing in ("nothing", "a%00b"):
        assert world.client().get(f"/rmm/assets/{nothing}/patches").status_code == 404


def test_a_refresh_is_a_run_and_only_one_at_a_time(world: World) -> None:
    _, ids = fleet(world)
    path = f"/rmm/devices/{ids[0]}/patches"
    browser = world.client("dispatcher")
    answer = browser.post(path)
    with world.app.app_context():
        (run,) = db.session.query(JobRun).filter_by(kind="patch_refresh").all()
    assert answer.headers["Location"] == f"/rmm/jobs/{run.id}"
    again = browser.post(path)
    assert again.headers["Location"] == path
    assert world.client("read_only").post(path).status_code == 403
    assert world.client(tenant="two").post(path).status_code == 404


# --- Everywhere


def pages(ids: list[UUID]) -> list[str]:
    return [
        "patches",
        "patches.csv",
        f"patches/devices?q={KB}",
        f"patches/devices.csv?q={KB}",
        f"devices/{ids[0]}/patches",
        f"devices/{ids[0]}/patches.csv",
        "assets/a-PC-A/patches",
        "assets/a-PC-A/patches.csv",
    ]


def test_another_tenant_sees_nothing(world: World) -> None:
    _, ids = fleet(world)
    for path in pages(ids):
        assert "Cumulative" in world.client().get(f"/rmm/{path}").text, path
        other = world.client(tenant="two").get(f"/rmm/{path}")
        assert "Cumulative" not in other.text, path
        assert other.status_code in (200, 400, 404), path


def test_nobody_reads_them_without_signing_in(world: World) -> None:
    _, ids = fleet(world)
    for path in (*pages(ids), "compliance", "compliance.csv"):
        assert world.app.test_client().get(f"/rmm/{path}").status_code in (302, 401, 403), path


def test_files(world: World) -> None:
    _, ids = fleet(world)
    put(world, ids[1], Listed("=cmd|calc", kind="software", severity="-1", kb="@x", category="+y"))
    browser = world.client("read_only")

    def rows(path: str) -> list[list[str]]:
        return list(csv.reader(browser.get(f"/rmm/{path}").text.splitlines()))

    assert rows("patches.csv?q=kb5034441") == [
        ["Patch", "Article", "Kind", "Severity", "Devices"],
        [SECOND_TUESDAY, KB, "os", "critical", "1"],
    ]
    assert rows("patches.csv?q=calc")[1][:4] == ["'=cmd|calc", "'@x", "software", "'-1"]
    (_, row) = rows(f"patches/devices.csv?q={KB}")
    assert (row[0], row[2], row[6], row[9]) == ("PC-A", SECOND_TUESDAY, "pending", "Alpha")
    assert row[11].endswith("· Head office")
    assert [row[1] for row in rows(f"devices/{ids[0]}/patches.csv?status=failed")] == ["Patch", "Driver"]
    assert rows("assets/a-PC-B/patches.csv?q=calc")[1][5] == "'+y"
    assert browser.get("/rmm/patches/devices.csv").status_code == 400


def test_statements_do_not_grow(world: World) -> None:
    connection, ids = fleet(world)
    browser = world.client()
    paths = [*(f"/rmm/{path}" for path in pages(ids) if ".csv" not in path), f"/rmm/devices/{ids[0]}"]
    counted: dict[str, list[int]] = {path: [] for path in paths}
    for more in (1, 40):
        for at in range(more):
            (device,) = world.devices(connection, 1, facts=TELLS)
            put(world, device, Listed(SECOND_TUESDAY, kb=KB))
            put(world, ids[0], Listed(f"More {more} {at}", changed_at=utc_now() - timedelta(hours=at)))
        for path in paths:
            browser.get(path)
            with StatementCounter() as sent:
                assert browser.get(path).status_code == 200
            counted[path].append(sent.count)
    for path, (few, many) in counted.items():
        assert few == many, path
    assert counted["/rmm/patches"][0] <= 9
    assert patch_devices.NAMES_AT_ONCE > 1


def test_the_dashboard_tells_what_is_known_and_nothing_else(world: World) -> None:
    world.devices(world.connect(), 1)
    assert (
        "Compliance"
        not in said(world.client().get("/")).partition("Needs attention")[2].partition("Devices")[0]
    )
    assert "Antivirus at risk" not in said(world.client().get("/"))
    fleet(world)
    page = said(world.client().get("/"))
    for words in (
        "Compliance By client",
        "Patches pending 2",
        "Failed patches 1",
        "Antivirus at risk 1",
        "reboot 1",
    ):
        assert words in page, words


def test_open_matches_rows(world: World) -> None:
    fleet(world)
    assert len(OPEN.findall(world.client().get("/rmm/patches").text)) == 3


# --- The vendor's own page


class PagedProvider(AcmeProvider):
    """The same vendor with a page of its own for each device."""

    def device_page(self, connection: Connection, external_id: str) -> str:
        """Beneath the connection's address."""
        return f"{connection.instance_url}/device/{quote(external_id, safe='')}"


@pytest.mark.parametrize(
    "address, url",
    [
        ("https://eu.example.com", "https://eu.example.com/device/7%2F8"),
        ("http://eu.example.com", None),
        ("javascript:alert(1)//", None),
    ],
)
def test_the_vendors_own_page_is_linked_where_it_has_one(world: World, address: str, url: str | None) -> None:
    _, ids = fleet(world)
    path = f"/rmm/devices/{ids[0]}"
    assert "Open in" not in said(world.client().get(path))
    mounted = world.app.extensions["rmm"]
    registry = ProviderRegistry(Runtime(), sources=[("acme", lambda: PagedProvider)])
    services = dataclasses.replace(mounted.services, providers=registry)
    world.app.extensions["rmm"] = dataclasses.replace(mounted, services=services)
    with world.app.app_context(), unit(world.rmm) as session:
        session.execute(update(Integration).values(instance_url=address))
        session.execute(update(DeviceRow).where(DeviceRow.id == ids[0]).values(external_id="7/8"))
    text = world.client("read_only").get(path).text
    assert (f'href="{url}" target="_blank" rel="noopener noreferrer"' in text) == (url is not None)
    assert ("Open in" in text) == (url is not None)
    assert "javascript:" not in text


def test_an_assets_panel_tells_the_devices_of_several_vendors_apart(world: World) -> None:
    fleet(world)
    silent = world.connect("Other", provider="single")
    world.devices(silent, 1, name="TWIN", asset_id="a-PC-A", facts={"has_pending_patches": True})
    world.devices(silent, 1, name="MUTE", asset_id="a-mute")
    panels = {}
    for asset in ("a-PC-A", "a-PC-B", "a-mute"):
        with world.app.test_request_context("/"):
            login_user(db.session.get(User, ("one", "one-read_only")))
            panel = Slots().asset_panel(asset)
            panels[asset] = " ".join(re.sub(r"<[^>]+>", " ", panel).split())
            db.session.commit()
    both = panels["a-PC-A"]
    of_both = both[both.index("Patches") :]
    for name, words in (("PC-A", "2 OS patches pending"), ("TWIN", "it does not say which or how many")):
        line = of_both.index(words)
        assert max(("PC-A", "TWIN"), key=lambda one: of_both.rfind(one, 0, line)) == name
    assert "Which ones is not available" in of_both
    assert "All patches" in of_both
    assert "1 software patch pending" in panels["a-PC-B"]
    assert "Refresh patches" not in both
    assert "whether patches are pending" not in panels["a-mute"]
