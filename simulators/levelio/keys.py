"""API keys of the simulated account. Nothing here is secret: the server holds invented data."""

from __future__ import annotations

WRITE_KEY = "SIMlevelWrite000000000000000000A"
"""May read, resolve alerts, and call webhooks of automations that want an authorization."""

READONLY_KEY = "SIMlevelRead0000000000000000000B"
"""May read only."""
