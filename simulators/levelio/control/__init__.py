"""The control page and its JSON API, outside of the vendor's addresses and without authentication."""

from __future__ import annotations

from simulators.levelio.control import (
    alert_commands,
    fleet_commands,
    group_commands,
    page,
    server_commands,
    webhook_commands,
)
from simulators.levelio.control.blueprint import control_blueprint

__all__ = [
    "alert_commands",
    "control_blueprint",
    "fleet_commands",
    "group_commands",
    "page",
    "server_commands",
    "webhook_commands",
]
