"""Switches, time, and the whole server."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import current_app

from simulators.ninjaone.control.blueprint import BadCommand, command, fields, flag, lab, query
from simulators.ninjaone.opening import open_initial
from simulators.ninjaone.settings import Settings


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


@command("/api/settings")
def change_settings() -> Any:
    """Any switches of settings.Settings, by name."""
    given = {name: _cast(name, value) for name, value in fields().items() if name != "_search"}
    with lab().lock:
        lab().settings.change(**given)
        return asdict(lab().settings)


def _cast(name: str, value: Any) -> Any:
    """The value in the switch's own type, also when a form sent it; "none" is null, or an empty list."""
    kind: type = type(getattr(Settings(), name, None))
    if value is None or (value == "none" and name in ("rate_limit", "retry_after")):
        return None
    if name == "rate_limit":
        return int(value)
    if kind is bool:
        return flag(value)
    if kind is list:
        words = value.replace(",", " ").split() if isinstance(value, str) else value
        return [] if words == ["none"] else words
    return kind(value) if kind in (int, float, str) else value


@command("/api/time")
def move_time() -> Any:
    """{"shift_seconds"}: move the clock."""
    lab().clock.shift(float(fields()["shift_seconds"]))
    return {"now": lab().clock.now().isoformat()}


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
