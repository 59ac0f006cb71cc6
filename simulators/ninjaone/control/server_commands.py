"""Switches, time, and the whole server."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import current_app

from simulators.ninjaone.control.blueprint import BadCommand, command, fields, lab, query
from simulators.ninjaone.opening import open_initial


@query("/api/state")
def state() -> Any:
    """Sizes and switches."""
    server = lab()
    return {
        "now": server.clock.now().isoformat(),
        "devices": len(server.fleet.devices),
        "organizations": len(server.fleet.organizations),
        "alerts": len(server.alerts),
        "activities": len(server.journal.entries),
        "last_activity_id": server.journal.last_id,
        "settings": asdict(server.settings),
        "faults": server.misbehaviours.listing(),
    }


@command("/api/cursors/expire")
def expire_cursors() -> Any:
    """Let every cursor end now."""
    with lab().lock:
        ended = len(lab().cursors)
        lab().cursors.clear()
    return {"ended": ended}


@command("/api/activities/forget")
def forget_activities() -> Any:
    """{"keep"?}: only the newest so many are kept, as after the vendor's retention."""
    keep = int(fields().get("keep", 0))
    if keep < 0:
        raise BadCommand("keep is not negative")
    with lab().lock:
        lab().journal.forget(keep)
    return {"activities": len(lab().journal.entries)}


@command("/api/reset")
def reset_server() -> Any:
    """Back to the freshly generated server; the clock stays."""
    with lab().lock:
        lab().reset()
        open_initial(lab(), current_app.config["ALERTS_AT_START"])
    return {"devices": len(lab().fleet.devices)}
