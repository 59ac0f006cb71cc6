"""A client whose requests are signed with a session: signing in, renewing once, repeating once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from rmm_extension.domain.errors import AuthFailed, BadResponse, RateLimited, Unavailable
from rmm_extension.domain.sessions import MemorySessions, SessionToken
from rmm_extension.providers.http import HttpClient
from rmm_extension.providers.session import VendorSession
from tests.providers.conftest import RUNTIME
from tests.providers.wire import Wire, answer, serve

GOOD, GONE = answer(200, b'"well"'), answer(401, b'{"detail": "Invalid token."}')


class Vendor:
    """Gives tokens 1, 2, 3…, and remembers which one each was made in place of."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []

    def __call__(self, ended: SessionToken | None) -> SessionToken:
        self.asked.append(ended.value if ended else None)
        return SessionToken(value=f"SECRET-TOKEN-{len(self.asked)}")


def client(wire: Wire, vendor: Callable[..., SessionToken], token: str | None = None) -> HttpClient:
    kept = MemorySessions(SessionToken(value=token) if token else None)
    return HttpClient(RUNTIME, wire.url, session=VendorSession(kept, vendor, scheme="Token"))


def signed(wire: Wire) -> list[str]:
    """The tokens of the requests, in their order."""
    lines = [line for head in wire.heads for line in head.splitlines()]
    return [line.split()[-1] for line in lines if line.lower().startswith("authorization: token ")]


def in_turn(*answers: bytes) -> Callable[[int], bytes]:
    return lambda number: answers[min(number, len(answers) - 1)]


def test_it_signs_in_once_where_nobody_has() -> None:
    vendor = Vendor()
    with serve(GOOD) as wire, client(wire, vendor) as http:
        assert http.read("/a").decode(str) == "well"
        http.write("POST", "/b", json={})
    assert vendor.asked == [None]
    assert signed(wire) == ["SECRET-TOKEN-1"] * 2


def test_a_token_that_is_there_is_used_without_signing_in() -> None:
    vendor = Vendor()
    with serve(GOOD) as wire, client(wire, vendor, "kept") as http:
        http.read("/a")
    assert vendor.asked == []
    assert signed(wire) == ["kept"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_session_that_ended_is_renewed_and_the_request_sent_again(method: str) -> None:
    vendor = Vendor()
    with serve(in_turn(GONE, GOOD)) as wire, client(wire, vendor, "old") as http:
        reply = http.read("/a") if method == "GET" else http.write("POST", "/a", json={"to": "do"})
        assert reply.decode(str) == "well"
    assert vendor.asked == ["old"]
    assert signed(wire) == ["old", "SECRET-TOKEN-1"]
    if method == "POST":
        assert wire.bodies == [b'{"to": "do"}'] * 2


def test_a_body_that_is_read_in_pieces_is_asked_for_again_too() -> None:
    vendor = Vendor()
    with serve(in_turn(GONE, GOOD)) as wire, client(wire, vendor, "old") as http, http.stream("/a") as reply:
        assert b"".join(reply.pieces) == b'"well"'
    assert signed(wire) == ["old", "SECRET-TOKEN-1"]


def test_a_second_refusal_is_the_end() -> None:
    vendor = Vendor()
    with serve(GONE) as wire, client(wire, vendor, "old") as http, pytest.raises(AuthFailed):
        http.read("/a")
    assert vendor.asked == ["old"]
    assert len(wire.heads) == 2


@pytest.mark.parametrize("error", [AuthFailed("No."), RateLimited("Later.", retry_after=57)])
def test_a_refused_sign_in_is_not_tried_again(error: Exception) -> None:
    asked = []

    def vendor(ended: SessionToken | None) -> SessionToken:
        asked.append(ended)
        raise error

    with serve(GONE) as wire, client(wire, vendor, "old") as http, pytest.raises(type(error)):
        http.read("/a")
    assert len(asked) == 1
    assert len(wire.heads) == 1


def test_a_sign_in_whose_answer_is_cut_off_is_not_tried_again_by_the_read_that_waits_for_it() -> None:
    cut = answer(200, b'{"token":', Content_Length="500")
    with serve(cut) as door, serve(GOOD) as wire:

        def vendor(ended: SessionToken | None) -> SessionToken:
            with HttpClient(RUNTIME, door.url) as http:
                http.write("POST", "/login", json={})
            raise AssertionError("a cut answer is no answer")

        with client(wire, vendor) as http, pytest.raises(Unavailable):
            http.read("/a")
    assert len(door.heads) == 1
    assert wire.heads == []


def test_no_text_holds_a_token() -> None:
    with serve(GOOD) as wire, client(wire, Vendor()) as http:
        http.read("/a")
        assert http.redact("it said SECRET-TOKEN-1 twice") == "it said ••• twice"
        assert "SECRET" not in repr(http)


def ends_in(minutes: float, ahead: float = 5) -> SessionToken:
    """A token that lasts for so long, and is renewed so many minutes before."""
    end = datetime.now(UTC) + timedelta(minutes=minutes)
    return SessionToken(value="kept", expires_at=end, renew_at=end - timedelta(minutes=ahead))


def ahead(wire: Wire, vendor: Callable[..., SessionToken], token: SessionToken) -> HttpClient:
    return HttpClient(RUNTIME, wire.url, session=VendorSession(MemorySessions(token), vendor, scheme="Token"))


def test_a_token_near_its_end_is_renewed_before_it_is_refused() -> None:
    vendor = Vendor()
    with serve(GOOD) as wire, ahead(wire, vendor, ends_in(4)) as http:
        http.read("/a")
        http.read("/b")
    assert vendor.asked == ["kept"]
    assert signed(wire) == ["SECRET-TOKEN-1"] * 2


@pytest.mark.parametrize(
    "token",
    [ends_in(60 * 24), SessionToken(value="kept", expires_at=datetime(2001, 1, 1, tzinfo=UTC))],
    ids=["its end is far", "it does not say when, for use moves its end"],
)
def test_any_other_token_is_used_until_it_is_refused(token: SessionToken) -> None:
    vendor = Vendor()
    with serve(GOOD) as wire, ahead(wire, vendor, token) as http:
        http.read("/a")
    assert vendor.asked == []
    assert signed(wire) == ["kept"]


PASSING = [
    Unavailable("Away."),
    RateLimited("Later.", retry_after=57),
    BadResponse("What is that?"),
]


@pytest.mark.parametrize("error", PASSING)
def test_a_renewal_that_fails_ahead_of_time_stops_nobody(error: Exception) -> None:
    asked = []

    def vendor(ended: SessionToken | None) -> SessionToken:
        asked.append(ended)
        raise error

    with serve(GOOD) as wire, ahead(wire, vendor, ends_in(4)) as http:
        http.read("/a")
        http.read("/b")
    assert len(asked) == 1, "it is not asked for with every request"
    assert signed(wire) == ["kept"] * 2


@pytest.mark.parametrize(
    "error, minutes", [(AuthFailed("Withdrawn."), 4), *((error, -1) for error in PASSING)]
)
def test_a_refused_renewal_or_a_token_that_has_ended_stops_at_once(error: Exception, minutes: float) -> None:
    def vendor(ended: SessionToken | None) -> SessionToken:
        raise error

    with serve(GOOD) as wire, ahead(wire, vendor, ends_in(minutes)) as http, pytest.raises(type(error)):
        http.read("/a")
    assert wire.heads == []
