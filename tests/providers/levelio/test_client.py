"""Level's raw key, its paging and its errors."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
import pytest
import responses

from rmm_extension.domain.errors import (
    AuthFailed,
    BadResponse,
    ConfigError,
    InvalidRequest,
    NotFound,
    PermissionMissing,
    ProviderError,
    RateLimited,
    Unavailable,
)
from rmm_extension.providers import http, progress
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.levelio.client import BASE as LEVELS_OWN
from rmm_extension.providers.levelio.client import open_client
from rmm_extension.providers.levelio.rows import Row
from tests.providers.levelio.accounts import BASE, KEY, connection, level, lists, queries, says

PATH = "/v2/devices"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BACKOFF", 0.0)


def listed(**params: Any) -> list[Any]:
    errors: list[str] = []
    with level().client(connection()) as client:
        found = [row.id for page in client.listing(PATH, Row, errors=errors, params=params) for row in page]
    return [*found, *errors]


@responses.activate
def test_the_key_goes_as_it_is() -> None:
    lists(PATH)
    listed()
    assert responses.calls[0].request.headers["Authorization"] == KEY


def test_without_a_replaced_address_levels_own_is_called() -> None:
    with open_client(Runtime(), connection(instance_url="https://elsewhere.example")) as client:
        assert client.base_url == LEVELS_OWN == "https://api.level.io"


@pytest.mark.parametrize("key", ["", "  ", "Bearer abc", "bearer abc", "ab c", "schlüssel", "a\nb"])
def test_a_key_that_cannot_be_one_is_refused_in_words(key: str) -> None:
    with pytest.raises(ConfigError, match=r"\.$") as caught:
        level().client(connection(secrets={"api_key": key}))
    assert not key.strip() or key not in str(caught.value)


@responses.activate
def test_a_list_goes_on_behind_the_id_of_its_last_row() -> None:
    lists(PATH, [{"id": "Z2lk/1="}, {"id": "b"}], [{"id": "c"}])
    assert listed(status="active") == ["Z2lk/1=", "b", "c"]
    assert queries(PATH) == [
        {"limit": "100", "status": "active"},
        {"limit": "100", "status": "active", "starting_after": "b"},
    ]


@responses.activate
def test_an_empty_list_is_a_list() -> None:
    lists(PATH)
    assert listed() == []


@responses.activate
def test_a_row_that_cannot_be_read_is_told_and_left_out() -> None:
    lists(PATH, [{"id": "a"}, {"id": {}}, 5, {"id": "d"}])
    first, last, *errors = listed()
    assert (first, last) == ("a", "d")
    assert [error.startswith("A row of /v2/devices was left out") for error in errors] == [True, True]


@responses.activate
@pytest.mark.parametrize(
    "pages",
    [
        [[{"id": "a"}], [{"id": "a"}], [{"id": "a"}]],
        [[{"id": "a"}], [{"id": "b"}], [{"id": "a"}], [{"id": "c"}]],
        [[{"id": "a"}, {"id": "b"}], [{"id": "a"}, {"id": "b"}]],
    ],
    ids=["stands", "goes in a circle", "is told twice, the second time as the last page"],
)
def test_a_list_that_does_not_go_on_is_an_error(pages: list[list[Any]]) -> None:
    lists(PATH, *pages)
    with pytest.raises(BadResponse, match="again and again"):
        listed()


@responses.activate
def test_a_list_without_an_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LIST_BYTES", 200)
    lists(PATH, *([{"id": f"{number:040}"}] for number in range(50)))
    with pytest.raises(BadResponse, match="too long"):
        listed()
    assert len(responses.calls) < 10


@responses.activate
@pytest.mark.parametrize("rows", [[], [{"name": "nameless"}], [7]])
def test_more_behind_nothing_is_an_error(rows: list[Any]) -> None:
    lists(PATH, rows, [{"id": "b"}])
    with pytest.raises(BadResponse):
        listed()
    assert len(responses.calls) == 1


@responses.activate
@pytest.mark.parametrize(
    "body", [[], {}, {"data": []}, {"data": None, "has_more": False}, {"data": [], "has_more": 1}]
)
def test_what_is_no_page_is_an_error(body: Any) -> None:
    says(PATH, body)
    with pytest.raises(BadResponse, match="shape"):
        listed()


@responses.activate
@pytest.mark.parametrize(
    "status, body, kind, words",
    [
        (401, {"error": "Access denied"}, AuthFailed, "regenerated"),
        (403, {"error": "Forbidden"}, PermissionMissing, "may not read /v2/devices.*it says: Forbidden"),
        (404, {"error": "Not found"}, NotFound, "does not know this"),
        (422, {"error": "limit is too large."}, InvalidRequest, "422.*limit is too large"),
        (400, "no json", InvalidRequest, "status 400"),
        (500, {"error": "oops"}, Unavailable, "unavailable"),
        (403, "<html>blocked</html>", BadResponse, "web page with status 403"),
        (401, "<!doctype html>", BadResponse, "web page"),
        (404, "<html>", BadResponse, "web page"),
        (502, "<html>bad gateway</html>", Unavailable, "status 502"),
        (200, "<html>", BadResponse, "web page"),
    ],
)
def test_errors_have_their_class_and_words(
    status: int, body: Any, kind: type[ProviderError], words: str
) -> None:
    says(PATH, body, status)
    with pytest.raises(kind, match=words) as caught:
        listed()
    assert caught.value.provider == "levelio"
    assert str(caught.value).endswith(".")


@responses.activate
@pytest.mark.parametrize("headers, seconds", [({"Retry_After": "17"}, 17.0), ({}, 60.0)])
def test_a_wish_for_patience_is_passed_on(headers: dict[str, str], seconds: float) -> None:
    for _ in range(5):
        says(PATH, {"error": "Too many requests"}, 429, **headers)
    with pytest.raises(RateLimited) as caught:
        listed()
    assert caught.value.retry_after == seconds


@responses.activate
@pytest.mark.parametrize("path", ["/v2/alerts/a/resolve", "/v2/automations/webhooks/token"])
def test_a_refused_change_asks_for_a_key_that_writes(path: str) -> None:
    says(path, {}, 403, method="POST")
    with level().client(connection()) as client, pytest.raises(PermissionMissing, match="read and write"):
        client.write("POST", path)


@responses.activate
def test_an_answer_that_repeats_the_key_does_not_show_it(caplog: pytest.LogCaptureFixture) -> None:
    says(PATH, {"error": f"bad key {KEY}"}, 400)
    with caplog.at_level(logging.DEBUG), pytest.raises(InvalidRequest) as caught:
        listed()
    assert KEY not in str(caught.value) + caplog.text
    assert "bad key •••" in str(caught.value)


@responses.activate
def test_another_host_gets_no_key() -> None:
    says(PATH, "", 302, Location="https://elsewhere.example/v2/devices")
    with pytest.raises(BadResponse, match=r"elsewhere\.example"):
        listed()
    assert [str(call.request.url).startswith(BASE) for call in responses.calls] == [True]


def test_repr_shows_no_key() -> None:
    with level().client(connection()) as client:
        assert KEY not in repr(client) + repr(msgspec.structs.asdict(Row()))
