"""Maintenance windows: does an instant fall into one, when is the next time, when is it over?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Range = tuple[datetime, datetime]
"""Two instants in UTC; the second one is not part of it."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """A one-off range (half-open) or a weekly recurrence; a scope that is ``None`` takes everything.

    ``recurrence`` takes precedence: ``{"type": "weekly", "days": [0=Sunday…], "startTime": "HH:MM",
    "endTime": "HH:MM", "timezone": IANA}``, with ``"skip": {"from": …, "until": …}`` where a person ended one
    occurrence early: between these two instants the window does not hold.
    """

    id: UUID
    name: str
    integration_id: UUID | None
    client_id: str | None
    asset_id: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    recurrence: dict[str, Any] | None


def matching(
    windows: Sequence[Window],
    at: datetime,
    *,
    integration_id: UUID,
    client_id: str | None,
    asset_id: str | None,
) -> list[Window]:
    """All windows that hold at this instant for this target, in their order."""
    return [
        window
        for window in windows
        if _in_scope(window, integration_id, client_id, asset_id) and holds(window, at)
    ]


def holds(window: Window, at: datetime) -> bool:
    """Whether the instant lies in the window; by wall clock in the window's zone."""
    if window.recurrence:
        weekly = _read(window.recurrence)
        return weekly is not None and weekly.holds(at)
    if window.starts_at is None or window.ends_at is None:
        return False
    return window.starts_at <= at < window.ends_at


def next_occurrences(window: Window, after: datetime, count: int = 3) -> list[Range]:
    """The window's times that are not over at ``after``, the first ones, a running one with its true start.

    They are ranges of instants: where the clocks are set back, one evening may have two of them, and a time
    that the clocks leave out has none.
    """
    # A change of the clocks can leave out a week, and a person may have ended the first occurrence.
    coming = _ranges(window, after, 7 * (count + 2))
    return [found for found in coming if found[1] > after][:count]


def ends_at(window: Window, at: datetime) -> datetime | None:
    """When the window that holds at this instant is over; ``None`` when it does not hold."""
    return next((end for start, end in _ranges(window, at, 1) if start <= at < end), None)


def _in_scope(window: Window, integration_id: UUID, client_id: str | None, asset_id: str | None) -> bool:
    return (
        (window.integration_id is None or window.integration_id == integration_id)
        and (window.client_id is None or window.client_id == client_id)
        and (window.asset_id is None or window.asset_id == asset_id)
    )


def _ranges(window: Window, around: datetime, days: int) -> list[Range]:
    """The window's times from the day before ``around`` until so many days after it, in their order."""
    if window.recurrence:
        weekly = _read(window.recurrence)
        return weekly.ranges(around, days) if weekly else []
    if window.starts_at is None or window.ends_at is None or window.starts_at >= window.ends_at:
        return []
    return [(window.starts_at.astimezone(UTC), window.ends_at.astimezone(UTC))]


class _Weekly(NamedTuple):
    """A recurrence that could be read. One that ends before it starts is over on the following day.

    A tuple, because every event makes one of each weekly window.
    """

    zone: ZoneInfo
    days: frozenset[int]
    start: time
    end: time
    skip: Range | None

    def holds(self, at: datetime) -> bool:
        if self.skip and self.skip[0] <= at < self.skip[1]:
            return False
        local = at.astimezone(self.zone)
        today, now = local.isoweekday() % 7, local.time()
        if self.start < self.end:
            return today in self.days and self.start <= now < self.end
        yesterday = (today - 1) % 7
        return (today in self.days and now >= self.start) or (yesterday in self.days and now < self.end)

    def ranges(self, around: datetime, days: int) -> list[Range]:
        # Two days earlier, because a night that began yesterday may run in a zone whose day is another one.
        first = around.astimezone(self.zone).date() - 2 * _DAY
        clocks = _clocks(self.zone, around - 4 * _DAY, around + (days + 4) * _DAY)
        listed = [day for offset in range(days + 4) if _weekday(day := first + offset * _DAY) in self.days]
        found = [part for day in listed for part in self._on(day, clocks)]
        return sorted(part for whole in found for part in self._without_skip(whole))

    def _on(self, day: date, clocks: Sequence[_Clock]) -> list[Range]:
        """The instants at which the wall clock shows the times of this day's occurrence."""
        start = datetime.combine(day, self.start, UTC)
        end = datetime.combine(day if self.start < self.end else day + _DAY, self.end, UTC)
        parts: list[Range] = []
        for clock in clocks:
            part = max(clock.since, start - clock.offset), min(clock.until, end - clock.offset)
            if part[0] >= part[1]:
                continue
            if parts and parts[-1][1] == part[0]:
                # What meets is one: the clocks were only set forward in its midst.
                part = parts.pop()[0], part[1]
            parts.append(part)
        return parts

    def _without_skip(self, whole: Range) -> Iterator[Range]:
        skipped = self.skip or (whole[1], whole[1])
        for part in ((whole[0], min(whole[1], skipped[0])), (max(whole[0], skipped[1]), whole[1])):
            if part[0] < part[1]:
                yield part


def _read(recurrence: dict[str, Any]) -> _Weekly | None:
    """A window with an unknown zone or unreadable times matches nothing: alerting goes on."""
    try:
        zone = ZoneInfo(recurrence["timezone"])
        start, end = time.fromisoformat(recurrence["startTime"]), time.fromisoformat(recurrence["endTime"])
        days = frozenset(map(int, recurrence["days"]))
        skip = _read_skip(recurrence.get("skip"))
    except (ZoneInfoNotFoundError, KeyError, ValueError, TypeError, OSError):
        # OSError: part of a zone's name, such as "America", is a folder.
        return None
    return None if start.tzinfo or end.tzinfo else _Weekly(zone, days, start, end, skip)


def _read_skip(value: dict[str, str] | None) -> Range | None:
    if value is None:
        return None
    start, end = datetime.fromisoformat(value["from"]), datetime.fromisoformat(value["until"])
    if start.tzinfo is None or end.tzinfo is None:
        raise ValueError("an instant needs its zone")
    return start.astimezone(UTC), end.astimezone(UTC)


def _weekday(day: date) -> int:
    """0 is Sunday."""
    return day.isoweekday() % 7


@dataclass(frozen=True, slots=True)
class _Clock:
    """How far a zone's wall clock is ahead of UTC, from one instant up to another."""

    since: datetime
    until: datetime
    offset: timedelta


def _clocks(zone: ZoneInfo, since: datetime, until: datetime) -> list[_Clock]:
    """The zone's clock between two instants: a new one begins wherever it is changed."""
    at, last = since.astimezone(UTC), until.astimezone(UTC)
    turns, offset = [at], _offset(zone, at)
    while at < last:
        # No zone changes its clocks twice within a day.
        step = min(at + _DAY, last)
        if (changed := _offset(zone, step)) != offset:
            turns.append(_turn(zone, at, step))
        at, offset = step, changed
    return [_Clock(start, end, _offset(zone, start)) for start, end in pairwise([*turns, last])]


def _turn(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The instant between two, to the second, at which the zone's clock is changed."""
    low, high = int(before.timestamp()), int(after.timestamp())
    old = _offset(zone, before)
    while high - low > 1:
        middle = (low + high) // 2
        same = _offset(zone, datetime.fromtimestamp(middle, UTC)) == old
        low, high = (middle, high) if same else (low, middle)
    return datetime.fromtimestamp(high, UTC)


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()
