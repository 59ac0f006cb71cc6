"""Keys, the rate limit, and the whole server."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import current_app

from simulators.huntress.control.blueprint import command, fields, flag, lab, query
from simulators.huntress.models import Credential
from simulators.huntress.opening import open_initial
from simulators.huntress.replies import ApiError
from simulators.huntress.throttle import Meter


@query("/api/state")
def state() -> Any:
    """Sizes and switches."""
    server = lab()
    return {
        "now": server.clock.now().isoformat(),
        "agents": len(server.fleet.agents),
        "organizations": len(server.fleet.organizations),
        "incidents": len(server.incidents),
        "escalations": len(server.escalations),
        "settings": asdict(server.settings),
        "faults": server.misbehaviours.listing(),
        "rate": rate(),
    }


def rate() -> dict[str, Any]:
    """What came of requests with a known key since the start or the last reset of the meter."""
    meter, switches = lab().meter, lab().settings
    return {
        "limit": switches.rate_limit,
        "window": switches.rate_window,
        "enforced": switches.rate_enforced,
        "total": meter.total,
        "most_in_window": meter.most,
        "above_limit": meter.above,
        "refused": meter.refused,
    }


@query("/api/rate")
def show_rate() -> Any:
    """The greatest number of requests in any one window, refused ones too, and how many got a 429."""
    return rate()


@command("/api/rate/reset")
def reset_rate() -> Any:
    """Forget what came so far."""
    with lab().lock:
        lab().meter = Meter()
        return rate()


def credential_summary(one: Credential) -> dict[str, Any]:
    """The key with its secret."""
    return {
        "label": one.label,
        "key": one.key,
        "secret": one.secret,
        "user": one.user.email if one.user else None,
        "writes": one.writes,
    }


@query("/api/keys")
def list_keys() -> Any:
    """The keys with their secrets."""
    return [credential_summary(one) for one in lab().credentials.values()]


def _credential(label: str) -> Credential:
    if label not in lab().credentials:
        raise ApiError(404, {"error": f"key {label} does not exist"})
    return lab().credentials[label]


@command("/api/keys/<label>/regenerate")
def regenerate_key(label: str) -> Any:
    """A new key and secret; the old ones count no more."""
    with lab().lock:
        return credential_summary(lab().regenerate(_credential(label).label))


@command("/api/keys/<label>/rights")
def set_rights(label: str) -> Any:
    """{"writes"}: whether the user behind it may write."""
    writes = flag(fields()["writes"])
    with lab().lock:
        _credential(label).writes = writes
        return credential_summary(_credential(label))


@command("/api/reset")
def reset_server() -> Any:
    """Back to the freshly generated server; the clock stays."""
    with lab().lock:
        lab().reset()
        open_initial(lab(), *current_app.config["AT_START"])
    return {"agents": len(lab().fleet.agents)}
