"""NinjaOne simulator: OAuth, the public API v2, webhooks and a control page."""

from simulators.ninjaone.app import create_app

__all__ = ["create_app"]
