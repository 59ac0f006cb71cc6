"""A WSGI application on a real port, in a thread of this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class QuietHandler(WSGIRequestHandler):
    """Says nothing about requests."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the name werkzeug gives it
        """Drop the line."""


class _Attended:
    """An application whose answers are all closed, and that gives none any more once it has ended.

    PEP 3333 asks a server to close what it was given. werkzeug's does not where the reader resets the
    connection behind the last byte, as a browser does with the tab it closes: the file of that answer stayed
    open until it was collected, with a warning that fails whichever test runs then. Nor does it wait for its
    threads: one that still answered while the test put its database away left a connection open, to the same
    end.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._open = 0
        self._ended = False
        self._changed = threading.Condition()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        with self._changed:
            if self._ended:
                start_response("503 Service Unavailable", [])
                return
            self._open += 1
        try:
            answer = self._app(environ, start_response)
            try:
                yield from answer
            finally:
                close = getattr(answer, "close", None)
                if close is not None:
                    close()
        finally:
            with self._changed:
                self._open -= 1
                self._changed.notify_all()

    def end(self, seconds: float = 30.0) -> None:
        """Wait for the answers under way; AssertionError where one takes longer."""
        with self._changed:
            self._ended = True
            done = self._changed.wait_for(lambda: self._open == 0, seconds)
        assert done, f"an answer was still under way after {seconds:g} s"


@contextmanager
def serving(app: WSGIApplication, port: int = 0) -> Iterator[str]:
    """Serve an application on the loopback address and yield its address, without a slash at the end."""
    attended = _Attended(app)
    server = make_server("127.0.0.1", port, attended, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        attended.end()
