"""When windows are over: by the wall clock, over midnight, over changes of the clocks, one after the other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.window_ends import free_at
from rmm_extension.domain.windows import Window, holds

MINUTE = timedelta(minutes=1)


def weekly(start: str, end: str, zone: str = "UTC", days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)) -> Window:
    recurrence = {"type": "weekly", "days": list(days), "startTime": start, "endTime": end, "timezone": zone}
    return Window(uuid4(), "Weekly", None, None, None, None, None, recurrence)


def once(start: str, end: str) -> Window:
    return Window(uuid4(), "Once", None, None, None, at(start), at(end), None)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+00:00")


@pytest.mark.parametrize(
    "windows, moment, free",
    [
        ([], "2026-06-12T10:00", "2026-06-12T10:00"),
        ([once("2026-06-12T09:00", "2026-06-12T11:30")], "2026-06-12T10:00", "2026-06-12T11:30"),
        ([once("2026-06-12T09:00", "2026-06-12T11:30")], "2026-06-12T11:30", "2026-06-12T11:30"),
        # Two that overlap, and one that begins as the second ends.
        (
            [
                once("2026-06-12T09:00", "2026-06-12T11:00"),
                once("2026-06-12T10:30", "2026-06-12T12:00"),
                weekly("12:00", "13:15"),
            ],
            "2026-06-12T10:00",
            "2026-06-12T13:15",
        ),
        ([weekly("10:00", "11:00", "America/New_York")], "2026-06-12T14:30", "2026-06-12T15:00"),
        # Over midnight, from either side of it.
        ([weekly("22:00", "02:00", "America/New_York", (5,))], "2026-06-13T03:00", "2026-06-13T06:00"),
        ([weekly("22:00", "02:00", "America/New_York", (5,))], "2026-06-13T05:00", "2026-06-13T06:00"),
        # Clocks go forward at 2:00: the window's end is jumped over, and it ends with the jump.
        ([weekly("01:30", "02:30", "America/New_York")], "2026-03-08T06:45", "2026-03-08T07:00"),
        # Clocks go back at 2:00: its end comes twice.
        ([weekly("01:00", "01:30", "America/New_York")], "2026-11-01T05:15", "2026-11-01T05:30"),
        ([weekly("01:00", "01:30", "America/New_York")], "2026-11-01T06:15", "2026-11-01T06:30"),
        ([weekly("00:30", "03:00", "America/New_York")], "2026-11-01T05:15", "2026-11-01T08:00"),
    ],
)
def test_the_first_free_instant(windows: list[Window], moment: str, free: str) -> None:
    assert free_at(windows, at(moment)) == at(free)


def test_windows_without_end_are_given_up() -> None:
    assert free_at([weekly("00:00", "12:00"), weekly("12:00", "00:00")], at("2026-06-12T10:00")) is None


CLOCK = st.times().map(lambda found: f"{found:%H:%M}")
ZONES = st.sampled_from(["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"])
DAYS = st.lists(st.integers(0, 6), min_size=1, max_size=4).map(tuple)
MOMENTS = st.sampled_from(["2026-03-07T22:00", "2026-03-28T23:00", "2026-04-04T12:00", "2026-10-31T20:00"])


@given(st.builds(weekly, CLOCK, CLOCK, ZONES, DAYS), MOMENTS, st.integers(0, 30 * 60))
def test_it_is_what_walking_minute_by_minute_finds(window: Window, start: str, minutes: int) -> None:
    moment = at(start) + minutes * MINUTE
    walked = moment
    while holds(window, walked):
        walked += MINUTE
        if walked - moment > timedelta(days=3):
            return
    assert free_at([window], moment) == walked


def test_seconds_count() -> None:
    start = datetime(2026, 6, 12, 10, 0, 7, tzinfo=UTC)
    assert free_at([weekly("09:00", "11:00")], start) == at("2026-06-12T11:00")
