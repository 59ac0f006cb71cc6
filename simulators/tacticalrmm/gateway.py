"""The layer around the application: request log, faults, beta switch, redirects and the Date header."""

from __future__ import annotations

from flask import Flask, Response, request
from werkzeug.routing import RequestRedirect

from simulators.common.clock import http_date
from simulators.common.gateway import CONTROL, Gateway
from simulators.tacticalrmm.drift import run_scheduled
from simulators.tacticalrmm.lab import Lab
from simulators.tacticalrmm.misbehaviour import CANNED
from simulators.tacticalrmm.replies import not_routed


def before(lab: Lab) -> Response | None:
    """Answers given before any credentials are looked at."""
    if request.path.startswith("/beta/") and not lab.beta_enabled:
        return not_routed()
    if isinstance(request.routing_exception, RequestRedirect):
        query = request.query_string.decode()
        location = request.path + "/" + (f"?{query}" if query else "")
        return Response("", 301, {"Location": location, "Content-Type": "text/html; charset=utf-8"})
    return None


def install(app: Flask, lab: Lab) -> None:
    """Put the layer around the application."""
    app.before_request(lambda: before(lab))

    @app.after_request
    def finish(reply: Response) -> Response:
        reply.autocorrect_location_header = False
        reply.headers["Date"] = http_date(lab.clock.now())
        if not request.path.startswith(CONTROL):
            reply.headers.setdefault("Vary", "origin")
        return reply

    app.wsgi_app = Gateway(  # type: ignore[method-assign, assignment]
        app.wsgi_app, lab, CANNED, lambda path: run_scheduled(lab, path)
    )
