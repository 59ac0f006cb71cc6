"""The four reports of patches as one list by device; and one device's four lists."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from rmm_extension.domain.errors import (
    AuthFailed,
    BadResponse,
    NotFound,
    PermissionMissing,
    RateLimited,
    Unavailable,
)
from rmm_extension.domain.patches import Patch, PatchesOfDevice, PatchKind, PatchPage, PatchStatus, tidied
from rmm_extension.providers import http
from rmm_extension.providers.ninjaone import patches
from rmm_extension.providers.ninjaone.patches import STATUSES, article, status

from .accounts import ninjaone, says, signed_in

OS, SOFTWARE = PatchKind.OS, PatchKind.SOFTWARE
LISTS = ("os-patches", "os-patch-installs", "software-patches", "software-patch-installs")
WHEN = datetime.now(UTC).replace(microsecond=500_000) - timedelta(days=1)
AT = WHEN.timestamp()


@pytest.fixture(autouse=True)
def mocked() -> Any:
    with responses.mock:
        yield


def reports(**rows: list[Any]) -> None:
    """What each of the reports says, by its name with underscores; nothing where it is not given."""
    for name in LISTS:
        says(f"/v2/queries/{name}", {"results": rows.get(name.replace("-", "_"), [])})


def lists(**rows: list[Any]) -> None:
    """What device 7's own lists say."""
    for name in LISTS:
        says(f"/v2/device/7/{name}", rows.get(name.replace("-", "_"), []))


def pages() -> list[PatchPage]:
    return list(ninjaone().patches(signed_in()))


def devices() -> dict[str, PatchesOfDevice]:
    return {device.external_device_id: device for page in pages() for device in page.devices}


def os_patch(device: Any = 7, known_as: Any = "p-1", status: Any = "MANUAL", **values: Any) -> dict[str, Any]:
    return {"deviceId": device, "id": known_as, "name": "Cumulative Update", "status": status, **values}


def queries() -> list[tuple[str, dict[str, str]]]:
    """Each request's path and parameters."""
    parts = [urlsplit(str(call.request.url)) for call in responses.calls]
    return [(one.path, {name: found[0] for name, found in parse_qs(one.query).items()}) for one in parts]


def test_four_reports_are_one_list() -> None:
    reports(
        os_patches=[
            os_patch(severity="CRITICAL", type="SECURITY_UPDATES", kbNumber="KB5034441", timestamp=AT - 3600),
            os_patch(8),
        ],
        os_patch_installs=[os_patch(7, "p-2", "INSTALLED", installedAt=AT, timestamp=AT)],
        software_patches=[
            {"deviceId": 7, "id": "p-1", "title": "Browser 9", "impact": "OPTIONAL", "status": "APPROVED"}
        ],
        software_patch_installs=[
            {"deviceId": 7, "id": "p-3", "title": "Zip 2", "status": "FAILED", "installedAt": AT}
        ],
    )
    found = devices()
    assert sorted(found) == ["7", "8"]
    assert found["7"].scanned_at == WHEN
    assert found["8"].scanned_at is None
    assert found["7"].items == (
        Patch(
            kind=OS,
            external_id="p-1",
            name="Cumulative Update",
            status=PatchStatus.PENDING,
            severity="CRITICAL",
            category="SECURITY_UPDATES",
            kb="KB5034441",
        ),
        Patch(
            kind=OS,
            external_id="p-2",
            name="Cumulative Update",
            status=PatchStatus.INSTALLED,
            changed_at=WHEN,
        ),
        Patch(
            kind=SOFTWARE,
            external_id="p-1",
            name="Browser 9",
            status=PatchStatus.APPROVED,
            severity="OPTIONAL",
        ),
        Patch(kind=SOFTWARE, external_id="p-3", name="Zip 2", status=PatchStatus.FAILED, changed_at=WHEN),
    )


def test_tries_are_asked_for_90_days_back_from_midnight() -> None:
    reports()
    assert pages() == []
    asked = queries()
    assert [path for path, _ in asked] == [f"/v2/queries/{name}" for name in LISTS]
    since = [int(params.pop("installedAfter", 0)) for _, params in asked]
    assert [params for _, params in asked] == [{"pageSize": "1000"}] * 4
    assert (since[0], since[2]) == (0, 0)
    assert since[1] == since[3]
    ago = datetime.now(UTC) - datetime.fromtimestamp(since[1], UTC)
    assert timedelta(days=90) <= ago < timedelta(days=91)
    assert since[1] % 86_400 == 0


def test_older_tries_are_left_out_where_they_come_all_the_same() -> None:
    now = datetime.now(UTC)
    rows = [
        os_patch(known_as=str(days), status="INSTALLED", installedAt=(now - timedelta(days=days)).timestamp())
        for days in (1, 89, 92, 400)
    ]
    reports(os_patch_installs=rows, os_patches=[os_patch(known_as="waits", installedAt=1.5e9)])
    lists(os_patch_installs=rows, os_patches=[os_patch(known_as="waits", installedAt=1.5e9)])
    one = ninjaone().device_patches(signed_in(), "7")
    assert one == devices()["7"]
    assert [item.external_id for item in one.items] == ["waits", "1", "89"]


def test_a_patch_that_waits_and_failed_is_failed() -> None:
    reports(
        os_patches=[os_patch(status="APPROVED", severity="CRITICAL")],
        os_patch_installs=[os_patch(status="FAILED", installedAt=AT)],
    )
    (patch,) = tidied(devices()["7"].items)
    assert (patch.status, patch.changed_at, patch.severity) == (PatchStatus.FAILED, WHEN, "CRITICAL")


@pytest.mark.parametrize(
    "word, expected",
    [
        *STATUSES.items(),
        ("manual", PatchStatus.PENDING),
        (" Installed ", PatchStatus.INSTALLED),
        ("IN_PROGRESS", PatchStatus.PENDING),
        ("", PatchStatus.PENDING),
        (None, PatchStatus.PENDING),
        (7, PatchStatus.PENDING),
    ],
)
def test_the_words_of_a_status(word: Any, expected: PatchStatus) -> None:
    assert status(word) is expected


@pytest.mark.parametrize(
    "value, expected",
    [
        ("KB5034441", "KB5034441"),
        ("kb5034441", "KB5034441"),
        ("5034441", "KB5034441"),
        (5034441, "KB5034441"),
        ("", None),
        (None, None),
    ],
)
def test_an_article_has_its_letters(value: Any, expected: str | None) -> None:
    assert article(value) == expected


def test_a_patch_without_an_id_is_known_by_its_article_or_its_name() -> None:
    reports(
        os_patches=[
            os_patch(known_as=None, kbNumber="5034441"),
            os_patch(known_as=None),
            os_patch(known_as=5, name=None, kbNumber="KB1"),
        ]
    )
    found = [(item.external_id, item.name) for item in devices()["7"].items]
    assert found == [
        ("KB5034441", "Cumulative Update"),
        ("Cumulative Update", "Cumulative Update"),
        ("5", "KB1"),
    ]


def test_rows_that_cannot_be_used_are_sentences() -> None:
    reports(
        os_patches=[os_patch(), os_patch(device=None), os_patch(known_as=None, name=None), 5],
        software_patches=[{"deviceId": 7, "id": {"a": 1}}],
    )
    found = pages()
    errors = [error for page in found for error in page.errors]
    assert len(errors) == 4
    assert any("names no device" in error for error in errors)
    assert any("neither id nor name (device 7)" in error for error in errors)
    assert [len(device.items) for page in found for device in page.devices] == [1]


def test_pages_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patches, "PAGE_DEVICES", 10)
    reports(os_patches=[os_patch(number) for number in range(25)])
    assert [len(page.devices) for page in pages()] == [10, 10, 5]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    "status, body, kind",
    [
        (401, {}, AuthFailed),
        (429, {}, RateLimited),
        (500, {}, Unavailable),
        (404, "<html></html>", NotFound),
        (200, "<html></html>", BadResponse),
        (200, {"a": 1}, BadResponse),
    ],
)
def test_a_report_that_fails_tells_nothing(
    name: str, status: int, body: Any, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "BACKOFF", 0.0)
    says("/ws/oauth/token", {"error": "invalid_grant"}, 400)
    says(f"/v2/queries/{name}", body, status, **{"Retry-After": "30"})
    reports(os_patches=[os_patch()])
    seen: list[PatchPage] = []
    with pytest.raises(kind):
        seen += ninjaone().patches(signed_in())
    assert seen == []


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("status", [403, 404])
def test_a_kind_that_may_not_be_read_is_left_out_alone(name: str, status: int) -> None:
    mine = OS if name.startswith("os") else SOFTWARE
    rows = [os_patch(), os_patch(8, "p-2", installedAt=AT)]
    says(f"/v2/queries/{name}", {"errorMessage": "not allowed"}, status)
    reports(**{one.replace("-", "_"): rows for one in LISTS})
    first, *rest = pages()
    assert first.devices == ()
    ((kind, said),) = first.unread.items()
    assert kind is mine
    assert "were not read: NinjaOne" in said
    found = [device for page in rest for device in page.devices]
    assert sorted(device.external_device_id for device in found) == ["7", "8"]
    assert {item.kind for device in found for item in device.items} == {OS, SOFTWARE} - {mine}


def test_a_device_with_nothing_but_what_may_not_be_read_is_not_named() -> None:
    says("/v2/queries/software-patch-installs", {}, 403)
    reports(software_patches=[os_patch(9)], os_patches=[os_patch(7)])
    assert list(devices()) == ["7"]


def test_a_sign_in_that_may_read_none_of_them_is_an_error() -> None:
    says("/v2/queries/os-patches", {}, 404)
    says("/v2/queries/software-patches", {}, 403)
    reports()
    with pytest.raises(PermissionMissing):
        pages()


# One device


def test_one_device() -> None:
    lists(
        os_patches=[{"id": "p-1", "name": "Update", "status": "REJECTED"}],
        os_patch_installs=[{"id": "p-2", "name": "Old", "status": "INSTALLED", "installedAt": AT}],
        software_patches=[{"id": "p-3", "title": "Browser", "status": "MANUAL"}],
    )
    found = ninjaone().device_patches(signed_in(), "7")
    assert found is not None
    words = [(item.kind, item.external_id, item.status) for item in found.items]
    assert words == [
        (OS, "p-1", PatchStatus.REJECTED),
        (OS, "p-2", PatchStatus.INSTALLED),
        (SOFTWARE, "p-3", PatchStatus.PENDING),
    ]
    assert found.scanned_at is None
    assert ["installedAfter" in params for _, params in queries()] == [False, True, False, True]


def test_a_device_that_is_not_there() -> None:
    for name in LISTS:
        says(f"/v2/device/7/{name}", {"errorMessage": "not found"}, 404)
    assert ninjaone().device_patches(signed_in(), "7") is None


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("status", [403, 404])
def test_a_kind_of_one_device_that_may_not_be_read(name: str, status: int) -> None:
    mine = OS if name.startswith("os") else SOFTWARE
    says(f"/v2/device/7/{name}", {"errorMessage": "not allowed"}, status)
    lists(**{one.replace("-", "_"): [{"id": one, "name": "Update"}] for one in LISTS})
    found = ninjaone().device_patches(signed_in(), "7")
    assert found is not None
    assert list(found.unread) == [mine]
    assert {item.kind for item in found.items} == {OS, SOFTWARE} - {mine}


@pytest.mark.parametrize("status, kind", [(401, AuthFailed), (429, RateLimited), (500, Unavailable)])
def test_other_errors_of_one_device(
    status: int, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "BACKOFF", 0.0)
    says("/ws/oauth/token", {"error": "invalid_grant"}, 400)
    says("/v2/device/7/software-patches", {}, status, **{"Retry-After": "30"})
    lists()
    with pytest.raises(kind):
        ninjaone().device_patches(signed_in(), "7")


def test_an_id_that_is_none_is_not_asked_for() -> None:
    assert ninjaone().device_patches(signed_in(), "../7") is None
    assert len(responses.calls) == 0


@pytest.mark.parametrize("body", ["<html></html>", {}, [5], [{"id": {"a": 1}}]])
def test_an_answer_that_cannot_be_read_whole_is_an_error(body: Any) -> None:
    says("/v2/device/7/os-patches", body)
    lists()
    with pytest.raises(BadResponse):
        ninjaone().device_patches(signed_in(), "7")
