"""A tiny HTTP server that stands for a vendor, in a process of its own, so that its work is not measured."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class JsonHandler(BaseHTTPRequestHandler):
    """Answers with JSON and says nothing of it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self) -> None:
        """Answer the request, whose body is read and dropped, by :meth:`send_json`."""
        raise NotImplementedError

    def do_GET(self) -> None:
        """Answer."""
        self.answer()

    def do_PATCH(self) -> None:
        """Answer."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.answer()

    def do_POST(self) -> None:
        """Answer."""
        self.do_PATCH()

    def send_json(self, length: int, pieces: Iterable[bytes]) -> None:
        """Answer 200 with a body of ``length`` bytes, piece by piece."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length))
        self.end_headers()
        for piece in pieces:
            self.wfile.write(piece)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def started(module: str, *arguments: str) -> Iterator[str]:
    """The address of the server that ``python -m module arguments…`` is, which calls :func:`serve`."""
    argv = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def serve(handler: type[JsonHandler]) -> None:
    """Print the address, on a free port, and answer until the process is ended."""
    server = listening(handler)
    print(address(server), flush=True)
    server.serve_forever()


def listening(handler: type[JsonHandler]) -> ThreadingHTTPServer:
    """A server on a free port; nothing is answered yet."""
    return ThreadingHTTPServer(("127.0.0.1", 0), handler)


def address(server: ThreadingHTTPServer) -> str:
    """Where it listens."""
    return f"http://127.0.0.1:{server.server_address[1]}"
