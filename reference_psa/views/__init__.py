"""The PSA's pages."""

from __future__ import annotations

from flask import Flask

from . import assets, auth, calendar, clients, dashboard, dispatch, health, notifications, settings, tickets

BLUEPRINTS = (
    auth.bp,
    health.bp,
    dashboard.bp,
    tickets.bp,
    clients.bp,
    assets.bp,
    dispatch.bp,
    calendar.bp,
    notifications.bp,
    settings.bp,
)


def register_views(app: Flask) -> None:
    """Put all pages on the app."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
