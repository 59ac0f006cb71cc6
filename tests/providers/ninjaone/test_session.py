"""NinjaOne's OAuth: the page to sign in at, the token endpoint's answers, the end of a session."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from requests import ConnectionError as NoConnection

from rmm_extension.domain.authorization import AuthorizationRequest
from rmm_extension.domain.errors import (
    AuthFailed,
    BadResponse,
    ConfigError,
    InvalidRequest,
    RateLimited,
    Unavailable,
)
from rmm_extension.domain.sessions import SessionToken
from rmm_extension.domain.types import Connection
from rmm_extension.providers.ninjaone.errors import WrongHost
from rmm_extension.providers.ninjaone.session import (
    REVOKE,
    TOKEN,
    ApplicationRefused,
    CodeRefused,
    GrantMissing,
    ScopeRefused,
    SignInEnded,
)

from .accounts import (
    ALL,
    BASE,
    CLIENT_SECRET,
    connection,
    forms,
    granted,
    ninjaone,
    says,
    signed_in,
    token_calls,
)

CODE = {"code": "SECRET-code", "redirect_uri": "https://psa/rmm/oauth/callback", "code_verifier": "SECRET-v"}
HTML = "<!doctype html><title>Somebody else</title>"
APPLICATION = {"client_id": "the-client", "client_secret": CLIENT_SECRET}
LISTED = "/v2/organizations-detailed"


@pytest.fixture(autouse=True)
def mocked() -> Any:
    with responses.mock:
        yield


def listed(status: int = 200) -> None:
    says(LISTED, [] if status == 200 else {"error": "no"}, status)


def ask(given: Connection) -> SessionToken:
    """List the organizations, and give the session that this took."""
    ninjaone().organizations(given)
    assert given.sessions is not None
    token = given.sessions.current()
    assert token is not None
    return token


class TestTheAddressToSignInAt:
    def url(self, **more: Any) -> dict[str, str]:
        request = AuthorizationRequest(redirect_uri="https://psa/back?x=1", state="t.é", code_challenge="c-_")
        url = ninjaone().authorization_url(connection(**more), request)
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{BASE}/ws/oauth/authorize"
        return {key: values[0] for key, values in parse_qs(parts.query, strict_parsing=True).items()}

    def test_it_asks_for_all_scopes_with_a_challenge(self) -> None:
        assert self.url() == {
            "response_type": "code",
            "client_id": "the-client",
            "redirect_uri": "https://psa/back?x=1",
            "scope": ALL,
            "state": "t.é",
            "code_challenge": "c-_",
            "code_challenge_method": "S256",
        }

    @pytest.mark.parametrize(
        "access, scope",
        [
            ("all", ALL),
            ("change", "monitoring management offline_access"),
            ("read", "monitoring offline_access"),
            ("nonsense", ALL),
        ],
    )
    def test_it_asks_for_what_was_chosen(self, access: str, scope: str) -> None:
        assert self.url(settings={"client_id": "the-client", "access": access})["scope"] == scope

    def test_no_secret_is_in_it(self) -> None:
        assert CLIENT_SECRET not in str(self.url())

    @pytest.mark.parametrize(
        "more",
        [{"settings": {}}, {"settings": {"client_id": "a b"}}, {"secrets": {}}, {"instance_url": ""}],
    )
    def test_what_is_missing_is_said_before_anybody_is_sent_away(self, more: dict[str, Any]) -> None:
        with pytest.raises(ConfigError, match=r"\.$"):
            self.url(**more)


class TestTheCode:
    def test_it_is_exchanged_with_the_verifier_and_the_secret(self) -> None:
        says(TOKEN, granted())
        listed()
        before = datetime.now(UTC)
        token = ask(connection(once=CODE))
        assert token_calls() == [{"grant_type": "authorization_code", **CODE, **APPLICATION}]
        assert (token.value, token.refresh) == ("SECRET-access-1", "SECRET-refresh-1")
        assert token.scopes == tuple(ALL.split())
        assert token.expires_at is not None
        assert timedelta(0) <= token.expires_at - before - timedelta(hours=1) < timedelta(minutes=1)
        assert token.renew_at == token.expires_at - timedelta(minutes=5)
        assert responses.calls[-1].request.headers["Authorization"] == "Bearer SECRET-access-1"

    def test_it_is_never_sent_twice(self) -> None:
        says(TOKEN, granted(1))
        listed(401)
        says(TOKEN, granted(2))
        listed()
        assert ask(connection(once=CODE)).value == "SECRET-access-2"
        assert [call["grant_type"] for call in token_calls()] == ["authorization_code", "refresh_token"]

    @pytest.mark.parametrize("seconds, ahead", [(3600, 300), (200, 100), (None, 300), (0, 300), (-5, 300)])
    def test_a_short_life_is_renewed_after_half_of_it(self, seconds: Any, ahead: int) -> None:
        says(TOKEN, granted(expires_in=seconds))
        listed()
        token = ask(connection(once=CODE))
        assert token.expires_at is not None
        assert token.renew_at == token.expires_at - timedelta(seconds=ahead)

    @pytest.mark.parametrize("scope", [None, ""])
    def test_scopes_that_are_not_told_are_not_known(self, scope: str | None) -> None:
        says(TOKEN, granted(scope=scope))
        listed()
        assert ask(connection(once=CODE)).scopes == ()


class TestTheRefresh:
    def test_a_new_refresh_token_takes_the_place_of_the_old(self) -> None:
        listed(401)
        says(TOKEN, granted(1))
        listed()
        assert ask(signed_in()).refresh == "SECRET-refresh-1"
        assert token_calls() == [
            {"grant_type": "refresh_token", "refresh_token": "SECRET-refresh-0", **APPLICATION}
        ]

    def test_where_none_comes_the_old_one_and_the_scopes_are_kept(self) -> None:
        listed(401)
        says(TOKEN, granted(1, refresh=False, scope=None))
        listed()
        token = ask(signed_in("monitoring"))
        assert (token.value, token.refresh) == ("SECRET-access-1", "SECRET-refresh-0")
        assert token.scopes == ("monitoring",)

    @pytest.mark.parametrize("token", [None, SessionToken(value="SECRET-access-0")])
    def test_without_a_refresh_token_a_person_is_needed(self, token: SessionToken | None) -> None:
        listed(401)
        with pytest.raises(SignInEnded, match="Sign in again"):
            ask(connection(token=token))
        assert token_calls() == []


class TestClientCredentials:
    def test_they_ask_without_a_person_and_for_no_refresh_token(self) -> None:
        says(TOKEN, granted(refresh=False, scope="monitoring management control"))
        listed()
        token = ask(connection("client_credentials"))
        assert token.refresh is None
        assert token_calls() == [
            {
                "grant_type": "client_credentials",
                "scope": "monitoring management control",
                **APPLICATION,
            }
        ]

    def test_they_ask_for_what_was_chosen(self) -> None:
        says(TOKEN, granted(refresh=False, scope="monitoring"))
        listed()
        ask(connection("client_credentials", settings={"client_id": "the-client", "access": "read"}))
        assert token_calls()[0]["scope"] == "monitoring"

    def test_they_ask_anew_when_the_session_is_over(self) -> None:
        listed(401)
        says(TOKEN, granted(2, refresh=False))
        listed()
        given = connection("client_credentials", token=SessionToken(value="SECRET-access-1"))
        assert ask(given).value == "SECRET-access-2"
        assert token_calls()[0]["grant_type"] == "client_credentials"


REFUSALS: list[tuple[int, Any, type[Exception], str]] = [
    (400, {"error": "invalid_grant"}, SignInEnded, "does not renew the sign-in"),
    (400, {"error": "invalid_client"}, ApplicationRefused, "client ID and client secret"),
    (401, {"error": "invalid_client"}, ApplicationRefused, "client ID and client secret"),
    (401, {}, ApplicationRefused, "client ID and client secret"),
    (400, {"error": "unauthorized_client"}, GrantMissing, "grant type"),
    (400, {"error": "unsupported_grant_type"}, GrantMissing, "grant type"),
    (400, {"error": "invalid_scope"}, ScopeRefused, "lacks a scope"),
    (400, {"resultCode": "X", "errorMessage": "Strange thing"}, InvalidRequest, "refused: Strange thing"),
    (400, {}, InvalidRequest, "rejected"),
    (404, HTML, WrongHost, "no NinjaOne API"),
    (200, HTML, BadResponse, "web page"),
    (200, {"token": "x"}, BadResponse, "shape"),
    (200, {"access_token": ""}, BadResponse, "shape"),
    (200, {"access_token": "a\nb"}, BadResponse, "shape"),
    (302, {}, BadResponse, "redirects"),
    (500, HTML, Unavailable, "failed inside"),
    (503, {"error": "invalid_grant"}, Unavailable, "failed inside"),
]


@pytest.mark.parametrize("status, body, kind, words", REFUSALS)
def test_refusals_have_their_class_and_their_words(
    status: int, body: Any, kind: type[Exception], words: str
) -> None:
    listed(401)
    says(TOKEN, body, status, Location="https://93.184.216.35/")
    with pytest.raises(kind, match=words) as caught:
        ask(signed_in())
    assert str(caught.value).endswith(".")
    assert "SECRET" not in str(caught.value)
    assert len(token_calls()) == 1, "one attempt"


def test_a_refused_code_says_what_can_be_the_matter() -> None:
    says(TOKEN, {"error": "invalid_grant"}, 400)
    with pytest.raises(CodeRefused, match="redirect URI"):
        ask(connection(once=CODE))


def test_a_code_that_is_refused_for_its_application_may_be_so_for_its_redirect_uri() -> None:
    says(TOKEN, {"error": "invalid_client"}, 401)
    with pytest.raises(ApplicationRefused, match="or the redirect URI"):
        ask(connection(once=CODE))


@pytest.mark.parametrize("headers, seconds", [({"Retry-After": "57"}, 57.0), ({}, 10.0)])
def test_patience_is_asked_for(headers: dict[str, str], seconds: float) -> None:
    listed(401)
    says(TOKEN, {"error": "slow_down"}, 429, **headers)
    with pytest.raises(RateLimited) as caught:
        ask(signed_in())
    assert caught.value.retry_after == seconds


def test_no_answer_is_no_refusal() -> None:
    listed(401)
    responses.add("POST", BASE + TOKEN, body=NoConnection("refused"))
    with pytest.raises(Unavailable):
        ask(signed_in())


def test_words_that_repeat_a_secret_are_hidden() -> None:
    says(TOKEN, {"error": "odd", "error_description": f"bad code SECRET-code {CLIENT_SECRET}"}, 400)
    with pytest.raises(InvalidRequest, match="refused: bad code ••• •••") as caught:
        ask(connection(once=CODE))
    assert "SECRET" not in repr(caught.value)


class TestTheEnd:
    def test_the_refresh_token_goes_first_then_the_token(self) -> None:
        says(REVOKE, {})
        ninjaone().end_session(signed_in())
        assert forms(REVOKE) == [
            {"token": "SECRET-refresh-0", "token_type_hint": "refresh_token", **APPLICATION},
            {"token": "SECRET-access-0", "token_type_hint": "access_token", **APPLICATION},
        ]

    def test_an_answer_without_a_body_is_well(self) -> None:
        responses.add("POST", BASE + REVOKE, body=b"", status=200)
        ninjaone().end_session(connection("client_credentials", token=SessionToken(value="SECRET-a")))
        assert len(forms(REVOKE)) == 1

    def test_what_is_worth_nothing_already_is_said(self) -> None:
        says(REVOKE, {"error": "invalid_token"}, 400)
        with pytest.raises(AuthFailed):
            ninjaone().end_session(signed_in())
        assert len(forms(REVOKE)) == 2, "the one may be over, and the other not"

    def test_one_that_is_over_hides_none_that_was_ended(self) -> None:
        says(REVOKE, {"error": "invalid_grant"}, 400)
        says(REVOKE, {})
        ninjaone().end_session(signed_in())

    def test_a_secret_that_is_refused_has_ended_nothing(self) -> None:
        says(REVOKE, {"error": "invalid_client"}, 401)
        with pytest.raises(InvalidRequest, match="could not be ended"):
            ninjaone().end_session(signed_in())

    @pytest.mark.parametrize("status, body", [(503, {}), (500, HTML)])
    def test_a_server_that_is_away_has_ended_nothing(self, status: int, body: Any) -> None:
        says(REVOKE, body, status)
        with pytest.raises(Unavailable):
            ninjaone().end_session(signed_in())

    def test_without_a_session_there_is_none_to_end(self) -> None:
        with pytest.raises(ConfigError):
            ninjaone().end_session(connection())
        assert len(responses.calls) == 0


@pytest.mark.parametrize(
    "typed, kept",
    [
        ("app.ninjarmm.com", "https://app.ninjarmm.com"),
        (" https://EU.ninjarmm.com/#/systemDashboard/overview ", "https://eu.ninjarmm.com"),
        ("https://msp.rmmservice.com/ws/oauth/authorize?x=1", "https://msp.rmmservice.com"),
        ("http://localhost:8099/", "http://localhost:8099"),
        ("https://[::1]:8443/v2", "https://[::1]:8443"),
        ("https://app.ninjarmm.com:443/", "https://app.ninjarmm.com"),
        ("https://app.ninjarmm.com.", "https://app.ninjarmm.com"),
        ("http://ninja.example:80", "http://ninja.example"),
    ],
)
def test_an_address_has_one_form(typed: str, kept: str) -> None:
    assert ninjaone().normalize_url(typed) == kept


@pytest.mark.parametrize(
    "typed",
    ["", "ftp://x", "https://", "https://a b", "https://u:p@app.ninjarmm.com", "https://x:y", "https://."],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(ConfigError, match=r"\.$"):
        ninjaone().normalize_url(typed)


def test_regions_are_in_their_one_form() -> None:
    field = next(f for f in ninjaone().manifest.auth_modes[0].fields if f.name == "instance_url")
    assert len(field.choices) == 6
    for url, label in field.choices:
        assert ninjaone().normalize_url(url) == url
        assert label
