"""The link to a device's dashboard: when it may be asked for, and what NinjaOne answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import responses

from rmm_extension.domain.errors import BadResponse, InvalidRequest, NotFound, PermissionMissing, Unavailable
from rmm_extension.domain.types import Connection, RemoteLink
from rmm_extension.providers.capabilities import FetchesRemoteLink

from .accounts import connection, ninjaone, says, signed_in

PATH = "/v2/device/7/dashboard-url"
URL = "https://app.ninjarmm.com/#/deviceDashboard/7/overview?token=SECRET"


@pytest.fixture(autouse=True)
def mocked() -> Any:
    with responses.mock:
        yield


def fetch(external_id: str = "7") -> RemoteLink:
    return ninjaone().fetch_remote_link(signed_in(), external_id)


def test_the_provider_is_called_for_its_links() -> None:
    assert isinstance(ninjaone(), FetchesRemoteLink)


def test_the_link_with_its_end() -> None:
    says(PATH, {"url": URL, "expires": 1800000000.5})
    assert fetch() == RemoteLink(url=URL, expires_at=datetime.fromtimestamp(1800000000.5, UTC))


@pytest.mark.parametrize("expires", [None, 0, "soon", -1, 1e300])
def test_an_end_that_makes_no_sense_is_none(expires: Any) -> None:
    says(PATH, {"url": URL, "expires": expires})
    assert fetch().expires_at is None


@pytest.mark.parametrize("body", [{}, {"url": None}, {"url": " "}])
def test_no_link_is_said(body: dict[str, Any]) -> None:
    says(PATH, body)
    with pytest.raises(BadResponse, match="gave no link"):
        fetch()


@pytest.mark.parametrize(
    "status, kind, words",
    [
        (403, PermissionMissing, "lacks the scope Control"),
        (404, NotFound, "does not know this object"),
        (409, InvalidRequest, "Device is offline"),
        (500, Unavailable, "failed inside"),
    ],
)
def test_a_refusal_in_words(status: int, kind: type[Exception], words: str) -> None:
    says(PATH, {"errorMessage": "Device is offline"}, status)
    with pytest.raises(kind, match=words):
        fetch()
    assert len(responses.calls) == 1, "somebody waits"


def test_a_web_page_is_no_link() -> None:
    says(PATH, "<!doctype html><html></html>")
    with pytest.raises(BadResponse, match="web page"):
        fetch()


@pytest.mark.parametrize("external_id", ["", "../organizations", "7/x", "\u0667"])
def test_an_id_cannot_change_what_is_asked(external_id: str) -> None:
    with pytest.raises(NotFound):
        fetch(external_id)
    assert len(responses.calls) == 0


@pytest.mark.parametrize(
    "given, is_open",
    [
        (signed_in(), True),
        (signed_in("monitoring control"), True),
        (signed_in(""), True),
        (connection(), True),
        (signed_in("monitoring management"), False),
    ],
)
def test_what_was_granted_decides_and_nobody_is_asked(given: Connection, is_open: bool) -> None:
    found = ninjaone().remote_obstacle(given)
    assert (found is None) is is_open
    assert found is None or "scope Control" in found
