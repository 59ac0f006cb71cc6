"""Updates of Level as patches."""

from __future__ import annotations

from typing import Any

import pytest
import responses

from rmm_extension.domain.errors import BadResponse, PermissionMissing, Unavailable
from rmm_extension.domain.patches import Patch, PatchesOfDevice, PatchKind, PatchPage, PatchStatus
from rmm_extension.providers import gathering, http
from rmm_extension.providers.levelio import patches
from tests.providers.levelio.accounts import connection, level, lists, queries, says

UPDATES = "/v2/updates"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BACKOFF", 0.0)


def row(key: str, device: str | None = "d1", **more: Any) -> dict[str, Any]:
    return {
        "id": key,
        "device_id": device,
        "device_hostname": "A",
        "name": f"Update {key}",
        "category": "Security Updates",
        "is_available": True,
        "installed_on": None,
        **more,
    }


def pages() -> list[PatchPage]:
    return list(level().patches(connection()))


def listed() -> dict[str, list[str]]:
    return {
        one.external_device_id: [item.external_id for item in one.items]
        for page in pages()
        for one in page.devices
    }


@responses.activate
def test_a_patch_with_everything() -> None:
    lists(UPDATES, [row("u1", name="2026-11 Cumulative Update (kb5034441) for x64")])
    (page,) = pages()
    assert page.devices == (
        PatchesOfDevice(
            external_device_id="d1",
            items=(
                Patch(
                    kind=PatchKind.OS,
                    external_id="u1",
                    name="2026-11 Cumulative Update (kb5034441) for x64",
                    status=PatchStatus.PENDING,
                    category="Security Updates",
                    kb="KB5034441",
                ),
            ),
        ),
    )
    assert queries(UPDATES) == [{"status": "available", "limit": "100"}]


@responses.activate
def test_rows_in_no_order_make_each_device_once() -> None:
    lists(UPDATES, [row("a"), row("b", "d2")], [row("c"), row("d", "d3")], [row("e", "d2")])
    assert listed() == {"d1": ["a", "c"], "d2": ["b", "e"], "d3": ["d"]}


@responses.activate
def test_pages_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patches, "PAGE_DEVICES", 2)
    lists(UPDATES, [row(f"u{number}", f"d{number}") for number in range(5)])
    assert [len(page.devices) for page in pages()] == [2, 2, 1]


@responses.activate
def test_installed_ones_are_left_out_should_level_tell_them() -> None:
    lists(
        UPDATES,
        [row("a", is_available=False, installed_on="2026-11-01"), row("b"), row("c", is_available=None)],
    )
    assert listed() == {"d1": ["b", "c"]}


@responses.activate
def test_rows_that_are_no_use_are_told() -> None:
    lists(UPDATES, [row("a"), row("b", None), row("c", id=None, name=" "), 5, row("d", id=None)])
    found = pages()
    errors = [error for page in found for error in page.errors]
    assert len(errors) == 3
    assert "names no device" in errors[1]
    assert "neither id nor name (device d1)" in errors[2]
    assert [item.external_id for page in found for one in page.devices for item in one.items] == [
        "a",
        "Update d",
    ]


@responses.activate
def test_a_run_shows_now_and_then_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "PATIENCE", 0.0)
    lists(UPDATES, [row("a")], [row("b")])
    assert [len(page.devices) for page in pages()] == [0, 0, 1]


@responses.activate
@pytest.mark.parametrize("status, kind", [(502, Unavailable), (403, PermissionMissing)])
def test_a_list_that_breaks_off_tells_no_device(status: int, kind: type[Exception]) -> None:
    says(UPDATES, {"data": [row("a")], "has_more": True})
    for _ in range(4):
        says(UPDATES, {}, status)
    found: list[PatchPage] = []
    with pytest.raises(kind):
        found += level().patches(connection())
    assert not any(page.devices for page in found)


@responses.activate
def test_one_device_alone() -> None:
    lists(UPDATES, [row("a"), row("z", "other")], [row("b", is_available=False), row("c", None)])
    found = level().device_patches(connection(), "d1")
    assert found is not None
    assert [item.external_id for item in found.items] == ["a", "c"]
    assert queries(UPDATES)[0] == {"status": "available", "device_id": "d1", "limit": "100"}


@responses.activate
def test_one_device_is_told_alike_alone_and_with_all() -> None:
    rows = [row("a"), row("b", name="KB500000 Driver")]
    lists(UPDATES, rows)
    alone = level().device_patches(connection(), "d1")
    responses.reset()
    lists(UPDATES, rows)
    assert [one for page in pages() for one in page.devices] == [alone]


@responses.activate
def test_a_device_that_level_does_not_know_has_none() -> None:
    says(UPDATES, {"error": "Not found"}, 404)
    assert level().device_patches(connection(), "d1") is None


@responses.activate
def test_a_list_of_one_device_is_whole_or_none() -> None:
    lists(UPDATES, [row("a"), 5])
    with pytest.raises(BadResponse, match="not complete"):
        level().device_patches(connection(), "d1")
