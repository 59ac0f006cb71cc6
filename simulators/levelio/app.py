"""The application: the vendor's addresses and the control page."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from simulators.levelio import alerts, automations, devices, gateway, groups, updates
from simulators.levelio.control import control_blueprint
from simulators.levelio.endpoints import add_endpoint
from simulators.levelio.fleet import FleetOptions
from simulators.levelio.lab import Lab
from simulators.levelio.opening import open_initial
from simulators.levelio.replies import ApiError, error_reply, missing

VENDOR_MODULES = (groups, devices, alerts, updates, automations)


def create_app(fleet: FleetOptions | None = None, *, alerts_at_start: int = 12, **settings: Any) -> Flask:
    """A complete simulated server. Its state is `app.extensions["levelio_lab"]`; `settings` are switches."""
    lab = Lab(fleet or FleetOptions())
    open_initial(lab, alerts_at_start)
    lab.settings.change(**settings)
    app = Flask(__name__, static_folder=None)
    app.extensions["levelio_lab"] = lab
    app.config["ALERTS_AT_START"] = alerts_at_start
    for module in VENDOR_MODULES:
        for endpoint in module.ENDPOINTS:
            add_endpoint(app, endpoint)
    app.register_blueprint(control_blueprint)
    gateway.install(app, lab)
    _install_errors(app)
    return app


def lab_of(app: Flask) -> Lab:
    """The state of an application made by create_app."""
    lab: Lab = app.extensions["levelio_lab"]
    return lab


def _install_errors(app: Flask) -> None:
    @app.errorhandler(404)
    def unknown(error: HTTPException) -> Response:
        return error_reply(missing("Page"))

    @app.errorhandler(Exception)
    def crashed(error: Exception) -> Any:
        if isinstance(error, HTTPException):
            return error
        app.logger.error("a view failed", exc_info=error)
        return error_reply(ApiError(500, {"error": "Internal server error"}))
