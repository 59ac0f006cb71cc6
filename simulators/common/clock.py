"""The one clock of a simulator. Everything that needs the time asks it, so tests can move it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import format_datetime


class Clock:
    """Wall-clock time plus an offset that can be shifted at run time."""

    def __init__(self) -> None:
        self._offset = 0.0

    def timestamp(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self._offset

    def now(self) -> datetime:
        """Aware UTC datetime with microseconds."""
        return datetime.fromtimestamp(self.timestamp(), UTC)

    def shift(self, seconds: float) -> None:
        """Move the clock forward (or back, when negative)."""
        self._offset += seconds


def http_date(moment: datetime) -> str:
    """Value of a `Date` header."""
    return format_datetime(moment, usegmt=True)
