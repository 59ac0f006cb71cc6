"""Keys and the whole server."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import current_app

from simulators.levelio.control.blueprint import command, lab, query
from simulators.levelio.opening import open_initial


@query("/api/state")
def state() -> Any:
    """Sizes and switches."""
    server = lab()
    return {
        "now": server.clock.now().isoformat(),
        "devices": len(server.fleet.devices),
        "groups": len(server.fleet.groups),
        "alerts": len(server.active_alerts()),
        "updates": len(server.fleet.updates),
        "runs": len(server.runs),
        "settings": asdict(server.settings),
        "faults": server.misbehaviours.listing(),
    }


@query("/api/keys")
def list_keys() -> Any:
    """Keys with their values."""
    return [asdict(one) for one in lab().keys.values()]


@command("/api/keys/<name>/regenerate")
def regenerate(name: str) -> Any:
    """A new value; the old one is dead at once."""
    with lab().lock:
        return asdict(lab().regenerate(name))


@command("/api/reset")
def reset_server() -> Any:
    """Back to the freshly generated server; the clock stays."""
    with lab().lock:
        lab().reset()
        open_initial(lab(), current_app.config["ALERTS_AT_START"])
    return {"devices": len(lab().fleet.devices)}
