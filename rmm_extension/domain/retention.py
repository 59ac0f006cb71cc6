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
    # What is read again of a vendor's log after an interruption must still be known to have counted.
    "signals": 7,
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
    signals: int = 30
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


def in_words(keep: Keep) -> list[tuple[str, int, str]]:
    """What is kept, for how many days, counted from when; for people."""
    return [
        ("Resolved alerts", keep.alerts, "since anything last happened to them"),
        ("History of alerts that are over", keep.history, "since it was written"),
        ("Software that is gone from a device", keep.history, "since a sync no longer found it"),
        ("Stored deliveries that were processed", keep.deliveries, "since they arrived"),
        ("Deliveries put aside, or failed for good", keep.quarantine, "since they arrived"),
        ("Alerts that could not be taken", keep.quarantine, "since they were last tried by themselves"),
        ("What vendors told of devices", keep.signals, "since it arrived"),
        ("Jobs, actions on devices, and runs of workflows", keep.runs, "since they ended"),
        ("Audit", keep.audit, "since it was written"),
    ]
