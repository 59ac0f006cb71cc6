"""The walk over the fleet and one device fetched alone, against answers made for the purpose."""

from __future__ import annotations

from typing import Any

import pytest
import responses

from rmm_extension.domain.errors import AuthFailed, BadResponse, NotFound, RateLimited, Unavailable
from rmm_extension.domain.types import DevicePage
from rmm_extension.providers import http
from rmm_extension.providers.gathering import MOST_ERRORS
from rmm_extension.providers.ninjaone.inventory import DEVICES, LOCATIONS, ORGANIZATIONS
from rmm_extension.providers.ninjaone.reports import HEAVY, ROUTINE

from .accounts import lists, ninjaone, says, signed_in

AV = "/v2/queries/antivirus-status"
HEALTH = "/v2/queries/device-health"


@pytest.fixture(autouse=True)
def mocked(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(http, "BACKOFF", 0.0)
    with responses.mock:
        yield


def account(devices: Any, full: bool = False, **reports: Any) -> None:
    """An account with organizations 1 and 2; reports by the last word of their addresses."""
    lists(ORGANIZATIONS, [{"id": 1, "name": "One"}, {"id": 2, "name": "Two"}])
    lists(LOCATIONS, [{"id": 5, "name": "Warehouse"}])
    for report in (*ROUTINE, *HEAVY) if full else ROUTINE:
        name = report.path.rpartition("/")[2].replace("-", "_")
        if name not in reports:
            says(report.path, {"results": []})
        elif reports[name] is not None:
            says(report.path, {"results": reports[name]})
    lists(DEVICES, devices)


def walk(*organizations: str, full: bool = False) -> list[DevicePage]:
    return list(ninjaone().devices(signed_in(), organizations or ("1",), full=full))


def device(number: int, organization: int = 1, **values: Any) -> dict[str, Any]:
    return {"id": number, "organizationId": organization, "nodeClass": "MAC", "offline": False, **values}


def errors(pages: list[DevicePage]) -> list[str]:
    return [sentence for page in pages for sentence in page.errors]


def test_an_id_of_thousands_of_digits_costs_no_other_device() -> None:
    account([{**device(1), "id": "9" * 5000}, device(2)])
    assert [one.external_id for page in walk() for one in page.devices] == ["9" * 5000, "2"]


def test_devices_of_other_organizations_are_only_named() -> None:
    account([device(1), device(2, 2), device(3, 9)])
    pages = walk("1")
    assert [one.external_id for page in pages for one in page.devices] == ["1"]
    assert [key for page in pages for key in page.elsewhere] == ["2", "3"]
    assert [page.completed_organizations for page in pages] == [(), ("1",)]


def test_rows_are_joined_by_the_id_of_the_device() -> None:
    account(
        [device(1, locationId=5), device(2)],
        full=True,
        computer_systems=[{"deviceId": 2, "serialNumber": "SN-2"}, {"deviceId": 99, "serialNumber": "X"}],
        volumes=[{"deviceId": 1, "name": "C:", "capacity": 2**30}],
    )
    first, second = walk(full=True)[0].devices
    assert (first.serial, first.location, second.serial) == (None, "Warehouse", "SN-2")
    assert first.hardware is not None
    assert first.hardware.storage_gb == 1.0


def test_a_report_that_may_not_be_read_is_one_warning() -> None:
    account([device(1)], antivirus_status=None, device_health=[{"deviceId": 1, "pendingOSPatchesCount": 2}])
    says(AV, {"resultCode": "FORBIDDEN"}, 403)
    pages = walk()
    (warning,) = errors(pages)
    assert warning.startswith("The state of antivirus programs are left out: NinjaOne refuses this")
    found = pages[0].devices[0]
    assert (found.antivirus, found.os_patches_pending) == (None, 2)
    assert pages[-1].completed_organizations == ("1",)


@pytest.mark.parametrize(
    "status, body, error",
    [
        (401, {"error": "invalid_token"}, AuthFailed),
        (429, {"message": "slow down"}, RateLimited),
        (500, {"errorMessage": "FAILURE"}, Unavailable),
        (404, "<html>no API here</html>", NotFound),
        (200, {"results": "none"}, BadResponse),
    ],
)
def test_other_errors_of_a_report_end_the_walk(status: int, body: Any, error: type[Exception]) -> None:
    account([device(1)], device_health=None)
    says(HEALTH, body, status)
    responses.add("POST", "https://93.184.216.34/ws/oauth/token", json={"error": "invalid_grant"}, status=400)
    with pytest.raises(error):
        walk()


def test_locations_that_may_not_be_read_cost_their_names_only() -> None:
    account([device(1, locationId=5)])
    responses.replace("GET", f"https://93.184.216.34{LOCATIONS}", json={}, status=403)
    pages = walk()
    assert errors(pages)[0].startswith("Names of locations are left out")
    assert pages[0].devices[0].location is None


def test_rows_that_cannot_be_read_are_sentences_and_no_more_than_a_hundred() -> None:
    account(
        [device(1), device(2, references=7, displayName="Two"), "what", {"id": 3}],
        device_health=[{"deviceId": number, "activeThreatsCount": []} for number in range(MOST_ERRORS + 20)],
    )
    pages = walk()
    told = errors(pages)
    assert told[MOST_ERRORS] == "20 more rows could not be read."
    assert told[MOST_ERRORS + 1 :] == [
        "Device 2 (Two) could not be read: unexpected value at $.references.",
        "Device ? could not be read: unexpected value at $.",
        "Device 3 could not be read: it names no organization.",
    ]
    assert set(pages[0].elsewhere) == {"2", "3"}


def test_the_last_row_without_an_id_ends_a_list_that_should_go_on() -> None:
    account([device(1), {}])
    with pytest.raises(BadResponse):
        walk()


def test_an_organization_that_is_not_there_is_not_complete() -> None:
    account([device(1)])
    pages = walk("1", "77")
    assert errors(pages) == [
        "The organization with id 77 does not exist at NinjaOne, or the sign-in may not see it."
    ]
    assert pages[-1].completed_organizations == ("1",)


def test_an_account_without_devices_is_complete() -> None:
    account([])
    (page,) = walk("1", "2")
    assert (page.devices, set(page.completed_organizations), page.errors) == ((), {"1", "2"}, ())


def test_an_empty_list_beside_reports_that_name_devices_is_not_complete() -> None:
    account([], device_health=[{"deviceId": 1}])
    (page,) = walk()
    assert (page.completed_organizations, len(page.errors)) == ((), 1)


def test_one_device() -> None:
    says("/v2/device/7", device(7, systemName="srv"))
    found = ninjaone().device(signed_in(), "7")
    assert found is not None
    assert (found.external_id, found.name) == ("7", "srv")


@pytest.mark.parametrize("external_id", ["8", "../7", "", "7?x=1"])
def test_a_device_that_is_not_there(external_id: str) -> None:
    says("/v2/device/8", {"resultCode": "NOT_FOUND"}, 404)
    assert ninjaone().device(signed_in(), external_id) is None


@pytest.mark.parametrize(
    "status, body",
    [(404, "<html>nothing here</html>"), (200, {"id": 7}), (200, device(8)), (200, []), (200, "<html>")],
)
def test_an_answer_about_something_else_does_not_say_that_a_device_is_gone(status: int, body: Any) -> None:
    says("/v2/device/7", body, status)
    with pytest.raises(BadResponse):
        ninjaone().device(signed_in(), "7")
