"""The control page and its JSON API, outside of the vendor's addresses and without authentication."""

from __future__ import annotations

from simulators.tacticalrmm.control import (
    alert_commands,
    fleet_commands,
    page,
    server_commands,
    software_commands,
    webhook_commands,
)
from simulators.tacticalrmm.control.blueprint import control_blueprint

__all__ = [
    "alert_commands",
    "control_blueprint",
    "fleet_commands",
    "page",
    "server_commands",
    "software_commands",
    "webhook_commands",
]
