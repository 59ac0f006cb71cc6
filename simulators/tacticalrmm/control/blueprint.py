"""The control blueprint of this server, and what its commands are written with."""

from __future__ import annotations

from flask import current_app

from simulators.common.control import BadCommand, Control, fields, flag, is_form
from simulators.common.server_commands import add_server_commands
from simulators.tacticalrmm.lab import Lab

__all__ = ["BadCommand", "command", "control_blueprint", "fields", "flag", "is_form", "lab", "query", "show"]


def lab() -> Lab:
    """The server under control."""
    found: Lab = current_app.extensions["tacticalrmm_lab"]
    return found


_control = Control(__name__, lab)
control_blueprint = _control.blueprint
command = _control.command
query = _control.query
show = _control.page
add_server_commands(_control)
