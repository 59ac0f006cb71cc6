"""Every credential of the simulated server. Nothing here is secret: the server holds invented data."""

from __future__ import annotations

PASSWORD = "Sim-Ninja-1357!"
"""Password of every user."""

ADMIN_USER = "admin@ninja.example"
"""A System Administrator."""

TECHNICIAN_USER = "tech@ninja.example"
"""A technician: may sign in and read, may not configure webhooks."""

DISABLED_USER = "gone@ninja.example"
"""A user who may not sign in any more."""

WEB_CLIENT_ID = "SIMwebClient000000000000000000A"
WEB_CLIENT_SECRET = "SIMwebSecret0000000000000000000000000000000000A"
"""Web application: authorization code and refresh token, all scopes."""

MACHINE_CLIENT_ID = "SIMmachineClient00000000000000B"
MACHINE_CLIENT_SECRET = "SIMmachineSecret000000000000000000000000000000B"
"""API services application: client credentials, all scopes but offline_access."""

READONLY_CLIENT_ID = "SIMreadonlyClient0000000000000C"
READONLY_CLIENT_SECRET = "SIMreadonlySecret00000000000000000000000000000C"
"""API services application: client credentials, monitoring only."""

REDIRECT_URIS = ("http://127.0.0.1:8000/rmm/oauth/callback", "http://localhost:8000/rmm/oauth/callback")
"""Redirect URIs the web application starts with; others are set by option or control."""
