"""What the server answers while a fault is in force."""

from __future__ import annotations

from typing import Any

from simulators.common.canned import canned_answers
from simulators.common.misbehaviour import MODES, Fault, Misbehaviours

__all__ = ["CANNED", "EMPTY", "MODES", "Fault", "Misbehaviours"]

EMPTY = '{"data":[],"has_more":false}'
"""A list without rows, as the body of a wrong shape."""
WORDS = {401: "Access denied", 403: "Forbidden", 429: "Too many requests"}


def _error(status: int) -> Any:
    return {"error": WORDS.get(status, "Internal server error")}


CANNED = canned_answers("Level", _error, {"data": {"unexpected": [None, 1]}, "has_more": "perhaps"})
