"""Looking windows up for many instants gives what asking each window each time does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.window_calendar import Calendar
from rmm_extension.domain.windows import Window, ends_at, holds

START = datetime(2026, 3, 1, tzinfo=UTC)
"""A week before clocks go forward in New York, four before they do in Berlin."""
MINUTE = timedelta(minutes=1)


def weekly(days: list[int], start: str, end: str, zone: str) -> Window:
    recurrence = {"type": "weekly", "days": days, "startTime": start, "endTime": end, "timezone": zone}
    return Window(uuid4(), "Weekly", None, None, None, None, None, recurrence)


def once(minute: int, minutes: int) -> Window:
    start = START + minute * MINUTE
    return Window(uuid4(), "Once", None, None, None, start, start + minutes * MINUTE, None)


INSTANT = st.integers(0, 60 * 24 * 60)
WINDOWS = st.lists(
    st.builds(once, INSTANT, st.integers(1, 3 * 24 * 60))
    | st.builds(
        weekly,
        st.lists(st.integers(0, 6), min_size=1, max_size=3),
        st.sampled_from(["00:00", "01:30", "02:15", "12:00", "22:00"]),
        st.sampled_from(["02:30", "03:00", "12:30", "23:59"]),
        st.sampled_from(["UTC", "America/New_York", "Europe/Berlin", "No/Where"]),
    ),
    max_size=4,
)


@given(WINDOWS, st.lists(INSTANT, min_size=1, max_size=12))
def test_it_agrees_with_each_window(windows: list[Window], minutes: list[int]) -> None:
    calendar = Calendar(windows)
    for minute in minutes:
        at = START + minute * MINUTE
        expected = [(window, ends_at(window, at)) for window in windows if holds(window, at)]
        assert calendar.holding(at) == expected
