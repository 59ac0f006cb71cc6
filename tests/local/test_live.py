"""The server that browser tests read from."""

from __future__ import annotations

import socket
import struct
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
            with socket.create_connection(("127.0.0.1", int(base.rsplit(":", 1)[1]))) as reader:
                reader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
                reader.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
                reader.recv(1)
        until(lambda: len(closed) == asked, "every answer was closed")
