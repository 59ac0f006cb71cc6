"""The HTTP client of a vendor that counts requests: each one that leaves has its turn."""

from __future__ import annotations

import pytest

from rmm_extension.domain.errors import ProviderError, RateLimited, Unavailable
from rmm_extension.providers import http
from rmm_extension.providers.http import HttpClient
from rmm_extension.providers.no_answer import ConnectionRefused, NameNotFound
from tests.providers.conftest import RUNTIME
from tests.providers.wire import answer, serve


class Turns:
    """Counts the turns that were asked for, and refuses those behind the last."""

    def __init__(self, most: int = 100) -> None:
        self.taken = 0
        self.most = most

    def __call__(self) -> None:
        if self.taken == self.most:
            raise RateLimited("Not now.", retry_after=30.0, status=None)
        self.taken += 1


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BACKOFF", 0.0)


def client(url: str, turns: Turns, **options: int) -> HttpClient:
    return HttpClient(RUNTIME, url, pace=turns, **options)  # type: ignore[arg-type]


def test_one_request_has_one_turn() -> None:
    turns = Turns()
    with serve(answer(body=b"[7]")) as wire, client(wire.url, turns) as one:
        assert one.read("/x/").decode(list[int]) == [7]
        one.write("POST", "/x/", json={})
    assert (turns.taken, len(wire.heads)) == (2, 2)


@pytest.mark.parametrize("bad", [answer(502), answer(503, Retry_After="0"), answer(429, Retry_After="0")])
def test_each_repeat_of_a_read_has_a_turn_of_its_own(bad: bytes) -> None:
    turns = Turns()
    with (
        serve(lambda number: bad if number < 2 else answer(body=b"[7]")) as wire,
        client(wire.url, turns) as one,
    ):
        assert one.read("/x/").decode(list[int]) == [7]
    assert turns.taken == len(wire.heads) == 3


@pytest.mark.parametrize("times", [0, 1, 2])
def test_a_read_is_repeated_as_often_as_without_a_pace(times: int) -> None:
    turns = Turns()
    with (
        serve(answer(503)) as wire,
        client(wire.url, turns, retries=times) as one,
        pytest.raises(Unavailable),
    ):
        one.read("/x/")
    with (
        serve(answer(503)) as unpaced,
        HttpClient(RUNTIME, unpaced.url, retries=times) as other,
        pytest.raises(Unavailable),
    ):
        other.read("/x/")
    assert turns.taken == len(wire.heads) == len(unpaced.heads) == times + 1


def test_a_dropped_connection_is_asked_once_more() -> None:
    turns = Turns()
    with serve(b"") as wire, client(wire.url, turns) as one, pytest.raises(Unavailable):
        one.read("/x/")
    with serve(b"") as unpaced, HttpClient(RUNTIME, unpaced.url) as other, pytest.raises(Unavailable):
        other.read("/x/")
    assert turns.taken == len(wire.heads) == len(unpaced.heads) == 2


@pytest.mark.parametrize(
    "url, error",
    [("http://127.0.0.1:9", ConnectionRefused), ("http://nowhere.invalid", NameNotFound)],
)
def test_what_reaches_nobody_is_counted_as_often_as_it_is_tried(url: str, error: type[Exception]) -> None:
    turns = Turns()
    with client(url, turns) as one, pytest.raises(error):
        one.read("/x/")
    assert turns.taken == 1 + http.RETRIES


def test_a_body_that_was_cut_is_read_again_in_a_turn_of_its_own() -> None:
    turns, cut = Turns(), answer(body=b"[1, 2", Content_Length="900")
    with (
        serve(lambda number: cut if number == 0 else answer(body=b"[1]")) as wire,
        client(wire.url, turns) as one,
    ):
        assert one.read("/x/").decode(list[int]) == [1]
    assert turns.taken == len(wire.heads) == 2


def test_each_hop_has_a_turn() -> None:
    turns = Turns()
    with (
        serve(lambda number: answer(302, Location="/y/") if number == 0 else answer(body=b"[1]")) as wire,
        client(wire.url, turns) as one,
    ):
        assert one.read("/x/").decode(list[int]) == [1]
    assert turns.taken == len(wire.heads) == 2


@pytest.mark.parametrize("bad", [answer(503), answer(429, Retry_After="0"), b""])
def test_a_write_is_not_repeated(bad: bytes) -> None:
    turns = Turns()
    with serve(bad) as wire, client(wire.url, turns) as one, pytest.raises(ProviderError):
        one.write("POST", "/x/", json={})
    assert turns.taken == len(wire.heads) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_long_wait_goes_back_to_the_job(status: int) -> None:
    turns = Turns()
    bad = answer(status, Retry_After="3600")
    with serve(bad) as wire, client(wire.url, turns) as one, pytest.raises((RateLimited, Unavailable)):
        one.read("/x/")
    assert turns.taken == len(wire.heads) == 1


def test_a_turn_that_is_refused_sends_nothing() -> None:
    turns = Turns(most=1)
    with serve(answer(503)) as wire, client(wire.url, turns) as one, pytest.raises(RateLimited) as caught:
        one.read("/x/")
    assert (len(wire.heads), caught.value.status, caught.value.retry_after) == (1, None, 30.0)


def test_a_request_that_was_cancelled_while_it_waited_is_not_sent() -> None:
    with (
        serve(answer()) as wire,
        HttpClient(RUNTIME, wire.url, pace=lambda: one.cancel()) as one,
        pytest.raises(Unavailable, match="cancelled"),
    ):
        one.read("/x/")
    assert wire.heads == []
