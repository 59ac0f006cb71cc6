"""Syncing the patches of a NinjaOne account over HTTP: mixed rows, small pages, wrong answers, one device."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from rmm_extension.domain.errors import BadResponse, InvalidRequest, ProviderError, RateLimited, Unavailable
from rmm_extension.services.patches import refresh_patches, sync_patches
from simulators.ninjaone import patches as vendor
from simulators.ninjaone.models import Device
from tests.services.inventory.ninja import NinjaFleet

Start = Callable[..., NinjaFleet]
REPORTS = ("os-patches", "os-patch-installs", "software-patches", "software-patch-installs")
SINCE = 91 * 86_400
PAGE = 20
WORDS = {"MANUAL": "pending", "PENDING": "pending"}
LISTS = "SELECT id, os_digest, software_digest, changed_at FROM rmm_patch_lists ORDER BY id"
FACTS = ("os_patches_pending", "os_patches_failed", "software_patches_pending", "software_patches_failed")


def sync(fleet: NinjaFleet) -> dict[str, int]:
    """A whole patch sync; the counts that are not zero."""
    return fleet.finished(fleet.run("patch_sync"), sync_patches)


def refresh(fleet: NinjaFleet, device: Device) -> dict[str, int]:
    return fleet.finished(fleet.run("patch_refresh", external_id=str(device.id)), refresh_patches)


def kept(fleet: NinjaFleet, device: Device) -> dict[tuple[str, str], str]:
    """The device's patches here: status by kind and id."""
    found = fleet.rows(
        "SELECT p.kind, p.external_id, p.status FROM rmm_device_patches p"
        " JOIN rmm_devices d ON d.id = p.device_id"
        " WHERE d.external_id = :id AND d.integration_id = :mine",
        id=str(device.id),
        mine=fleet.integration_id,
    )
    return {(row["kind"], row["external_id"]): row["status"] for row in found}


def told(fleet: NinjaFleet, device: Device) -> dict[tuple[str, str], str]:
    """What the vendor knows of the device's patches."""
    now = fleet.lab.now()
    lists = {
        "os": (vendor.os_patches(device), vendor.os_patch_installs(device, now)),
        "software": (vendor.software_patches(device), vendor.software_patch_installs(device, now)),
    }
    found: dict[tuple[str, str], str] = {}
    for kind, (waiting, tries) in lists.items():
        for row in tries:
            if row["installedAt"] > now - SINCE + 86_400:
                found[kind, row["id"]] = row["status"].lower()
        for row in waiting:
            key, word = (kind, row["id"]), WORDS.get(row["status"], row["status"].lower())
            failed = found.get(key) == "failed" and word != "rejected"
            found[key] = "failed" if failed else word
    return found


def clear_of_the_edge(fleet: NinjaFleet) -> None:
    """No try within the days around the oldest that is asked for."""
    now = fleet.lab.now()
    for device in fleet.lab.devices():
        for rows in (vendor.os_patch_installs(device, now), vendor.software_patch_installs(device, now)):
            rows[:] = [row for row in rows if not 89 < (now - row["installedAt"]) / 86_400 < 92]


@pytest.fixture
def fleet(start_ninja: Start) -> NinjaFleet:
    """A small account in small pages, its devices synced."""
    fleet = start_ninja(40)
    clear_of_the_edge(fleet)
    fleet.sync()
    fleet.lab.settings.change(max_page_size=PAGE)
    fleet.requests()
    return fleet


def test_every_device_has_what_the_vendor_lists(fleet: NinjaFleet) -> None:
    counts = sync(fleet)
    expected = {device.id: told(fleet, device) for device in fleet.lab.devices()}
    assert {device.id: kept(fleet, device) for device in fleet.lab.devices()} == expected
    named = [patches for patches in expected.values() if patches]
    assert 0 < len(named) < len(expected)
    assert counts == {"processed": len(named), "updated": len(named), "added": sum(map(len, named))}
    statuses = Counter(word for patches in named for word in patches.values())
    assert min(statuses[word] for word in ("pending", "approved", "failed", "rejected", "installed")) > 0
    assert fleet.rows("SELECT DISTINCT scanned_at IS NOT NULL AS scanned FROM rmm_patch_lists") == [
        {"scanned": True}
    ]


def test_requests_are_those_of_the_pages_and_none_for_a_device(fleet: NinjaFleet) -> None:
    sync(fleet)
    now = fleet.lab.now()
    asked = Counter(fleet.requests())
    assert set(asked) == {f"/v2/queries/{name}" for name in REPORTS}
    rows = sum(len(vendor.os_patches(device)) for device in fleet.lab.devices())
    assert rows > PAGE
    assert asked["/v2/queries/os-patches"] == pages(rows)
    tries = sum(
        row["installedAt"] > now - SINCE
        for device in fleet.lab.devices()
        for row in vendor.os_patch_installs(device, now)
    )
    assert asked["/v2/queries/os-patch-installs"] == pages(tries)


def pages(rows: int) -> int:
    """Requests for so many rows: the last page names a cursor, too, and nothing is behind it."""
    return -(-rows // PAGE) + 1


def test_an_unchanged_list_moves_the_time_of_the_scan_alone(fleet: NinjaFleet) -> None:
    first = sync(fleet)
    before = fleet.rows("SELECT xmin::text, id FROM rmm_device_patches ORDER BY id")
    changed = fleet.rows(LISTS)
    devices = fleet.versions()
    assert sync(fleet) == {"processed": first["processed"], "unchanged": first["processed"]}
    assert fleet.rows("SELECT xmin::text, id FROM rmm_device_patches ORDER BY id") == before
    assert fleet.rows(LISTS) == changed
    assert fleet.versions() == devices, "the vendor tells the numbers itself"


def test_the_numbers_of_a_device_are_its_vendors(fleet: NinjaFleet) -> None:
    device = waiting(fleet)
    before = {name: fleet.device(device)["facts"].get(name) for name in FACTS}
    assert isinstance(before["os_patches_pending"], int)
    sync(fleet)
    assert {name: fleet.device(device)["facts"].get(name) for name in FACTS} == before


def waiting(fleet: NinjaFleet) -> Device:
    """A device with a patch of the system that waits."""
    return next(
        one
        for one in fleet.lab.devices()
        if any(row["status"] in ("MANUAL", "APPROVED") for row in vendor.os_patches(one))
    )


@pytest.mark.parametrize("failed", [False, True])
def test_a_patch_that_was_tried_meanwhile(fleet: NinjaFleet, failed: bool) -> None:
    sync(fleet)
    device = waiting(fleet)
    row = next(one for one in vendor.os_patches(device) if one["status"] in ("MANUAL", "APPROVED"))
    vendor.install_patch(device, row["id"], fleet.lab.now(), failed=failed)
    counts = sync(fleet)
    assert (counts["updated"], counts["changed"]) == (1, 1)
    assert kept(fleet, device)["os", row["id"]] == ("failed" if failed else "installed")


def test_one_device_is_told_as_by_the_reports(fleet: NinjaFleet) -> None:
    sync(fleet)
    fleet.requests()
    device = waiting(fleet)
    assert refresh(fleet, device) == {"processed": 1, "unchanged": 1}
    assert fleet.requests() == [f"/v2/device/{device.id}/{name}" for name in REPORTS]
    vendor.install_patch(device, vendor.os_patches(device)[0]["id"], fleet.lab.now())
    assert refresh(fleet, device) == {"processed": 1, "updated": 1, "changed": 1}
    assert kept(fleet, device) == told(fleet, device)


def test_assets_learn_of_the_last_scan(fleet: NinjaFleet) -> None:
    sync(fleet)
    scans = (
        "SELECT count(*) AS wrong FROM rmm_devices d JOIN rmm_patch_lists l ON l.id = d.id"
        " LEFT JOIN workstation_assets w ON w.asset_id = d.asset_id"
        " LEFT JOIN server_assets s ON s.asset_id = d.asset_id"
        " WHERE l.scanned_at IS DISTINCT FROM coalesce(w.last_patch_scan_at, s.last_patch_scan_at)"
    )
    assert fleet.rows(scans) == [{"wrong": 0}]
    assert fleet.rows("SELECT 1 FROM rmm_patch_lists") != []
    told = fleet.rows("SELECT 1 FROM asset_history WHERE changes ? 'last_patch_scan_at'")
    assert told == [], "it moves by itself"
    assert fleet.sync() == {"processed": 40, "unchanged": 40}, "nobody else writes it"


def test_a_device_that_is_gone_keeps_what_is_known(fleet: NinjaFleet) -> None:
    sync(fleet)
    device = waiting(fleet)
    before = kept(fleet, device)
    fleet.delete(device)
    assert refresh(fleet, device) == {"processed": 1, "unknown": 1}
    assert kept(fleet, device) == before
    assert sync(fleet)["doubtful"] == 1
    assert kept(fleet, device) == before
    assert sync(fleet)["removed"] == len(before)


def test_a_device_that_goes_in_the_middle(fleet: NinjaFleet) -> None:
    sync(fleet)
    device = waiting(fleet)
    before = kept(fleet, device)
    fleet.plan("delete", 1, device)
    fleet.lab.scheduled[0].prefix = "/v2/queries/os-patches"
    sync(fleet)
    assert set(kept(fleet, device)) <= set(before), "a list cut short says that the rest is not listed"
    sync(fleet)
    sync(fleet)
    assert kept(fleet, device) == {}


def test_devices_that_came_since_are_ignored(fleet: NinjaFleet) -> None:
    fleet.execute(
        "UPDATE rmm_devices SET deleted_at = now() WHERE id IN"
        " (SELECT id FROM rmm_devices ORDER BY external_id::int LIMIT 20)"
    )
    here = {
        row["external_id"]
        for row in fleet.rows("SELECT external_id FROM rmm_devices WHERE deleted_at IS NULL")
    }
    named = [str(device.id) for device in fleet.lab.devices() if told(fleet, device)]
    counts = sync(fleet)
    assert counts["ignored"] == len([id_ for id_ in named if id_ not in here]) > 0
    assert counts["processed"] == len([id_ for id_ in named if id_ in here]) > 0


# Kinds that may not be read


@pytest.mark.parametrize("status", [403, 404])
def test_patches_of_the_system_go_on_without_those_of_software(fleet: NinjaFleet, status: int) -> None:
    refuse_software(fleet, status)
    run = fleet.run("patch_sync")
    counts = fleet.finished(run, sync_patches)
    expected = {
        device.id: {key: word for key, word in told(fleet, device).items() if key[0] == "os"}
        for device in fleet.lab.devices()
    }
    assert {device.id: kept(fleet, device) for device in fleet.lab.devices()} == expected
    assert (counts["not_read"], counts.get("failed", 0)) == (1, 0)
    ((said,),) = [
        row["errors"] for row in fleet.rows("SELECT errors FROM rmm_job_runs WHERE id = :id", id=run.id)
    ]
    assert said.startswith("Patches of other software were not read: NinjaOne ")
    fleet.lab.misbehaviours.clear()
    sync(fleet)
    assert {one.id: kept(fleet, one) for one in fleet.lab.devices()} == {
        one.id: told(fleet, one) for one in fleet.lab.devices()
    }


def test_what_is_known_of_a_kind_stays_while_it_may_not_be_read(fleet: NinjaFleet) -> None:
    sync(fleet)
    device = waiting(fleet)
    before = kept(fleet, device)
    refuse_software(fleet, 403)
    vendor.os_patches(device).clear()
    vendor.software_patches(device).clear()
    for counts in (sync(fleet), refresh(fleet, device)):
        assert counts["not_read"] == 1
    found = kept(fleet, device)
    software = {key: word for key, word in before.items() if key[0] == "software"}
    assert {key: word for key, word in found.items() if key[0] == "software"} == software
    assert "pending" not in {word for key, word in found.items() if key[0] == "os"}
    changed = fleet.rows(LISTS)
    assert sync(fleet)["unchanged"] > 0
    assert fleet.rows(LISTS) == changed


def refuse_software(fleet: NinjaFleet, status: int) -> None:
    """As an account without that feature answers, or a role that does not allow it."""
    for prefix in ("/v2/queries/software-patch", "/v2/device/"):
        path = prefix if prefix.endswith("patch") else f"{prefix}{waiting(fleet).id}/software-patch"
        fleet.ninja.fault("server_error", prefix=path, status=status)


# Answers that are wrong

WRONG: list[tuple[str, dict[str, Any], type[ProviderError]]] = [
    ("dashboard_html", {}, BadResponse),
    ("cut_body", {}, Unavailable),
    ("wrong_shape", {}, BadResponse),
    ("wrong_shape", {"body": '{"cursor": null}'}, BadResponse),
    ("wrong_shape", {"body": "[]"}, BadResponse),
    ("wrong_shape", {"body": '{"results": [{"deviceId": 1'}, BadResponse),
    ("throttled", {"retry_after": "90"}, RateLimited),
    ("server_error", {}, Unavailable),
]


@pytest.mark.parametrize("mode, options, kind", WRONG, ids=[f"{one[0]}-{n}" for n, one in enumerate(WRONG)])
@pytest.mark.parametrize("name", [REPORTS[0], REPORTS[3]])
def test_a_wrong_answer_in_the_middle_concludes_nothing(
    fleet: NinjaFleet, name: str, mode: str, options: dict[str, Any], kind: type[ProviderError]
) -> None:
    sync(fleet)
    before = fleet.rows("SELECT id, xmin::text FROM rmm_device_patches ORDER BY id")
    for device in fleet.lab.devices():
        vendor.os_patches(device).clear()
    fleet.ninja.fault(mode, prefix=f"/v2/queries/{name}", after=int(name == REPORTS[3]), **options)
    run = fleet.run("patch_sync")
    with pytest.raises(kind):
        sync_patches(fleet.rmm, run)
    assert fleet.rows("SELECT id, xmin::text FROM rmm_device_patches ORDER BY id") == before
    assert fleet.rows("SELECT 1 FROM rmm_patch_lists WHERE empty_since IS NOT NULL") == []


def test_a_cursor_that_expires_in_the_middle_concludes_nothing(fleet: NinjaFleet) -> None:
    sync(fleet)
    before = fleet.rows("SELECT id, xmin::text FROM rmm_device_patches ORDER BY id")
    fleet.lab.settings.change(cursor_seconds=0.0)
    with pytest.raises(InvalidRequest, match="expired"):
        sync_patches(fleet.rmm, fleet.run("patch_sync"))
    assert fleet.rows("SELECT id, xmin::text FROM rmm_device_patches ORDER BY id") == before
