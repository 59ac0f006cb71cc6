"""The PSA's pages."""

from __future__ import annotations

from flask import Flask

from . import auth, health

BLUEPRINTS = (auth.bp, health.bp)


def register_views(app: Flask) -> None:
    """Put all pages on the app."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
