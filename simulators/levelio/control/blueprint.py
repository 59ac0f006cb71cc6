"""The control blueprint of this server, and what its commands are written with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulators.common.control import BadCommand, Control, fields, flag
from simulators.common.server_commands import add_server_commands
from simulators.common.switch_commands import add_courier_commands, add_switch_commands
from simulators.levelio.endpoints import known, lab
from simulators.levelio.models import Device, Group

__all__ = [
    "BadCommand",
    "command",
    "control_blueprint",
    "device_of",
    "fields",
    "flag",
    "lab",
    "query",
    "show",
]

_control = Control(__name__, lab)
control_blueprint = _control.blueprint
command = _control.command
query = _control.query
show = _control.page
add_server_commands(_control)
add_switch_commands(_control)
add_courier_commands(_control, "event_id")


def device_of(given: Any) -> Device:
    """The device of that id, or a 404."""
    return known(lab().fleet.devices, str(given), "Device")


def group_of(given: Any) -> Group:
    """The group of that id, or a 404."""
    return known(lab().fleet.groups, str(given), "Group")


def home_of(data: dict[str, Any]) -> str | None:
    """The group a command names; None for "null" or none."""
    given = data.get("group_id")
    return None if given in (None, "null") else group_of(given).id


def now_or_later(data: dict[str, Any], change: Callable[[], Any]) -> bool:
    """Change something now, or after `after_requests` answered requests below `prefix`; whether now."""
    if not data.get("after_requests"):
        change()
        return True
    lab().schedule.add(str(data.get("prefix", "/v2/devices")), int(data["after_requests"]), change)
    return False
