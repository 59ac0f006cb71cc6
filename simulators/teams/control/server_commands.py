"""The services as a whole, their signing keys, and what was written."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from simulators.teams.control.blueprint import BadCommand, command, fields, flag, lab, query
from simulators.teams.signing import ALL_FORGERIES


@query("/api/state")
def state() -> Any:
    """Sizes and switches."""
    server = lab()
    return {
        "now": server.clock.now().isoformat(),
        "people": len(server.people),
        "teams": len(server.teams),
        "messages": len(server.messages),
        "notifications": len(server.notifications),
        "tokens": len(server.tokens),
        "keys": [one.kid for one in server.keys],
        "forgeries": list(ALL_FORGERIES),
        "settings": asdict(server.settings),
        "faults": server.misbehaviours.listing(),
    }


@query("/api/messages")
def list_messages() -> Any:
    """What bots wrote, oldest first."""
    return [asdict(one) for one in lab().messages]


@query("/api/notifications")
def list_notifications() -> Any:
    """Entries of activity feeds, oldest first."""
    people = lab().people
    return [{**asdict(one), "name": people[one.person].name} for one in lab().notifications]


@command("/api/keys/rotate")
def rotate() -> Any:
    """{"keep"?}: sign with a new key; with false the older ones are no longer told."""
    with lab().lock:
        return {"kid": lab().rotate(keep=flag(fields().get("keep", True))).kid}


@command("/api/deliveries/again")
def send_again() -> Any:
    """{"activity_id"}: once more what was sent, token and all, as somebody who copied it could."""
    wanted = fields()["activity_id"]
    with lab().lock:
        entry = next((one for one in lab().deliveries if one["activity_id"] == wanted), None)
        if entry is None:
            raise BadCommand(f"no activity {wanted} was sent")
        bot = next(one for one in lab().bots.values() if one.name == entry["bot"])
        lab().courier.send(bot, wanted, entry["url"], entry["body"].encode(), entry["headers"])
        return {"activity_id": wanted}


@command("/api/tokens/revoke")
def revoke() -> Any:
    """No token that was given out counts any more."""
    with lab().lock:
        lab().tokens.clear()
        return {}


@command("/api/reset")
def reset() -> Any:
    """Back to the beginning."""
    with lab().lock:
        lab().reset()
        return {}
