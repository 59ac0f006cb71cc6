"""Huntress simulator: the public API v1, webhooks signed by Svix's scheme and a control page."""

from simulators.huntress.app import create_app

__all__ = ["create_app"]
