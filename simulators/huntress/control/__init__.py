"""The control page and its JSON API, outside of the vendor's addresses and without authentication."""

from __future__ import annotations

from simulators.huntress.control import (
    escalation_commands,
    fleet_commands,
    incident_commands,
    page,
    server_commands,
    webhook_commands,
)
from simulators.huntress.control.blueprint import control_blueprint

__all__ = [
    "control_blueprint",
    "escalation_commands",
    "fleet_commands",
    "incident_commands",
    "page",
    "server_commands",
    "webhook_commands",
]
