"""Reports of the simulated NinjaOne: cursors, the order of their rows, and what they tell."""

from __future__ import annotations

from itertools import pairwise

import pytest

from simulators.ninjaone.enums import AGENTS
from simulators.ninjaone.software import software_of


def _walk(ninja, name, size=50, **query):
    """All pages of a report, by the name of the cursor."""
    cursor, pages = None, []
    while True:
        wanted = {"pageSize": size, **query, **({"cursor": cursor} if cursor else {})}
        answer = ninja.get(f"/v2/queries/{name}", params=wanted).json()
        pages.append(answer)
        cursor = answer.get("cursor", {}).get("name")
        if not answer["results"] or not cursor:
            return pages


@pytest.mark.parametrize("cursor_names", ["same", "new"])
def test_a_report_goes_on_by_the_name_of_its_cursor(start_ninja, cursor_names):
    ninja = start_ninja(cursor_names=cursor_names)
    pages = _walk(ninja, "software")
    rows = [row for page in pages for row in page["results"]]
    assert len(rows) == sum(len(software_of(one)) for one in ninja.lab.devices())
    names = {page["cursor"]["name"] for page in pages if "cursor" in page}
    assert (len(names) == 1) == (cursor_names == "same")
    offsets = [page["cursor"]["offset"] for page in pages if "cursor" in page and page["results"]]
    assert offsets == list(range(0, len(rows), 50))


@pytest.mark.parametrize("name", ["software", "os-patches", "os-patch-installs"])
def test_rows_come_in_no_order_by_device(shared, name):
    order = [row["deviceId"] for page in _walk(shared, name) for row in page["results"]]
    changes = sum(one != other for one, other in pairwise(order))
    assert changes > len(set(order)) * 2
    assert order != sorted(order)


def test_every_product_of_a_device_is_told_once(shared):
    device = shared.lab.device(node_class="WINDOWS_SERVER")
    rows = [row for page in _walk(shared, "software", 500) for row in page["results"]]
    mine = sorted(row["name"] for row in rows if row["deviceId"] == device.id)
    assert mine == sorted(row["name"] for row in shared.get(f"/v2/device/{device.id}/software").json())
    assert {row["deviceId"] for row in rows} == {
        one.id for one in shared.lab.devices() if one.node_class in AGENTS
    }


def test_a_single_page_can_come_without_a_cursor(start_ninja):
    ninja = start_ninja(cursor_on_single_page=False)
    assert "cursor" not in ninja.get("/v2/queries/device-health").json()
    pages = _walk(ninja, "device-health", 50)
    assert "cursor" in pages[0]
    assert sum(len(page["results"]) for page in pages) == len(ninja.lab.fleet.devices)


def test_a_cursor_expires(ninja):
    first = ninja.get("/v2/queries/software", params={"pageSize": 5}).json()
    wanted = {"pageSize": 5, "cursor": first["cursor"]["name"]}
    assert ninja.get("/v2/queries/software", params=wanted).status_code == 200
    ninja.control("time", shift_seconds=601)
    assert ninja.get("/v2/queries/software", params=wanted, token=ninja.token()).status_code == 400
    assert ninja.get("/v2/queries/software", params={"cursor": "none"}).status_code == 400


def test_a_report_is_narrowed_by_devices_and_values(shared):
    rows = shared.get("/v2/queries/os-patches", params={"df": "org = 3", "status": "FAILED"}).json()[
        "results"
    ]
    mine = {one.id for one in shared.lab.devices() if one.organization_id == 3}
    assert rows
    assert {row["deviceId"] for row in rows} <= mine
    assert {row["status"] for row in rows} == {"FAILED"}
    late = shared.get("/v2/queries/software", params={"installedAfter": "2025-01-01"}).json()["results"]
    assert late
    assert all(row["installDate"] >= "2025" for row in late)


@pytest.mark.parametrize("kind", ["os", "software"])
def test_tries_are_narrowed_by_time_of_one_device_as_of_all(shared, kind):
    device, name = shared.lab.device(node_class="WINDOWS_SERVER").id, f"{kind}-patch-installs"
    whole = shared.get(f"/v2/device/{device}/{name}").json()
    middle = sorted(row["installedAt"] for row in whole)[len(whole) // 2]
    late = {"installedAfter": str(middle)}
    mine = shared.get(f"/v2/device/{device}/{name}", params=late).json()
    assert 0 < len(mine) < len(whole)
    assert all(row["installedAt"] >= middle for row in mine)
    early = shared.get(f"/v2/device/{device}/{name}", params={"installedBefore": str(middle)}).json()
    assert len(mine) + len(early) == len(whole)
    reported = shared.get(f"/v2/queries/{name}", params={**late, "df": f"id = {device}"}).json()["results"]
    assert {row["id"] for row in reported if row["deviceId"] == device} == {row["id"] for row in mine}


def test_health_counts_what_is_there(ninja):
    device, patch = _waiting(ninja, "APPROVED")

    def health():
        rows = ninja.get("/v2/queries/device-health").json()["results"]
        return next(row for row in rows if row["deviceId"] == device)

    before = health()
    ninja.control("conditions/trigger", device_id=device)
    ninja.control(f"devices/{device}/patches/install", id=patch)
    after = health()
    assert after["alertCount"] == before["alertCount"] + 1
    assert after["pendingOSPatchesCount"] == before["pendingOSPatchesCount"] - 1


def _waiting(ninja, status):
    """A device and a patch it waits for, in that state."""
    rows = ninja.get("/v2/queries/os-patches", params={"status": status}).json()["results"]
    return rows[0]["deviceId"], rows[0]["id"]


def test_a_patch_is_installed_or_fails(ninja):
    device, patch = _waiting(ninja, "MANUAL")

    def states(name):
        return [
            row["status"] for row in ninja.get(f"/v2/device/{device}/{name}").json() if row["id"] == patch
        ]

    earlier = states("os-patch-installs")
    ninja.control(f"devices/{device}/patches/install", id=patch, failed=True)
    assert states("os-patches") == ["FAILED"]
    ninja.control(f"devices/{device}/patches/install", id=patch)
    assert states("os-patches") == []
    assert states("os-patch-installs") == ["INSTALLED", "FAILED", *earlier]
    codes = [one.row["statusCode"] for one in ninja.lab.journal.newest_first()][:2]
    assert codes == ["PATCH_MANAGEMENT_INSTALLED", "PATCH_MANAGEMENT_INSTALL_FAILED"]


def test_software_changes(ninja):
    device = ninja.lab.device(node_class="WINDOWS_SERVER")
    ninja.control(f"devices/{device.id}/software/install", name="Tool", version="2.0")
    assert "Tool" in [row["name"] for row in ninja.get(f"/v2/device/{device.id}/software").json()]
    ninja.control(f"devices/{device.id}/software/remove", name="Tool")
    assert "Tool" not in [row["name"] for row in ninja.get(f"/v2/device/{device.id}/software").json()]


def test_a_large_fleet_is_told_in_full(start_ninja):
    ninja = start_ninja(devices=3000, organizations=300)
    rows = [row for page in _walk(ninja, "os-patches", 1000) for row in page["results"]]
    assert len({(row["deviceId"], row["id"]) for row in rows}) == len(rows) > 3000
    assert len(ninja.get("/v2/organizations").json()) == 300
