"""The server that browser tests read from."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.harness.live import serving
from tests.harness.wait import until

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class Answer:
    """Counts itself among the closed ones."""

    def __init__(self, closed: list[Answer]) -> None:
        self._closed = closed

    def __iter__(self) -> Iterator[bytes]:
        yield b"all of it"

    def close(self) -> None:
        self._closed.append(self)


def test_an_answer_is_closed_whose_reader_resets_the_connection() -> None:
    closed: list[Answer] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Answer:
        start_response("200 OK", [("Content-Length", "9")])
        return Answer(closed)

    asked = 50
    with serving(app) as base:
        for _ in range(asked):
            with socket.create_connection(("127.0.0.1", _port(base))) as reader:
                reader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
                reader.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
                reader.recv(1)
        until(lambda: len(closed) == asked, "every answer was closed")


def test_an_answer_under_way_is_waited_for() -> None:
    begun, left = threading.Event(), threading.Event()
    answered: list[str] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        begun.set()
        answered.append("too late" if left.wait(0.3) else "in time")
        start_response("200 OK", [])
        return [b""]

    with serving(app) as base:
        reader = _asking(base)
        assert begun.wait(20)
    left.set()
    reader.close()
    assert answered == ["in time"]


def test_a_request_that_comes_when_all_is_over_is_not_answered_by_the_application() -> None:
    called: list[str] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        called.append(environ["PATH_INFO"])
        start_response("200 OK", [])
        return [b""]

    with serving(app) as base:
        with _asking(base) as reader:
            assert reader.recv(12) == b"HTTP/1.1 200"
        idle = socket.create_connection(("127.0.0.1", _port(base)))
        # The server takes connections in their order: behind this answer it has the idle one, too.
        with _asking(base) as reader:
            assert reader.recv(12) == b"HTTP/1.1 200"
    idle.sendall(b"GET /late HTTP/1.1\r\nHost: here\r\n\r\n")
    with idle:
        assert idle.recv(12) == b"HTTP/1.1 503"
    assert called == ["/", "/"]


def _port(base: str) -> int:
    return int(base.rsplit(":", 1)[1])


def _asking(base: str) -> socket.socket:
    reader = socket.create_connection(("127.0.0.1", _port(base)), timeout=20)
    reader.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
    return reader
