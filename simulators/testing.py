"""Run a simulator inside the test process, on a free port of the loopback interface."""

from __future__ import annotations

import threading
from collections.abc import Callable

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server


class _QuietHandler(WSGIRequestHandler):
    """Request handler that writes no access log."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the parent's name for it
        """Drop the line: the simulators keep a request log of their own."""

    def send_response(self, code: int, message: str | None = None) -> None:
        """Without the date that werkzeug adds: the simulators send that of their own clock."""
        self.send_response_only(code, message)


def serve_in_thread(app: Flask, host: str = "127.0.0.1") -> tuple[str, Callable[[], None]]:
    """Serve `app` from a thread; returns its base URL (no trailing slash) and a function that stops it."""
    server = make_server(host, 0, app, threaded=True, request_handler=_QuietHandler)
    server.daemon_threads = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()

    return f"http://{host}:{server.server_port}", stop
