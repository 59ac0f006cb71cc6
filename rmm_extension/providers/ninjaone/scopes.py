"""The scopes of NinjaOne's OAuth, and which of them a request needs (its OpenAPI, version 2.0.9)."""

from __future__ import annotations

import re

from rmm_extension.domain.types import Connection

MONITORING, MANAGEMENT, CONTROL, OFFLINE = "monitoring", "management", "control", "offline_access"
ACCESS = {
    "all": (MONITORING, MANAGEMENT, CONTROL),
    "change": (MONITORING, MANAGEMENT),
    "read": (MONITORING,),
}
"""What is asked for, by the connection's setting ``access``: an application that lacks a scope that is asked
for is refused. In the browser :data:`OFFLINE` is asked for, too: a refresh token needs it."""
LABELS = {
    MONITORING: "Monitoring",
    MANAGEMENT: "Management",
    CONTROL: "Control",
    OFFLINE: "Offline access",
}
"""As NinjaOne's page of the API application names them."""

_WEBHOOK = "/v2/webhook"
_MANAGEMENT = re.compile(r"/(alert/[^/]+(/reset)?|script/run|reboot/[^/]+|maintenance|scripting/options)$")
_CONTROL = re.compile(r"/dashboard-url$")


def needed_for(path: str) -> str:
    """The scope that a request to this path needs."""
    if _CONTROL.search(path):
        return CONTROL
    return MANAGEMENT if path == _WEBHOOK or _MANAGEMENT.search(path) else MONITORING


def is_webhook(path: str) -> bool:
    """Whether only a System Administrator may ask for this path, whatever the scopes are."""
    return path == _WEBHOOK


def asked(connection: Connection) -> tuple[str, ...]:
    """What the sign-in asks for, beside :data:`OFFLINE`."""
    return ACCESS.get(str(connection.settings.get("access")), ACCESS["all"])


def granted(connection: Connection) -> frozenset[str] | None:
    """What the connection's session may do; ``None`` where there is none yet, or NinjaOne did not say."""
    token = connection.sessions.current() if connection.sessions else None
    return frozenset(token.scopes) if token and token.scopes else None


def is_missing(connection: Connection, scope: str) -> bool:
    """Whether the sign-in is known to lack the scope."""
    found = granted(connection)
    return found is not None and scope not in found
