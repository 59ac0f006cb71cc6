"""How far a device sync has come, in the form that a later attempt goes on from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rmm_extension.domain.values import moment
from rmm_extension.services.runs import Run

COUNTS = (
    "processed",
    "created",
    "updated",
    "unchanged",
    "failed",
    "skipped",
    "skipped_organizations",
    "adopted",
    "proposed",
    "moved",
    "returned",
    "deferred",
    "missing",
    "removed",
)
"""What a device sync counts. ``deferred`` devices wait for a listing that tells if they are reinstalled."""


@dataclass(slots=True)
class Progress:
    """``started_at`` is the start of the first attempt; ``done`` are organizations completed by now."""

    full: bool
    started_at: datetime
    counts: Counter[str] = field(default_factory=Counter)
    done: set[str] = field(default_factory=set)
    total: int | None = None

    @classmethod
    def of(cls, run: Run, *, full: bool, now: datetime) -> Progress:
        """Where the run stands: at its beginning, or where its last attempt completed an organization."""
        cursor = run.cursor
        if not cursor:
            return cls(full=full, started_at=now)
        return cls(
            full=bool(cursor["full"]),
            started_at=moment(cursor["started_at"]) or now,
            counts=Counter(cursor["counts"]),
            done=set(cursor["done"]),
        )

    @property
    def processed(self) -> int:
        """Devices dealt with, failed ones included."""
        return self.counts["processed"] + self.counts["failed"]

    def plus(self, counts: Counter[str], completed: Iterable[str] = ()) -> Progress:
        """The progress when these are written too: what was kept so far is not touched before the commit."""
        return Progress(
            full=self.full,
            started_at=self.started_at,
            counts=self.counts + counts,
            done=self.done.union(completed),
            total=self.total,
        )

    def cursor(self) -> dict[str, Any]:
        """What a later attempt needs."""
        return {
            "full": self.full,
            "started_at": self.started_at.isoformat(),
            "counts": dict(self.counts),
            "done": sorted(self.done),
        }

    def summary(self) -> dict[str, int]:
        """All counts by name, those of what did not happen too."""
        return {name: self.counts[name] for name in COUNTS}
