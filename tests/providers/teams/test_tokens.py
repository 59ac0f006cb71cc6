"""The tokens of the app: asked for once, kept together, renewed ahead of their end and when refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import jwt
import msgspec
import pytest
import responses

from rmm_extension.domain.errors import AuthFailed, BadResponse, PermissionMissing, RateLimited, Unavailable
from rmm_extension.domain.sessions import MemorySessions, SessionToken, SignIn
from rmm_extension.providers.teams.errors import ApplicationRefused, DirectoryUnknown
from rmm_extension.providers.teams.tokens import Service, Ticket, TokenSession, app_of, granted
from tests.providers.teams.accounts import (
    APP_ID,
    DIRECTORY,
    LOGIN,
    SECRET,
    TOKEN,
    connection,
    gives_token,
    provider,
    says,
)

HERE = f"{LOGIN}/{DIRECTORY}/oauth2/v2.0/token"
BOTS = f"{LOGIN}/botframework.com/oauth2/v2.0/token"


def _session(sessions: Any, service: Service = Service.BOT, mode: str = "single_tenant") -> TokenSession:
    on = msgspec.structs.replace(connection(mode), sessions=sessions)
    return TokenSession(on, app_of(provider().runtime, on), service)


def _asked() -> list[tuple[str, str]]:
    found = []
    for call in responses.calls:
        form = parse_qs(str(call.request.body))
        found.append((str(call.request.url), form["scope"][0].removeprefix("https://")))
    return found


@responses.activate
@pytest.mark.parametrize(
    "mode, service, url",
    [
        ("single_tenant", Service.BOT, HERE),
        ("single_tenant", Service.GRAPH, HERE),
        ("multi_tenant", Service.BOT, BOTS),
        ("multi_tenant", Service.GRAPH, HERE),
    ],
)
def test_each_token_comes_from_its_directory(mode: str, service: Service, url: str) -> None:
    says(url, {"access_token": TOKEN, "expires_in": 3600})
    assert _session(None, service, mode).headers() == {"Authorization": f"Bearer {TOKEN}"}
    form = parse_qs(str(responses.calls[0].request.body))
    assert form == {
        "grant_type": ["client_credentials"],
        "client_id": [APP_ID],
        "client_secret": [SECRET],
        "scope": [service.value],
    }


@responses.activate
def test_a_token_is_kept_for_everybody_who_works_with_the_connection() -> None:
    gives_token()
    kept = MemorySessions()
    for _ in range(3):
        _session(kept).headers()
    assert _asked() == [(HERE, "api.botframework.com/.default")]


@responses.activate
def test_both_tokens_are_kept_together() -> None:
    gives_token()
    kept = MemorySessions()
    for service in (Service.BOT, Service.GRAPH, Service.BOT, Service.GRAPH):
        _session(kept, service).headers()
    assert [scope for _, scope in _asked()] == [
        "api.botframework.com/.default",
        "graph.microsoft.com/.default",
    ]


@responses.activate
def test_a_token_near_its_end_is_renewed_and_the_other_stays() -> None:
    gives_token(seconds=3600)
    kept = MemorySessions()
    _session(kept, Service.GRAPH).headers()
    _session(kept).headers()
    token = kept.current()
    assert token is not None
    tickets = msgspec.json.decode(token.value, type=dict[str, Ticket])
    assert timedelta(minutes=54) < tickets[Service.BOT].renew_at - datetime.now(UTC) <= timedelta(minutes=55)
    tickets[Service.BOT] = Ticket(value="old", renew_at=datetime.now(UTC) - timedelta(seconds=1))
    ending = MemorySessions(SessionToken(value=msgspec.json.encode(tickets).decode()))
    assert _session(ending).headers() == {"Authorization": f"Bearer {TOKEN}"}
    _session(ending, Service.GRAPH).headers()
    assert len(responses.calls) == 3


@responses.activate
def test_a_short_lived_token_is_used_for_half_of_its_life() -> None:
    gives_token(seconds=60)
    kept = MemorySessions()
    _session(kept).headers()
    _session(kept).headers()
    assert len(responses.calls) == 1


@responses.activate
def test_a_refused_token_is_renewed_once_and_only_where_nobody_else_did() -> None:
    gives_token(value="first")
    gives_token(value="second")
    kept = MemorySessions()
    one, other = _session(kept), _session(kept)
    one.headers()
    other.headers()
    one.renew()
    other.renew()
    assert one.headers() == other.headers() == {"Authorization": "Bearer second"}
    assert len(responses.calls) == 2


class Racing(MemorySessions):
    """Somebody else stores the token of the other service each time before us, so many times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.left = times

    def renew(self, stale: str | None, sign_in: SignIn) -> SessionToken:
        if self.left:
            self.left -= 1
            ticket = Ticket(value=f"graph{self.left}", renew_at=datetime.now(UTC) + timedelta(hours=1))
            self._token = SessionToken(value=msgspec.json.encode({Service.GRAPH: ticket}).decode())
        return super().renew(stale, sign_in)


@responses.activate
def test_a_session_renewed_for_the_other_service_meanwhile_is_gone_on_from() -> None:
    gives_token()
    kept = Racing(1)
    assert _session(kept).headers() == {"Authorization": f"Bearer {TOKEN}"}
    token = kept.current()
    assert token is not None
    assert set(msgspec.json.decode(token.value)) == set(Service)


def test_a_session_that_is_always_taken_away_is_an_error_and_no_loop() -> None:
    with pytest.raises(AuthFailed, match=r"\.$"):
        _session(Racing(99)).headers()


@responses.activate
@pytest.mark.parametrize("stored", ["", "x", "[]", '{"https://api.botframework.com/.default": 5}'])
def test_a_kept_session_of_another_shape_is_replaced(stored: str) -> None:
    gives_token()
    kept = MemorySessions(SessionToken(value=stored))
    assert _session(kept).headers() == {"Authorization": f"Bearer {TOKEN}"}


@responses.activate
@pytest.mark.parametrize(
    "status, error, number, kind, words",
    [
        (401, "invalid_client", 7000215, ApplicationRefused, "client secret"),
        (401, "invalid_client", 7000222, ApplicationRefused, "expired"),
        (400, "unauthorized_client", 700016, DirectoryUnknown, "does not know the app"),
        (400, "invalid_request", 90002, DirectoryUnknown, "no directory"),
        (400, "invalid_request", 900023, DirectoryUnknown, "no directory"),
        (400, "invalid_grant", 53003, ApplicationRefused, "AADSTS53003"),
        (400, "invalid_scope", 0, ApplicationRefused, "does not accept"),
    ],
)
def test_what_entra_refuses_is_said_in_words(
    status: int, error: str, number: int, kind: type[AuthFailed], words: str
) -> None:
    described = f"AADSTS{number}: Something about {SECRET}. Trace ID: 1" if number else ""
    says(HERE, {"error": error, "error_description": described}, status)
    with pytest.raises(kind, match=words) as caught:
        _session(None).headers()
    assert SECRET not in f"{caught.value!r} {vars(caught.value)}"
    assert caught.value.status == status


@responses.activate
def test_a_bot_that_is_not_known_where_people_are_writes_all_the_same() -> None:
    """It would be no reason to stop its messages: the session of the bot is another directory's."""
    gives_token("botframework.com")
    says(HERE, {"error": "unauthorized_client", "error_description": "AADSTS700016: no"}, 400)
    kept = MemorySessions()
    with pytest.raises(PermissionMissing, match="consent"):
        _session(kept, Service.GRAPH, "multi_tenant").headers()
    assert _session(kept, Service.BOT, "multi_tenant").headers() == {"Authorization": f"Bearer {TOKEN}"}
    with pytest.raises(DirectoryUnknown):
        _session(kept, Service.GRAPH).headers()
    on = connection("multi_tenant")
    assert [line.state for line in provider().permissions(on)] == ["ok", "not_checked", "missing"]


@responses.activate
@pytest.mark.parametrize(
    "body, status, kind",
    [
        ({"error": "temporarily_unavailable"}, 503, Unavailable),
        ({"error": "x"}, 429, RateLimited),
        ("<html>Sign in</html>", 200, BadResponse),
        ({"access_token": ""}, 200, BadResponse),
        ({"access_token": "two words\n"}, 200, BadResponse),
        ({"token": "x"}, 200, BadResponse),
    ],
)
def test_what_is_no_refusal_is_no_reason_to_call_a_person(body: Any, status: int, kind: type) -> None:
    says(HERE, body, status)
    with pytest.raises(kind):
        _session(None).headers()


@pytest.mark.parametrize(
    "value, expected",
    [
        (jwt.encode({"roles": ["TeamsActivity.Send"]}, "k" * 32), ("TeamsActivity.Send",)),
        (jwt.encode({"x": 1}, "k" * 32), ()),
        (jwt.encode({"roles": "TeamsActivity.Send"}, "k" * 32), None),
        ("opaque", None),
        ("a.b.c", None),
    ],
)
def test_what_a_token_allows_is_read_where_it_tells(value: str, expected: object) -> None:
    assert granted(Ticket(value=value, renew_at=datetime.now(UTC))) == expected


@responses.activate
def test_nothing_that_holds_a_token_shows_it() -> None:
    gives_token()
    kept = MemorySessions()
    session = _session(kept)
    session.headers()
    shown = [repr(session), repr(kept.current()), repr(Ticket(value=TOKEN, renew_at=datetime.now(UTC)))]
    assert not any(TOKEN in text for text in shown)
    assert session.secrets() == (TOKEN,)
