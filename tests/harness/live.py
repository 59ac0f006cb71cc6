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


def _closing(app: WSGIApplication) -> WSGIApplication:
    """Close every answer, which PEP 3333 asks of a server.

    werkzeug's does not where the reader resets the connection behind the last byte, as a browser does with
    the tab it closes: the file of that answer stayed open until it was collected, with a warning that fails
    whichever test runs then.
    """

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        answer = app(environ, start_response)
        try:
            yield from answer
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()

    return serve


@contextmanager
def serving(app: WSGIApplication, port: int = 0) -> Iterator[str]:
    """Serve an application on the loopback address and yield its address, without a slash at the end."""
    server = make_server("127.0.0.1", port, _closing(app), threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
