"""The layer around the application: request log, faults, the address that is asked, and the Date header."""

from __future__ import annotations

from flask import Flask, Response, request

from simulators.common.clock import http_date
from simulators.common.gateway import Gateway
from simulators.teams.lab import Lab
from simulators.teams.misbehaviour import CANNED


def install(app: Flask, lab: Lab) -> None:
    """Put the layer around the application."""

    @app.before_request
    def learn_address() -> None:
        lab.url = request.host_url.rstrip("/")

    @app.after_request
    def finish(reply: Response) -> Response:
        reply.headers["Date"] = http_date(lab.clock.now())
        return reply

    app.wsgi_app = Gateway(app.wsgi_app, lab, CANNED, lambda _: None)  # type: ignore[method-assign, assignment]
