"""Requests to Huntress: how they are signed, paced and refused."""

from __future__ import annotations

import base64
import json
from typing import Any

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
from rmm_extension.domain.pace import MemoryPace, too_fast
from rmm_extension.domain.types import Connection
from rmm_extension.providers import http
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.huntress import Huntress
from rmm_extension.providers.huntress.client import RATE, account_of
from tests.providers.huntress.accounts import (
    BASE,
    KEY,
    SECRET,
    Turns,
    connection,
    huntress,
    lists,
    queries,
    says,
)

ORGANIZATIONS = "/v1/organizations"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BACKOFF", 0.0)


@responses.activate
def test_key_and_secret_go_as_basic() -> None:
    lists(ORGANIZATIONS, [])
    huntress().organizations(connection())
    scheme, _, value = responses.calls[0].request.headers["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(value).decode()) == ("Basic", f"{KEY}:{SECRET}")


def test_without_an_address_of_its_own_it_is_huntress_s() -> None:
    with Huntress(Runtime(base_urls={})).client(connection()) as opened:
        assert opened.base_url == "https://api.huntress.io"


@pytest.mark.parametrize(
    "secrets",
    [
        {},
        {"api_key": KEY},
        {"api_key": KEY, "api_secret": "  "},
        {"api_key": "ke\ny", "api_secret": SECRET},
        {"api_key": KEY, "api_secret": "ß"},
    ],
)
def test_what_is_missing_or_cannot_be_sent_is_told(secrets: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"\.$") as caught:
        huntress().organizations(connection(secrets=secrets))
    assert not any(value.strip() and value in str(caught.value) for value in secrets.values())


@responses.activate
def test_each_request_takes_its_turn_of_the_account() -> None:
    turns = Turns()
    lists(ORGANIZATIONS, [{"id": 1, "name": "A"}], token="next")
    lists(ORGANIZATIONS, [{"id": 2, "name": "B"}])
    assert len(huntress().organizations(connection(pace=turns))) == 2
    assert turns.taken == [(account_of(connection()), 30.0)] * 2


@responses.activate
def test_a_repeat_takes_a_turn_too() -> None:
    turns = Turns()
    says(ORGANIZATIONS, {}, 503)
    lists(ORGANIZATIONS, [])
    huntress().organizations(connection(pace=turns))
    assert len(turns.taken) == len(responses.calls) == 2


@responses.activate
def test_somebody_who_waits_is_not_kept_for_long() -> None:
    turns = Turns()
    says("/v1/account", {}, 500)
    list(huntress().check(connection(pace=turns)))
    assert turns.taken == [(account_of(connection()), 2.0)]


@responses.activate
def test_the_turn_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    lists(ORGANIZATIONS, [])
    huntress().organizations(connection(pace=Turns(wait=1.2)))
    assert slept == [1.2]


@responses.activate
def test_a_turn_too_far_away_is_an_error_and_nothing_is_sent() -> None:
    class Full:
        def turn(self, account: str, rate: object, patience: float) -> float:
            raise too_fast(40.0)

    with pytest.raises(RateLimited) as caught:
        huntress().organizations(connection(pace=Full()))
    assert (caught.value.retry_after, caught.value.provider, caught.value.status) == (40.0, "huntress", None)
    assert len(responses.calls) == 0


def test_no_minute_has_more_requests_than_huntress_takes() -> None:
    assert RATE.burst + 60 / RATE.interval <= 60
    pace, clock = MemoryPace(), 0.0
    waits = [pace.turn("account", RATE, 1000.0) for _ in range(100)]
    sent = [clock + wait for wait in waits]
    assert max(sum(start <= at < start + 60 for at in sent) for start in sent) <= 60


def test_what_requests_are_counted_by_holds_no_secret() -> None:
    counted = account_of(connection())
    assert counted == account_of(connection(settings={}))
    assert counted != account_of(connection(secrets={"api_key": "other", "api_secret": SECRET}))
    assert counted.startswith("huntress:")
    assert KEY not in counted
    assert SECRET not in counted


@responses.activate
@pytest.mark.parametrize(
    "body", [{"error": "Said so."}, {"errors": ["Said so.", {}]}, {"message": "Said so."}, "Said so."]
)
@pytest.mark.parametrize(
    "status, kind, words",
    [
        (400, InvalidRequest, "Huntress refused: Said so."),
        (401, AuthFailed, "does not accept the API key"),
        (403, PermissionMissing, "may not read /v1/organizations at Huntress (it says: Said so)"),
        (404, NotFound, "(it says: Said so)"),
        (409, InvalidRequest, "Huntress refused: Said so."),
        (422, InvalidRequest, "Huntress refused: Said so."),
        (500, Unavailable, "temporarily unavailable (status 500) (it says: Said so)"),
    ],
)
def test_errors_in_words_whatever_their_body(
    status: int, kind: type[ProviderError], words: str, body: Any
) -> None:
    responses.add(
        "GET", BASE + ORGANIZATIONS, body=body if isinstance(body, str) else json.dumps(body), status=status
    )
    with pytest.raises(kind) as caught:
        huntress().organizations(connection())
    assert words in str(caught.value)


@responses.activate
@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[" * 3000, b"null", b"{}", b"7"])
def test_an_error_without_a_sentence(body: bytes) -> None:
    responses.add("GET", BASE + ORGANIZATIONS, body=body, status=409)
    with pytest.raises(InvalidRequest, match=r"\.$"):
        huntress().organizations(connection())


@responses.activate
@pytest.mark.parametrize("status", [401, 403, 404, 409])
def test_a_web_page_is_no_word_about_key_or_object(status: int) -> None:
    says(ORGANIZATIONS, "<html>Blocked</html>", status)
    with pytest.raises(BadResponse, match="web page"):
        huntress().organizations(connection())


@responses.activate
def test_an_error_never_repeats_a_secret() -> None:
    signed = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
    says(ORGANIZATIONS, {"error": f"Basic {signed} of {KEY} with {SECRET}"}, 403)
    with pytest.raises(PermissionMissing) as caught:
        huntress().organizations(connection())
    assert not any(secret in str(caught.value) for secret in (signed, KEY, SECRET))


@responses.activate
@pytest.mark.parametrize("header, seconds", [("42", 42.0), (None, 10.0)])
def test_patience_as_asked_for_or_ten_seconds(header: str | None, seconds: float) -> None:
    says(ORGANIZATIONS, {}, 429, headers={"Retry-After": header} if header else {})
    with pytest.raises(RateLimited) as caught:
        huntress().organizations(connection())
    assert caught.value.retry_after == seconds


@responses.activate
def test_rows_come_page_by_page_each_organization_once() -> None:
    lists(
        ORGANIZATIONS,
        [{"id": 1, "name": "A", "key": "a", "agents_count": 3}, {"id": 2, "name": " "}],
        token="t",
    )
    lists(ORGANIZATIONS, [{"id": 1, "name": "A"}, {"id": "3", "name": "C"}])
    found = huntress().organizations(connection())
    assert [(one.external_id, one.name) for one in found] == [("1", "A"), ("2", "Organization 2"), ("3", "C")]
    assert all(one["limit"] == "500" for one in queries())


@responses.activate
@pytest.mark.parametrize(
    "pagination", [None, {}, {"next_page_token": None}, {"next_page_token": ""}, {"next_page_url": "x"}]
)
def test_no_token_is_the_last_page(pagination: Any) -> None:
    says(ORGANIZATIONS, {"organizations": [], "pagination": pagination})
    assert huntress().organizations(connection()) == []
    assert len(responses.calls) == 1


@responses.activate
def test_an_organization_that_is_no_utf8_is_no_list() -> None:
    body = b'{"organizations": [{"id": 1, "name": "\xff"}], "pagination": {}}'
    responses.get(f"{BASE}{ORGANIZATIONS}", body=body, content_type="application/json")
    with pytest.raises(BadResponse, match=r"/v1/organizations"):
        huntress().organizations(connection())


@responses.activate
def test_what_is_counted_of_an_organization_can_be_stored() -> None:
    says(ORGANIZATIONS, {"organizations": [{"id": 1, "name": "A", "key": "a\x00b", "agents_count": 3}]})
    (found,) = huntress().organizations(connection())
    assert found.metadata == {"key": "ab", "agents_count": 3}


@responses.activate
@pytest.mark.parametrize(
    "body",
    [
        {"organizations": {}},
        {"organizations": [], "pagination": []},
        {"organizations": [{"name": "A"}]},
        {"organizations": ["A"]},
        {"organizations": [None]},
    ],
)
def test_a_list_of_organizations_that_cannot_be_read_whole_is_none(body: Any) -> None:
    says(ORGANIZATIONS, body)
    with pytest.raises(BadResponse, match=r"/v1/organizations"):
        huntress().organizations(connection())


def test_no_secret_shows() -> None:
    with huntress().client(connection()) as opened:
        assert SECRET not in repr(opened) + repr(vars(Connection)) + repr(connection())
