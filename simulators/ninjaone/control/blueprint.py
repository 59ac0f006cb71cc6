"""The control blueprint of this server, and what its commands are written with."""

from __future__ import annotations

from typing import Any

from simulators.common.control import BadCommand, Control, fields, flag
from simulators.common.server_commands import add_server_commands
from simulators.common.switch_commands import add_courier_commands, add_switch_commands
from simulators.ninjaone.endpoints import lab
from simulators.ninjaone.models import Device
from simulators.ninjaone.replies import missing

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
add_courier_commands(_control, "activity_id")


def device_of(given: Any) -> Device:
    """The device of that id, or a 404."""
    found = lab().fleet.devices.get(int(given))
    if found is None:
        raise missing("Device")
    return found


def scheduled(data: dict[str, Any]) -> tuple[str, int] | None:
    """Prefix and number of answered requests after which something is to happen; None for now."""
    if not data.get("after_requests"):
        return None
    return str(data.get("prefix", "/v2/devices-detailed")), int(data["after_requests"])
