"""How long things are kept: a number of days for each kind of row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LONGEST = 36_500
SHORTEST: Mapping[str, int] = {
    # A resolved alert is also what keeps a late or repeated delivery of it from opening a second ticket.
    "alerts": 30,
    "history": 30,
    "deliveries": 1,
    "quarantine": 1,
    "runs": 7,
    "audit": 365,
}
"""The fewest days that may be set."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Days: what ended is counted from its end, what happened from then. What is open is never removed."""

    alerts: int = 365
    history: int = 365
    deliveries: int = 30
    quarantine: int = 90
    runs: int = 90
    audit: int = 2555

    @property
    def outliving(self) -> str | None:
        """What would be kept longer than the alert it belongs to, if anything.

        A history without its alert explains nothing, and a stored delivery that outlived its alert would make
        a new ticket of old news when it is replayed.
        """
        others = ("history", "deliveries", "quarantine")
        return next((name for name in others if getattr(self, name) > self.alerts), None)


KEEP = Keep()
"""What is in force where nothing is set."""
