"""The layer around the application: request log, faults, drift and the Date header."""

from __future__ import annotations

from flask import Flask, Response

from simulators.common.clock import http_date
from simulators.common.gateway import Gateway
from simulators.ninjaone.drift import run_scheduled
from simulators.ninjaone.lab import Lab
from simulators.ninjaone.misbehaviour import CANNED


def install(app: Flask, lab: Lab) -> None:
    """Put the layer around the application."""

    @app.after_request
    def finish(reply: Response) -> Response:
        reply.autocorrect_location_header = False
        reply.headers["Date"] = http_date(lab.clock.now())
        return reply

    app.wsgi_app = Gateway(  # type: ignore[method-assign, assignment]
        app.wsgi_app, lab, CANNED, lambda path: run_scheduled(lab, path)
    )
