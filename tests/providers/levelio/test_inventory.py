"""Walking the fleet of Level, and one device alone."""

from __future__ import annotations

from typing import Any

import pytest
import responses

from rmm_extension.domain.errors import BadResponse, RateLimited, Unavailable
from rmm_extension.domain.types import DevicePage
from rmm_extension.providers import http
from tests.providers.levelio.accounts import connection, level, lists, queries, says

GROUPS, DEVICES = "/v2/groups", "/v2/devices"
ROUTINE = {"include_operating_system", "include_network_interfaces", "include_security"}
HEAVY = {"include_cpus", "include_memory", "include_disks", "include_motherboard"}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BACKOFF", 0.0)


def row(key: str, group: str | None = "g1", **more: Any) -> dict[str, Any]:
    return {"id": key, "hostname": key.upper(), "online": True, "group_id": group, **more}


def groups(**counts: int) -> None:
    lists(GROUPS, [{"id": key, "name": key, "device_count": number} for key, number in counts.items()])


def walk(*wanted: str, full: bool = False) -> list[DevicePage]:
    return list(level().devices(connection(), wanted, full=full))


def told(pages: list[DevicePage]) -> tuple[list[str], list[str], list[str]]:
    """Devices, devices elsewhere, complete organizations."""
    return (
        [one.external_id for page in pages for one in page.devices],
        [one for page in pages for one in page.elsewhere],
        sorted(one for page in pages for one in page.completed_organizations),
    )


@responses.activate
def test_one_list_of_the_account_tells_all_groups() -> None:
    groups(g1=2, g2=1, g3=1)
    lists(DEVICES, [row("a"), row("b", "g2"), row("x", None)], [row("c", "g3"), row("d")])
    pages = walk("g1", "g2")
    assert told(pages) == (["a", "b", "d"], ["x", "c"], ["g1", "g2"])
    assert [page.total for page in pages] == [3, 3, None]
    assert [bool(page.completed_organizations) for page in pages] == [False, False, True]
    assert len(responses.calls) == 3


@responses.activate
def test_devices_in_no_group_are_of_theirs() -> None:
    groups(g1=1)
    lists(DEVICES, [row("a"), row("x", None)])
    assert told(walk("null")) == (["x"], ["a"], ["null"])


@responses.activate
@pytest.mark.parametrize("full, flags", [(False, ROUTINE), (True, ROUTINE | HEAVY)])
def test_every_run_asks_for_what_its_facts_take(full: bool, flags: set[str]) -> None:
    groups(g1=1)
    lists(DEVICES, [row("a", total_memory=2**33)])
    pages = walk("g1", full=full)
    asked = queries(DEVICES)[0]
    assert asked == {**dict.fromkeys(flags, "true"), "limit": "100"}
    assert [one.hardware is not None for page in pages for one in page.devices] == [full]


@responses.activate
def test_a_group_that_is_gone_is_told_and_not_complete() -> None:
    groups(g1=1)
    lists(DEVICES, [row("a")])
    pages = walk("gone", "g1")
    assert told(pages) == (["a"], [], ["g1"])
    assert [error for page in pages for error in page.errors] == [
        "The group with id gone does not exist at Level, or is of another account."
    ]


@responses.activate
def test_an_odd_row_is_there_all_the_same() -> None:
    groups(g1=2)
    lists(DEVICES, [row("a"), row("b", operating_system=5)])
    pages = walk("g1")
    assert told(pages) == (["a"], ["b"], ["g1"])
    assert pages[0].errors == ("Device b (B) could not be read: unexpected value at $.operating_system.",)


@responses.activate
@pytest.mark.parametrize("odd", [{"hostname": "nameless"}, 5, None])
def test_a_row_without_an_id_leaves_every_group_incomplete(odd: Any) -> None:
    groups(g1=2)
    lists(DEVICES, [row("a"), odd])
    pages = walk("g1")
    assert told(pages) == (["a"], [], [])
    assert len(pages[0].errors) == 1


@responses.activate
def test_a_list_that_is_empty_against_what_groups_count_proves_nothing() -> None:
    groups(g1=4)
    lists(DEVICES)
    pages = walk("g1")
    assert told(pages) == ([], [], [])
    assert "no devices at all" in pages[-1].errors[0]


@responses.activate
def test_an_empty_account_is_complete() -> None:
    groups(g1=0)
    lists(DEVICES)
    assert told(walk("g1")) == ([], [], ["g1"])


@responses.activate
@pytest.mark.parametrize(
    "status, body, kind",
    [
        (429, {}, RateLimited),
        (503, {}, Unavailable),
        (200, "<html>", BadResponse),
        (200, {"data": 1}, BadResponse),
    ],
)
def test_an_error_in_between_completes_nothing(status: int, body: Any, kind: type[Exception]) -> None:
    groups(g1=2)
    says(DEVICES, {"data": [row("a")], "has_more": True})
    for _ in range(4):
        says(DEVICES, body, status)
    pages: list[DevicePage] = []
    with pytest.raises(kind):
        pages += level().devices(connection(), ["g1"], full=False)
    assert told(pages)[2] == []


@responses.activate
def test_a_server_that_goes_in_a_circle_ends_the_run() -> None:
    groups(g1=2)
    lists(DEVICES, [row("a")], [row("b")], [row("a")], [row("b")])
    with pytest.raises(BadResponse, match="again and again"):
        walk("g1")


ID = "Z2lkOi8v1/="


@responses.activate
def test_one_device_is_asked_for_with_all_blocks() -> None:
    says("/v2/devices/Z2lkOi8v1%2F%3D", row(ID, total_memory=2**33))
    found = level().device(connection(), ID)
    assert found is not None
    assert (found.external_id, found.hardware is not None) == (ID, True)
    assert queries("/v2/devices/Z2lkOi8v1%2F%3D")[0].keys() == ROUTINE | HEAVY


@responses.activate
@pytest.mark.parametrize("status, body, gone", [(404, {"error": "Not found"}, True), (404, "<html>", False)])
def test_only_level_itself_says_that_one_is_gone(status: int, body: Any, gone: bool) -> None:
    says("/v2/devices/d", body, status)
    if gone:
        assert level().device(connection(), "d") is None
    else:
        with pytest.raises(BadResponse):
            level().device(connection(), "d")


@responses.activate
@pytest.mark.parametrize("body", [row("other"), {"hostname": "A"}, [], {"id": "d", "cpus": 5}])
def test_what_is_not_the_device_is_an_error(body: Any) -> None:
    says("/v2/devices/d", body)
    with pytest.raises(BadResponse):
        level().device(connection(), "d")
