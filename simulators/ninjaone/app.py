"""The application: the vendor's addresses below any host, sign-in pages and the control page."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from simulators.ninjaone import (
    actions,
    activities,
    alerts,
    devices,
    gateway,
    jobs,
    maintenance,
    organizations,
    reports,
    webhook,
)
from simulators.ninjaone.consent import consent_blueprint
from simulators.ninjaone.control import control_blueprint
from simulators.ninjaone.endpoints import add_endpoint
from simulators.ninjaone.fleet import FleetOptions
from simulators.ninjaone.keys import REDIRECT_URIS
from simulators.ninjaone.lab import Lab
from simulators.ninjaone.oauth import oauth_blueprint
from simulators.ninjaone.opening import open_initial
from simulators.ninjaone.replies import error_reply, refusal

VENDOR_MODULES = (
    organizations,
    devices,
    reports,
    alerts,
    activities,
    webhook,
    actions,
    maintenance,
    jobs,
)


def create_app(
    fleet: FleetOptions | None = None,
    *,
    redirect_uris: tuple[str, ...] = REDIRECT_URIS,
    alerts_at_start: int = 18,
    **settings: Any,
) -> Flask:
    """A complete simulated server. Its state is `app.extensions["ninjaone_lab"]`; `settings` are switches."""
    lab = Lab(fleet or FleetOptions(), redirect_uris)
    open_initial(lab, alerts_at_start)
    lab.settings.change(**settings)
    app = Flask(__name__, static_folder=None)
    app.extensions["ninjaone_lab"] = lab
    app.config["ALERTS_AT_START"] = alerts_at_start
    for module in VENDOR_MODULES:
        for endpoint in module.ENDPOINTS:
            add_endpoint(app, endpoint)
    for blueprint in (oauth_blueprint, consent_blueprint, control_blueprint):
        app.register_blueprint(blueprint)
    app.add_url_rule("/", "dashboard", _dashboard)
    gateway.install(app, lab)
    _install_errors(app)
    return app


def lab_of(app: Flask) -> Lab:
    """The state of an application made by create_app."""
    lab: Lab = app.extensions["ninjaone_lab"]
    return lab


def _dashboard() -> Response:
    """Where links to devices lead. Which device stands behind the `#`, which no browser sends."""
    return Response(
        "<!doctype html><title>NinjaOne simulator</title><h1>NinjaOne simulator</h1>"
        "<p>A device's dashboard would be here.</p>",
        mimetype="text/html",
    )


def _install_errors(app: Flask) -> None:
    @app.errorhandler(404)
    def unknown(error: HTTPException) -> Response:
        return error_reply(refusal(404, "NOT_FOUND", "Not found"))

    @app.errorhandler(Exception)
    def crashed(error: Exception) -> Any:
        if isinstance(error, HTTPException):
            return error
        app.logger.error("a view failed", exc_info=error)
        return error_reply(refusal(500, "FAILURE", "Internal server error"))
