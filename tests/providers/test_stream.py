"""Reading a body in pieces."""

from __future__ import annotations

import gzip
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rmm_extension.domain.errors import BadResponse, PermissionMissing, RateLimited, Unavailable
from rmm_extension.providers import http
from rmm_extension.providers.http import HttpClient
from rmm_extension.providers.no_answer import TimedOut
from tests.providers.conftest import RUNTIME
from tests.providers.wire import answer, serve

LARGE = b"[" + b"1," * 3_000_000 + b"1]"
"""More than a piece."""


def client(url: str, **options: object) -> HttpClient:
    return HttpClient(RUNTIME, url, **options)  # type: ignore[arg-type]


def test_a_large_body_comes_in_pieces() -> None:
    with serve(answer(body=LARGE)) as wire, client(wire.url) as one, one.stream("/x/") as reply:
        pieces = list(reply.pieces)
    assert b"".join(pieces) == LARGE
    assert max(map(len, pieces)) <= 2**20


def test_an_empty_body_is_one_empty_piece() -> None:
    with serve(answer(body=b"")) as wire, client(wire.url) as one, one.stream("/x/") as reply:
        assert b"".join(reply.pieces) == b""


def test_a_packed_body_is_unpacked() -> None:
    packed = answer(body=gzip.compress(LARGE), Content_Encoding="gzip")
    with serve(packed) as wire, client(wire.url) as one, one.stream("/x/") as reply:
        assert b"".join(reply.pieces) == LARGE


def test_the_beginning_is_repeated_like_any_read() -> None:
    with (
        serve(lambda number: answer(503) if number == 0 else answer(body=b"[7]")) as wire,
        client(wire.url) as one,
        one.stream("/x/") as reply,
    ):
        assert b"".join(reply.pieces) == b"[7]"
    assert len(wire.heads) == 2


def test_a_body_that_breaks_off_is_not_begun_again() -> None:
    cut = answer(body=LARGE, Content_Length=str(len(LARGE) + 1))
    with serve(cut) as wire, client(wire.url) as one, one.stream("/x/") as reply:
        pieces = reply.pieces
        next(pieces)
        with pytest.raises(Unavailable, match="cut off"):
            list(pieces)
    assert len(wire.heads) == 1


def test_what_is_no_success_is_an_error_before_the_block() -> None:
    with serve(answer(403, b"{}")) as wire, client(wire.url) as one, pytest.raises(PermissionMissing):
        one.stream("/x/").__enter__()
    later = answer(429, b"{}", Retry_After="99")
    with serve(later) as wire, client(wire.url) as one, pytest.raises(RateLimited):
        one.stream("/x/").__enter__()


def test_redirects_stay_within_the_server() -> None:
    def redirect(number: int) -> bytes:
        return answer(302, Location="/y/") if number == 0 else answer(body=b"[7]")

    with serve(redirect) as wire, client(wire.url) as one, one.stream("/x/") as reply:
        assert b"".join(reply.pieces) == b"[7]"
    away = answer(302, Location="http://127.0.0.2:1/")
    with serve(away) as wire, client(wire.url) as one, pytest.raises(BadResponse, match="redirects to"):
        one.stream("/x/").__enter__()


def test_a_body_above_the_limit_ends_with_an_error() -> None:
    with (
        serve(answer(body=LARGE)) as wire,
        client(wire.url) as one,
        one.stream("/x/", max_body=2**21) as reply,
        pytest.raises(BadResponse, match="too large"),
    ):
        list(reply.pieces)


def test_waiting_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_STREAM_SECONDS", -1.0)
    with serve(answer(body=LARGE)) as wire, client(wire.url) as one, pytest.raises(TimedOut):
        one.stream("/x/").__enter__()


def test_cancelling_ends_it_at_the_next_piece() -> None:
    with serve(answer(body=LARGE)) as wire, client(wire.url) as one, one.stream("/x/") as reply:
        pieces = reply.pieces
        next(pieces)
        one.cancel()
        with pytest.raises(Unavailable):
            list(pieces)


def test_leaving_the_block_lets_go_of_the_answer() -> None:
    with serve(answer(body=LARGE)) as wire, client(wire.url) as one:
        with one.stream("/x/") as reply:
            next(reply.pieces)
        with one.stream("/x/") as reply:
            assert b"".join(reply.pieces) == LARGE
    assert len(wire.heads) == 2


def test_nothing_of_it_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    secret = "S3CRET-KEY-0123456789"
    caplog.set_level(logging.DEBUG)
    with (
        serve(answer(body=secret.encode())) as wire,
        client(wire.url, headers={"X-API-KEY": secret}, secrets=(secret,)) as one,
        one.stream("/x/") as reply,
    ):
        assert secret not in repr(reply)
    assert secret not in caplog.text


def test_a_body_that_only_drips_does_not_keep_us(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk that never fills is not waited for, only what comes."""
    monkeypatch.setattr(http, "MAX_STREAM_SECONDS", 0.0)
    with dripping() as url, client(url, retries=0) as one, pytest.raises(TimedOut, match="took too long"):
        one.stream("/x/").__enter__()


@contextmanager
def dripping() -> Iterator[str]:
    """A server that sends the first sign of a long body and holds the rest back until the block ends."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer(body=b"[", Content_Length="1000000"))
                over.wait(60)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            thread.join(5)
