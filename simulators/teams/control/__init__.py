"""The control page and its JSON API, outside of the services' addresses and without authentication."""

from __future__ import annotations

from simulators.teams.control import bot_commands, page, place_commands, server_commands
from simulators.teams.control.blueprint import control_blueprint

__all__ = ["bot_commands", "control_blueprint", "page", "place_commands", "server_commands"]
