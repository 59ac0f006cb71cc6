"""Tactical RMM 1.5.1 simulator: the REST API, the beta API, alert webhooks and a control page."""

from simulators.tacticalrmm.app import create_app

__all__ = ["create_app"]
