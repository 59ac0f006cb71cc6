"""The application: the vendor's addresses below any host, and the control page."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from simulators.huntress import (
    account,
    agents,
    escalations,
    gateway,
    incidents,
    organizations,
    reports,
)
from simulators.huntress.control import control_blueprint
from simulators.huntress.endpoints import add_address, authenticate
from simulators.huntress.fleet import FleetOptions
from simulators.huntress.lab import Lab
from simulators.huntress.opening import open_initial
from simulators.huntress.replies import ApiError, error_reply, refusal

VENDOR_MODULES = (account, organizations, agents, incidents, escalations, reports)


def create_app(
    fleet: FleetOptions | None = None,
    *,
    incidents_at_start: int = 12,
    escalations_at_start: int = 3,
    **settings: Any,
) -> Flask:
    """A complete simulated server. Its state is `app.extensions["huntress_lab"]`; `settings` are switches."""
    lab = Lab(fleet or FleetOptions())
    open_initial(lab, incidents_at_start, escalations_at_start)
    lab.settings.change(**settings)
    app = Flask(__name__, static_folder=None)
    app.extensions["huntress_lab"] = lab
    app.config["AT_START"] = (incidents_at_start, escalations_at_start)
    for module in VENDOR_MODULES:
        for address in module.ADDRESSES:
            add_address(app, address)
    app.register_blueprint(control_blueprint)
    app.add_url_rule("/", "portal", _portal)
    gateway.install(app, lab)
    _install_errors(app)
    return app


def lab_of(app: Flask) -> Lab:
    """The state of an application made by create_app."""
    lab: Lab = app.extensions["huntress_lab"]
    return lab


def _portal() -> Response:
    """Where links to incidents would lead."""
    return Response(
        "<!doctype html><title>Huntress simulator</title><h1>Huntress simulator</h1>"
        "<p>An incident's report would be here.</p>",
        mimetype="text/html",
    )


def _install_errors(app: Flask) -> None:
    @app.errorhandler(404)
    def unknown(error: HTTPException) -> Response:
        try:
            authenticate()
        except ApiError as refused:
            return error_reply(refused)
        return error_reply(refusal(404, "Not Found"))

    @app.errorhandler(Exception)
    def crashed(error: Exception) -> Any:
        if isinstance(error, HTTPException):
            return error
        app.logger.error("a view failed", exc_info=error)
        return error_reply(refusal(500, "Internal Server Error"))
