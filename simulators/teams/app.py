"""The application: the addresses of all the services, and the control page."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from simulators.teams import gateway
from simulators.teams.connector import connector_blueprint
from simulators.teams.control import control_blueprint
from simulators.teams.graph import graph_blueprint
from simulators.teams.lab import Lab
from simulators.teams.login import login_blueprint
from simulators.teams.replies import error_reply, refused


def create_app(**settings: Any) -> Flask:
    """All services. Their state is `app.extensions["teams_lab"]`; `settings` are switches."""
    lab = Lab()
    lab.settings.change(**settings)
    app = Flask(__name__, static_folder=None)
    app.extensions["teams_lab"] = lab
    for one in (login_blueprint, connector_blueprint, graph_blueprint, control_blueprint):
        app.register_blueprint(one)
    gateway.install(app, lab)
    _install_errors(app)
    return app


def lab_of(app: Flask) -> Lab:
    """The state of an application made by create_app."""
    lab: Lab = app.extensions["teams_lab"]
    return lab


def _install_errors(app: Flask) -> None:
    @app.errorhandler(404)
    def unknown(error: HTTPException) -> Response:
        return error_reply(refused(404, "NotFound", "Resource not found."))

    @app.errorhandler(Exception)
    def crashed(error: Exception) -> Any:
        if isinstance(error, HTTPException):
            return error
        app.logger.error("a view failed", exc_info=error)
        return error_reply(refused(500, "InternalServerError", "Internal server error."))
