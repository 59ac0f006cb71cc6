"""Syncing the software of a NinjaOne account over HTTP: rows in no order, small pages, one device."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from rmm_extension.domain.errors import BadResponse, InvalidRequest, RateLimited
from rmm_extension.services.software import refresh_software, sync_software
from simulators.ninjaone.models import Device
from simulators.ninjaone.software import install, remove, software_of
from tests.services.inventory.ninja import NinjaFleet
from tests.services.inventory.ninja import start_ninja as start_ninja

PATH = "/v2/queries/software"


@pytest.fixture
def fleet(start_ninja: Callable[..., NinjaFleet]) -> NinjaFleet:
    """A small account in small pages, its devices synced."""
    fleet = start_ninja(40)
    fleet.sync()
    fleet.lab.settings.change(max_page_size=100)
    fleet.requests()
    return fleet


def sync(fleet: NinjaFleet) -> dict[str, int]:
    """A whole software sync; the counts that are not zero."""
    return fleet.finished(fleet.run("software_sync"), sync_software)


def refresh(fleet: NinjaFleet, device: Device) -> dict[str, int]:
    return fleet.finished(fleet.run("software_refresh", external_id=str(device.id)), refresh_software)


def kept(fleet: NinjaFleet, device: Device) -> list[tuple[str, str]]:
    """Name and version of what the device has here."""
    found = fleet.rows(
        "SELECT c.name, s.version FROM rmm_device_software s"
        " JOIN rmm_devices d ON d.id = s.device_id JOIN rmm_software_catalog c ON c.id = s.software_id"
        " WHERE d.external_id = :id AND s.removed_at IS NULL",
        id=str(device.id),
    )
    return sorted((row["name"], row["version"]) for row in found)


def told(device: Device) -> list[tuple[str, str]]:
    return sorted((row["name"], row["version"]) for row in software_of(device))


def with_software(fleet: NinjaFleet) -> list[Device]:
    return [device for device in fleet.lab.devices() if software_of(device)]


def test_every_device_has_what_the_vendor_lists(fleet: NinjaFleet) -> None:
    counts = sync(fleet)
    devices = with_software(fleet)
    rows = sum(len(software_of(device)) for device in devices)
    assert 0 < len(devices) < len(fleet.lab.devices())
    assert counts == {"processed": len(devices), "updated": len(devices), "installed": rows}
    assert all(kept(fleet, device) == told(device) for device in fleet.lab.devices())
    assert fleet.errors() == []
    dates = fleet.rows("SELECT count(installed_on) AS known, count(*) AS all FROM rmm_device_software")[0]
    assert 0 < dates["known"] < dates["all"]


def test_requests_are_those_of_the_pages_and_none_for_a_device(fleet: NinjaFleet) -> None:
    sync(fleet)
    rows = sum(len(software_of(device)) for device in fleet.lab.devices())
    asked = Counter(fleet.requests())
    assert asked == {PATH: -(-rows // 100) + 1}, "the last page names a cursor, too: nothing is behind it"
    assert asked[PATH] > 4


def test_an_unchanged_report_writes_nothing(fleet: NinjaFleet) -> None:
    sync(fleet)
    stamps = (
        "SELECT id, xmin::text FROM rmm_device_software UNION SELECT id, xmin::text FROM rmm_software_lists"
    )
    before = sorted(map(repr, fleet.rows(stamps)))
    count = len(with_software(fleet))
    assert sync(fleet) == {"processed": count, "unchanged": count}
    assert sorted(map(repr, fleet.rows(stamps))) == before


def test_what_changed_is_found(fleet: NinjaFleet) -> None:
    sync(fleet)
    device = with_software(fleet)[0]
    install(device, "Brand New Tool", "1.0")
    remove(device, software_of(device)[0]["name"])
    counts = sync(fleet)
    assert (counts["updated"], counts["installed"], counts["removed"]) == (1, 1, 1)
    assert kept(fleet, device) == told(device)


def test_one_device_is_told_as_by_the_report(fleet: NinjaFleet) -> None:
    sync(fleet)
    fleet.requests()
    device = with_software(fleet)[0]
    assert refresh(fleet, device) == {"processed": 1, "unchanged": 1}
    assert fleet.requests() == [f"/v2/device/{device.id}/software"]
    fleet.delete(device)
    assert refresh(fleet, device) == {"processed": 1, "unknown": 1}
    assert kept(fleet, device)


@pytest.mark.parametrize(
    "mode, kind",
    [("dashboard_html", BadResponse), ("wrong_shape", BadResponse), ("throttled", RateLimited)],
)
def test_a_wrong_answer_in_the_middle_concludes_nothing(
    fleet: NinjaFleet, mode: str, kind: type[Exception]
) -> None:
    sync(fleet)
    install(with_software(fleet)[0], "Brand New Tool", "1.0")
    before = fleet.rows("SELECT id, removed_at FROM rmm_device_software ORDER BY id")
    fleet.ninja.fault(mode, prefix=PATH, after=3, retry_after="90")
    with pytest.raises(kind):
        sync_software(fleet.rmm, fleet.run("software_sync"))
    assert fleet.rows("SELECT id, removed_at FROM rmm_device_software ORDER BY id") == before


def test_a_cursor_that_expires_in_the_middle_concludes_nothing(fleet: NinjaFleet) -> None:
    fleet.lab.settings.change(cursor_seconds=0.0)
    with pytest.raises(InvalidRequest, match="expired"):
        sync_software(fleet.rmm, fleet.run("software_sync"))
    assert fleet.rows("SELECT 1 FROM rmm_device_software") == []
