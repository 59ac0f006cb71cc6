"""What happened with devices, for the pages that show it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rmm_extension.services.queries import device_activity

from .action_titles import titles
from .context import actor, session


def happened(devices: Sequence[Any]) -> dict[str, Any]:
    """The values of ``devices/_happened.html`` for these devices together."""
    activity = device_activity.activity(session(), actor().tenant_id, devices)
    return {
        "activity": activity,
        "activity_shown": device_activity.SHOWN,
        "titles": titles([one.row for one in activity if one.kind == "action"]),
    }
