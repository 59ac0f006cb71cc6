"""The control blueprint of this server, and what its commands are written with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from simulators.common.control import BadCommand, Control, fields, flag
from simulators.common.server_commands import add_server_commands
from simulators.common.switch_commands import add_courier_commands, add_switch_commands
from simulators.huntress.endpoints import lab
from simulators.huntress.models import Agent, Organization
from simulators.huntress.replies import ApiError

__all__ = ["BadCommand", "command", "control_blueprint", "fields", "flag", "lab", "query", "show"]

T = TypeVar("T")

_control = Control(__name__, lab)
control_blueprint = _control.blueprint
command = _control.command
query = _control.query
show = _control.page
add_server_commands(_control)
add_switch_commands(_control)
add_courier_commands(_control, "svix_id")


def row_of(rows: Mapping[int, T], given: Any, name: str) -> T:
    """The row of that id, or a 404."""
    if int(given) not in rows:
        raise ApiError(404, {"error": f"{name} {given} does not exist"})
    return rows[int(given)]


def agent_of(given: Any) -> Agent:
    """The agent of that id."""
    return row_of(lab().fleet.agents, given, "agent")


def organization_of(given: Any) -> Organization:
    """The organization of that id."""
    return row_of(lab().fleet.organizations, given, "organization")


def one_of(data: Mapping[str, Any], name: str, allowed: Sequence[str]) -> Any:
    """A field that is absent or one of a few."""
    if data.get(name) not in (None, *allowed):
        raise BadCommand(f"{name} is one of {', '.join(allowed)}")
    return data.get(name)


def mapping(given: Any) -> dict[str, Any]:
    """An object, also when a form sent it as JSON."""
    found = msgspec.json.decode(given) if isinstance(given, str) else given
    if not isinstance(found, dict):
        raise BadCommand("an object is expected")
    return found
