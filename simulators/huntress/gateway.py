"""The layers around the application: the meter of the rate limit, request log, faults and the Date header."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response

from simulators.common.clock import http_date
from simulators.common.gateway import Gateway
from simulators.common.misbehaviour import WsgiApp
from simulators.huntress.lab import Lab
from simulators.huntress.misbehaviour import CANNED

REFUSED = "huntress.refused"
"""Set in the environment of a request that is one too many."""


class Metered:
    """Counts every request of the account before anything else happens to it, faults included."""

    def __init__(self, inner: WsgiApp, lab: Lab) -> None:
        self.inner = inner
        self.lab = lab

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith("/v1/"):
            with self.lab.lock:
                environ[REFUSED] = not self._admitted(environ)
        return self.inner(environ, start)

    def _admitted(self, environ: dict[str, Any]) -> bool:
        if self.lab.credential_of(environ) is None:
            return True
        switches = self.lab.settings
        return self.lab.meter.admit(
            self.lab.now(), switches.rate_limit, switches.rate_window, enforced=switches.rate_enforced
        )


def install(app: Flask, lab: Lab) -> None:
    """Put the layers around the application."""

    @app.after_request
    def finish(reply: Response) -> Response:
        reply.autocorrect_location_header = False
        reply.headers["Date"] = http_date(lab.clock.now())
        return reply

    inside = Gateway(app.wsgi_app, lab, CANNED, lab.schedule_answered)
    app.wsgi_app = Metered(inside, lab)  # type: ignore[method-assign, assignment]
