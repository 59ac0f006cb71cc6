"""Times of maintenance windows in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from .windows import Range, Window

DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
"""The days of the week by their number."""
WEEK = (1, 2, 3, 4, 5, 6, 0)
"""The numbers of the days as a calendar shows them: from Monday on."""


def times(window: Window) -> str:
    """When the window holds: “Every Monday and Friday, 22:00 to 02:00 the next day, Europe/Berlin”."""
    if window.recurrence:
        return _weekly(window.recurrence)
    if window.starts_at is None or window.ends_at is None:
        return "Never"
    return f"{span((window.starts_at, window.ends_at), UTC)} UTC"


def span(found: Range, zone: ZoneInfo | Any) -> str:
    """From when until when by the clock of a zone; of the second date only what the first does not tell."""
    start, end = (moment.astimezone(zone) for moment in found)
    begin = f"{start:%a} {moment_words(start)}"
    if start.date() == end.date():
        return f"{begin} to {end:%H:%M}"
    if (end.date() - start.date()).days < len(DAYS):
        return f"{begin} to {end:%a %H:%M}"
    return f"{begin} to {end:%a} {moment_words(end)}"


def moment_words(moment: datetime) -> str:
    """Date and time, to the minute."""
    return f"{moment.day} {moment:%b %Y, %H:%M}"


def _weekly(recurrence: dict[str, Any]) -> str:
    start, end = recurrence.get("startTime"), recurrence.get("endTime")
    until = f"{end}" if str(start) < str(end) else f"{end} the next day"
    return f"Every {_days(recurrence.get('days'))}, {start} to {until}, {recurrence.get('timezone')}"


def _days(numbers: Any) -> str:
    chosen = [day for day in WEEK if day in numbers] if isinstance(numbers, (list, tuple)) else []
    if len(chosen) == len(WEEK):
        return "day"
    if chosen == [1, 2, 3, 4, 5]:
        return "Monday to Friday"
    return _listed([DAYS[day] for day in chosen])


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]])) or "no day"
