"""The control blueprint of this server, and what its commands are written with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from simulators.common.control import BadCommand, Control, fields, flag
from simulators.common.server_commands import add_server_commands
from simulators.common.switch_commands import add_courier_commands, add_switch_commands
from simulators.teams import keys
from simulators.teams.endpoints import lab
from simulators.teams.models import Bot

T = TypeVar("T")

__all__ = ["BadCommand", "bot_of", "command", "control_blueprint", "fields", "flag", "lab", "one_of", "query"]

_control = Control(__name__, lab)
control_blueprint = _control.blueprint
command = _control.command
query = _control.query
show = _control.page
add_server_commands(_control)
add_switch_commands(_control)
add_courier_commands(_control, "activity_id")


def bot_of(data: Mapping[str, Any]) -> Bot:
    """The bot a command names by its app id; the single-tenant one where it names none."""
    return one_of(lab().bots, str(data.get("app_id") or keys.APP_ID), "bot")


def one_of(rows: Mapping[Any, T], key: Any, what: str) -> T:
    """The row of that key."""
    if key not in rows:
        raise BadCommand(f"there is no {what} {key}")
    return rows[key]
