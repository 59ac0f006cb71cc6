"""The report of software: any order, many pages, values of many forms; and one device's."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from rmm_extension.domain.errors import BadResponse, InvalidRequest, RateLimited
from rmm_extension.domain.types import InstalledSoftware, SoftwareOfDevice, SoftwarePage
from rmm_extension.providers import gathering
from rmm_extension.providers.ninjaone import software
from rmm_extension.providers.ninjaone.software import day

from .accounts import BASE, ninjaone, says, signed_in

PATH = "/v2/queries/software"
CURSOR = {"name": "c-1", "offset": 0, "count": 2, "expires": 1.8e9}


@pytest.fixture(autouse=True)
def mocked() -> Any:
    with responses.mock:
        yield


def pages() -> list[SoftwarePage]:
    return list(ninjaone().software(signed_in()))


def row(device: Any = 7, name: Any = "Zip", **values: Any) -> dict[str, Any]:
    return {"deviceId": device, "name": name, "timestamp": 1.7e9, **values}


def told(*rows: Any, cursor: Any = None) -> None:
    """One page of the report."""
    says(PATH, {"results": list(rows)} | ({"cursor": cursor} if cursor else {}))


def test_rows_in_any_order_are_devices_named_once() -> None:
    told(row(7, "Zip"), row(8, "Browser"), cursor=CURSOR)
    told(row(7, "Browser"), row(8, "Zip"), row(9, "Zip"), cursor=CURSOR)
    told(cursor=CURSOR)
    found = {device.external_device_id: device for page in pages() for device in page.devices}
    names = {id_: [item.name for item in device.items] for id_, device in found.items()}
    assert names == {"7": ["Zip", "Browser"], "8": ["Browser", "Zip"], "9": ["Zip"]}
    asked = [parse_qs(urlsplit(str(call.request.url)).query) for call in responses.calls]
    assert asked == [{"pageSize": ["1000"]}] + [{"pageSize": ["1000"], "cursor": ["c-1"]}] * 2


def test_a_single_page_without_a_cursor() -> None:
    told(row())
    assert [len(page.devices) for page in pages()] == [1]


def test_nothing_at_all() -> None:
    told()
    assert pages() == []


def test_all_that_is_told_of_a_program() -> None:
    told(
        row(
            publisher="Acme",
            version="19.00",
            installDate="2024-06-09",
            location="C:\\Zip",
            size=1_000,
            productCode="{1}",
            isSystemComponent=False,
        )
    )
    (page,) = pages()
    expected = InstalledSoftware(
        name="Zip",
        version="19.00",
        publisher="Acme",
        installed_on=date(2024, 6, 9),
        size_bytes=1_000,
        location="C:\\Zip",
    )
    assert page.devices == (SoftwareOfDevice(external_device_id="7", items=(expected,)),)


def test_values_of_another_kind_are_read_or_left_out() -> None:
    told(row("7", " Zip ", version=19.5, publisher=None, size="1000", installDate="soon", location=""))
    told_item = InstalledSoftware(name="Zip", version="19.5", size_bytes=1000)
    assert [page.devices[0].items for page in pages()] == [(told_item,)]


@pytest.mark.parametrize("size", [0, -5, None, True, "much", 1e30])
def test_a_size_that_says_nothing(size: Any) -> None:
    told(row(size=size))
    assert pages()[0].devices[0].items[0].size_bytes is None


@pytest.mark.parametrize(
    "value, expected",
    [
        ("2024-06-09", date(2024, 6, 9)),
        ("2024-06-09T21:30:00Z", date(2024, 6, 9)),
        ("2024-06-09T21:30:00.000+02:00", date(2024, 6, 9)),
        ("20240609", date(2024, 6, 9)),
        (20240609, date(2024, 6, 9)),
        (1717891200.0, date(2024, 6, 9)),
        ("1717891200", date(2024, 6, 9)),
        ("0001-01-01", None),
        ("2024-13-01", None),
        ("2024-6-9", None),
        ("", None),
        (None, None),
        (0, None),
        ("soon", None),
    ],
)
def test_the_day_of_an_installation(value: Any, expected: date | None) -> None:
    assert day(value) == expected


def test_rows_that_cannot_be_used_are_sentences() -> None:
    told(row(), row(device=None), row(name=" "), row(name={"a": 1}), 5, cursor=CURSOR)
    told(row(8), cursor=CURSOR)
    told(cursor=CURSOR)
    found = pages()
    errors = [error for page in found for error in page.errors]
    assert len(errors) == 4
    assert all(error.startswith(f"A row of {PATH} was left out: ") for error in errors)
    assert any("names no device" in error for error in errors)
    assert any("no name (device 7)" in error for error in errors)
    assert sorted(device.external_device_id for page in found for device in page.devices) == ["7", "8"]


def test_of_many_rows_that_cannot_be_used_some_are_told() -> None:
    told(*(row(device=None) for _ in range(500)))
    assert [len(page.errors) for page in pages()] == [gathering.MOST_ERRORS]


def test_a_long_report_shows_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "PATIENCE", 0.0)
    told(row(7), row(device=None), cursor=CURSOR)
    told(row(8), cursor=CURSOR)
    told(cursor=CURSOR)
    found = [(len(page.devices), len(page.errors)) for page in pages()]
    assert found == [(0, 1), (0, 0), (2, 0)]


def test_pages_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software, "PAGE_DEVICES", 10)
    told(*(row(number) for number in range(25)))
    assert [len(page.devices) for page in pages()] == [10, 10, 5]
    monkeypatch.setattr(software, "PAGE_ITEMS", 4)
    told(*(row(number, name) for name in ("Zip", "Browser") for number in range(5)))
    assert [len(page.devices) for page in pages()] == [2, 2, 1]


# What breaks off


def test_a_cursor_that_expired_in_the_middle_is_an_error() -> None:
    told(row(7), cursor=CURSOR)
    says(PATH, {"resultCode": "BAD_REQUEST", "errorMessage": "Cursor does not exist or is expired"}, 400)
    seen: list[SoftwarePage] = []
    with pytest.raises(InvalidRequest, match="expired"):
        seen += ninjaone().software(signed_in())
    assert seen == [], "no device is told"


def test_a_limit_in_the_middle_is_an_error() -> None:
    told(row(7), cursor=CURSOR)
    says(PATH, {}, 429, **{"Retry-After": "30"})
    with pytest.raises(RateLimited):
        pages()


@pytest.mark.parametrize("body", ["<html></html>", [], {}, {"results": 5}, {"results": {"a": 1}}, "null"])
def test_another_answer_in_the_middle_is_an_error(body: Any) -> None:
    told(row(7), cursor=CURSOR)
    says(PATH, body)
    with pytest.raises(BadResponse):
        pages()


# One device


def test_one_device() -> None:
    says("/v2/device/7/software", [{"name": "Zip", "installDate": "2024-06-09T00:00:00Z"}, {"name": None}])
    found = ninjaone().device_software(signed_in(), "7")
    item = InstalledSoftware(name="Zip", installed_on=date(2024, 6, 9))
    assert found == SoftwareOfDevice(external_device_id="7", items=(item,))
    assert len(responses.calls) == 1


def test_a_device_without_any() -> None:
    says("/v2/device/7/software", [])
    assert ninjaone().device_software(signed_in(), "7") == SoftwareOfDevice(external_device_id="7", items=())


def test_a_device_that_is_not_there() -> None:
    says("/v2/device/7/software", {"errorMessage": "not found"}, 404)
    assert ninjaone().device_software(signed_in(), "7") is None
    assert ninjaone().device_software(signed_in(), "7/../8") is None
    assert [str(call.request.url) for call in responses.calls] == [f"{BASE}/v2/device/7/software"]


@pytest.mark.parametrize("body", ["<html></html>", {}, [5], [{"name": {"a": 1}}]])
def test_an_answer_that_cannot_be_read_whole_is_an_error(body: Any) -> None:
    says("/v2/device/7/software", body)
    with pytest.raises(BadResponse):
        ninjaone().device_software(signed_in(), "7")


def test_another_servers_page_is_no_word_about_the_device() -> None:
    says("/v2/device/7/software", "<html>Not found</html>", 404)
    with pytest.raises(BadResponse):
        ninjaone().device_software(signed_in(), "7")
