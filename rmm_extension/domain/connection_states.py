"""What the states of a connection allow, and what is said where they do not.

A connection is ``connected``, in ``error`` (it is tried again by itself), in ``needs_reauth`` (the vendor
refused its credentials), ``paused`` or ``not_connected``.
"""

from __future__ import annotations

WORKING_STATES = ("connected", "error")
"""The vendor may be asked."""
SLEEPING_STATES = ("paused", "not_connected")
"""A person wants nothing of it: what it sends is not taken either."""
TROUBLED_STATES = ("error", "needs_reauth")
"""Something is wrong with it."""
WHERE = "Settings › Integrations"
_STANDINGS = {
    "paused": ("is paused", "resume it"),
    "not_connected": ("is not connected", "connect it"),
    "needs_reauth": ("waits for new credentials", "enter them"),
}


def works(state: str) -> bool:
    """Whether the vendor may be asked."""
    return state in WORKING_STATES


def sleeps(state: str) -> bool:
    """Whether a person wants nothing of it."""
    return state in SLEEPING_STATES


def troubles(state: str) -> bool:
    """Whether something is wrong with it."""
    return state in TROUBLED_STATES


def standing(state: str) -> str:
    """What a connection that does not work does, behind its name: “is paused”."""
    return _STANDINGS[state][0]


def refusal(name: str, state: str) -> str:
    """Why a connection that does not work cannot be used, and what a person can do."""
    what, remedy = _STANDINGS[state]
    return f"The connection “{name}” {what}: {remedy} under {WHERE}."
