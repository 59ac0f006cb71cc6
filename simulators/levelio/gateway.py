"""The layer around the application: request log, faults, planned changes and the Date header."""

from __future__ import annotations

from flask import Flask, Response

from simulators.common.clock import http_date
from simulators.common.gateway import Gateway
from simulators.levelio.lab import Lab
from simulators.levelio.misbehaviour import CANNED


def install(app: Flask, lab: Lab) -> None:
    """Put the layer around the application."""

    @app.after_request
    def finish(reply: Response) -> Response:
        reply.headers["Date"] = http_date(lab.clock.now())
        return reply

    app.wsgi_app = Gateway(  # type: ignore[method-assign, assignment]
        app.wsgi_app, lab, CANNED, lambda path: lab.schedule.answered(path)
    )
