"""What the server answers while a fault is in force."""

from __future__ import annotations

from typing import Any

from simulators.common.canned import canned_answers
from simulators.common.misbehaviour import MODES, Fault, Misbehaviours

__all__ = ["CANNED", "MODES", "Fault", "Misbehaviours"]

ERRORS = {
    401: ("UNAUTHORIZED", "Access token is invalid or expired"),
    403: ("FORBIDDEN", "Forbidden"),
    429: ("TOO_MANY_REQUESTS", "Rate limit exceeded"),
}


def _error(status: int) -> Any:
    code, message = ERRORS.get(status, ("FAILURE", "Internal server error"))
    return {"resultCode": code, "errorMessage": message}


CANNED = canned_answers("NinjaOne", _error, {"cursor": 7, "results": {"unexpected": [None, 1]}})
