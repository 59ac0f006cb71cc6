"""What the server answers while a fault is in force."""

from __future__ import annotations

from typing import Any

import msgspec

from simulators.common.canned import canned_answers
from simulators.common.misbehaviour import MODES, Fault

__all__ = ["CANNED", "EMPTY", "MODES", "Fault"]

LISTS = ("organizations", "agents", "incident_reports", "remediations", "escalations", "reports")
EMPTY = msgspec.json.encode({**{name: [] for name in LISTS}, "pagination": {}}).decode()
"""A list of anything without rows, as the body of a wrong shape."""
WORDS = {401: "Unauthorized", 403: "Forbidden", 429: "Too Many Requests"}


def _error(status: int) -> Any:
    return {"error": WORDS.get(status, "Internal Server Error")}


_WRONG: dict[str, Any] = {"pagination": 7, "account": [], **{name: {"unexpected": [None]} for name in LISTS}}
CANNED = canned_answers("Huntress", _error, _WRONG)
