"""What the services answer while a fault is in force."""

from __future__ import annotations

from typing import Any

from simulators.common.canned import canned_answers
from simulators.common.misbehaviour import MODES, Fault, Misbehaviours

__all__ = ["CANNED", "MODES", "Fault", "Misbehaviours"]

CODES = {401: "Unauthorized", 403: "Forbidden", 429: "Throttled"}


def _error(status: int) -> Any:
    code = CODES.get(status, "InternalServerError")
    return {"error": {"code": code, "message": "A fault is in force."}}


CANNED = canned_answers("Microsoft", _error, {"unexpected": [None, 1]})
