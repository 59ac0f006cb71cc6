"""/v2/updates: what waits to be installed on devices, and what is installed."""

from __future__ import annotations

from typing import Any

from flask import request

from simulators.levelio.endpoints import choice, known, lab, reads
from simulators.levelio.paging import page
from simulators.levelio.rows import update_row


def updates() -> Any:
    """Updates, available or installed ones only, of one device or all."""
    status, device_id = choice("status", ("available", "installed")), request.args.get("device_id")
    return page(
        lab().fleet.updates,
        lambda one: update_row(lab(), one),
        lambda one: (
            (status is None or (one.installed is None) == (status == "available"))
            and device_id in (None, one.device_id)
        ),
    )


def update(update_id: str) -> Any:
    """One update."""
    return update_row(lab(), known(lab().fleet.updates, update_id, "Update"))


ENDPOINTS = [reads("/updates", updates), reads("/updates/<update_id>", update)]
