"""When maintenance windows are over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from .windows import Window, holds

MEETING = 1_000
"""So many windows that follow each other without a gap are seen through."""
_A_DAY = timedelta(days=1)


def free_at(windows: Sequence[Window], at: datetime) -> datetime | None:
    """The first instant from ``at`` on at which none of these windows holds; ``None`` when none is in sight.

    Windows that overlap or meet are one long one.
    """
    for _ in range(MEETING):
        ends = [end_of(window, at) for window in windows if holds(window, at)]
        if not ends:
            return at
        at = max(ends)
    return None


def end_of(window: Window, at: datetime) -> datetime:
    """The first instant after ``at``, at which the window holds, at which it does not."""
    if not window.recurrence:
        assert window.ends_at is not None
        return window.ends_at
    return min(
        moment for moment in _turns(window.recurrence, at) if moment > at and not holds(window, moment)
    )


def _turns(recurrence: dict[str, Any], at: datetime) -> Iterator[datetime]:
    """The instants of the next two days at which a weekly window can end: its end by the wall clock, which
    may come twice when clocks go back, and the change of the clocks itself, which may jump over it."""
    zone, end = ZoneInfo(recurrence["timezone"]), time.fromisoformat(recurrence["endTime"])
    today = at.astimezone(zone).date()
    for day in (today, today + _A_DAY, today + 2 * _A_DAY):
        for fold in (0, 1):
            yield datetime.combine(day, end, zone).replace(fold=fold).astimezone(UTC)
    if change := _clock_change(zone, at, at + 2 * _A_DAY):
        yield change


def _clock_change(zone: ZoneInfo, start: datetime, stop: datetime) -> datetime | None:
    """The instant between the two at which the zone's offset changes, to the second."""
    before = start.astimezone(zone).utcoffset()
    if stop.astimezone(zone).utcoffset() == before:
        return None
    low, high = int(start.timestamp()), int(stop.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        same = datetime.fromtimestamp(middle, zone).utcoffset() == before
        low, high = (middle, high) if same else (low, middle)
    return datetime.fromtimestamp(high, UTC)
