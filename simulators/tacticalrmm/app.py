"""The application: the vendor's addresses, the error pages and the control page."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter

from simulators.tacticalrmm import actions, agents, alerts, beta, clients, core, gateway, login, scripts
from simulators.tacticalrmm.control import control_blueprint
from simulators.tacticalrmm.endpoints import add_endpoint
from simulators.tacticalrmm.fleet import FleetOptions
from simulators.tacticalrmm.lab import Lab
from simulators.tacticalrmm.opening import open_initial_alerts
from simulators.tacticalrmm.replies import Crash, not_routed, server_error
from simulators.tacticalrmm.wiring import set_webhook

VENDOR_MODULES = (login, beta, agents, clients, core, alerts, scripts, actions)


class AgentIdConverter(BaseConverter):
    """An agent_id in an address has at least 21 characters; anything shorter is not routed."""

    regex = "[^/]{20}[^/]+"


def create_app(
    fleet: FleetOptions | None = None,
    *,
    beta_enabled: bool = True,
    time_scale: float = 1.0,
    webhook_url: str | None = None,
    webhook_secret: str = "",
    alerts_at_start: int = 24,
) -> Flask:
    """A complete simulated server. Its state is `app.extensions["tacticalrmm_lab"]`."""
    lab = Lab(fleet or FleetOptions(), beta_enabled=beta_enabled, time_scale=time_scale)
    open_initial_alerts(lab, alerts_at_start)
    if webhook_url:
        set_webhook(lab, webhook_url, secret=webhook_secret)
    app = Flask(__name__, static_folder=None)
    app.extensions["tacticalrmm_lab"] = lab
    app.config["ALERTS_AT_START"] = alerts_at_start
    app.url_map.converters["agent_id"] = AgentIdConverter
    for module in VENDOR_MODULES:
        for endpoint in module.ENDPOINTS:
            add_endpoint(app, endpoint)
    app.register_blueprint(control_blueprint)
    gateway.install(app, lab)
    _install_errors(app)
    return app


def lab_of(app: Flask) -> Lab:
    """The state of an application made by create_app."""
    lab: Lab = app.extensions["tacticalrmm_lab"]
    return lab


def _install_errors(app: Flask) -> None:
    @app.errorhandler(Crash)
    def crashed(error: Crash) -> Response:
        return server_error()

    @app.errorhandler(404)
    def unknown(error: HTTPException) -> Response:
        return not_routed()

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Any:
        if isinstance(error, HTTPException):
            return error
        app.logger.error("a view failed", exc_info=error)
        return server_error()
