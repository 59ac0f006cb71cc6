"""When windows are next, and when they are over: the very instants at which they hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rmm_extension.domain.windows import Window, ends_at, holds, next_occurrences
from tests.domain.test_windows import FRIDAY, NEW_YORK, SATURDAY, SUNDAY, at, one_off, weekly, window

MINUTE = timedelta(minutes=1)
EVERY_DAY = tuple(range(7))
ZONES = (
    "UTC",
    NEW_YORK,
    "Europe/Berlin",
    "Australia/Lord_Howe",  # half an hour of summer time
    "Asia/Kathmandu",
    "Asia/Beirut",  # back from midnight into the day before
    "America/Havana",  # forward at midnight: the day begins at one
    "Pacific/Apia",
    "Africa/Casablanca",
)
CHANGES = ("2026-03-08", "2026-03-29", "2026-10-04", "2026-10-25", "2026-11-01", "2011-12-30", "2026-02-15")
"""Days around which one of the zones sets its clocks; Apia left out a whole day in 2011."""


def texts(found: list[tuple[datetime, datetime]]) -> list[str]:
    return [f"{start:%m-%d %H:%M}–{end:%m-%d %H:%M}" for start, end in found]


def skipping(found: Window, start: str, end: str) -> Window:
    assert found.recurrence is not None
    return window(recurrence={**found.recurrence, "skip": {"from": start, "until": end}})


@pytest.mark.parametrize(
    "found, after, expected",
    [
        (one_off("2026-06-12T02:00Z", "2026-06-12T04:00Z"), "2026-06-01T00:00Z", ["06-12 02:00–06-12 04:00"]),
        (one_off("2026-06-12T02:00Z", "2026-06-12T04:00Z"), "2026-06-12T03:59Z", ["06-12 02:00–06-12 04:00"]),
        (one_off("2026-06-12T02:00Z", "2026-06-12T04:00Z"), "2026-06-12T04:00Z", []),
        (one_off("2026-06-12T04:00Z", "2026-06-12T02:00Z"), "2026-06-12T01:00Z", []),
        (
            one_off("2026-06-12T04:00+02:00", "2026-06-12T05:00+02:00"),
            "2026-06-12T01:00Z",
            ["06-12 02:00–06-12 03:00"],
        ),
        (
            weekly("10:00", "11:00", FRIDAY),
            "2026-06-12T14:30Z",
            ["06-12 14:00–06-12 15:00", "06-19 14:00–06-19 15:00", "06-26 14:00–06-26 15:00"],
        ),
        (
            weekly("22:00", "02:00", FRIDAY),
            "2026-06-13T05:00Z",
            ["06-13 02:00–06-13 06:00", "06-20 02:00–06-20 06:00", "06-27 02:00–06-27 06:00"],
        ),
        (
            weekly("22:00", "00:00", FRIDAY, SATURDAY, zone="UTC"),
            "2026-06-13T00:00Z",
            ["06-13 22:00–06-14 00:00", "06-19 22:00–06-20 00:00", "06-20 22:00–06-21 00:00"],
        ),
        # The hour that spring leaves out: that Sunday has none, the later ones have.
        (
            weekly("02:00", "03:00", SUNDAY),
            "2026-03-07T00:00Z",
            ["03-15 06:00–03-15 07:00", "03-22 06:00–03-22 07:00", "03-29 06:00–03-29 07:00"],
        ),
        # A window around it is an hour shorter, one that begins in it begins when the clocks go on.
        (weekly("01:00", "04:00", SUNDAY), "2026-03-08T00:00Z", ["03-08 06:00–03-08 08:00"]),
        (weekly("02:30", "04:00", SUNDAY), "2026-03-08T00:00Z", ["03-08 07:00–03-08 08:00"]),
        # The hour that autumn has twice.
        (
            weekly("01:15", "01:45", SUNDAY),
            "2026-11-01T00:00Z",
            ["11-01 05:15–11-01 05:45", "11-01 06:15–11-01 06:45", "11-08 06:15–11-08 06:45"],
        ),
        (
            weekly("00:30", "01:30", SUNDAY),
            "2026-11-01T00:00Z",
            ["11-01 04:30–11-01 05:30", "11-01 06:00–11-01 06:30"],
        ),
        (weekly("00:30", "03:00", SUNDAY), "2026-11-01T00:00Z", ["11-01 04:30–11-01 08:00"]),
        # Ended early by a person: this occurrence is over, the next one is as ever.
        (
            skipping(weekly("22:00", "02:00", FRIDAY, zone="UTC"), "2026-06-12T23:00Z", "2026-06-13T02:00Z"),
            "2026-06-12T22:30Z",
            ["06-12 22:00–06-12 23:00", "06-19 22:00–06-20 02:00", "06-26 22:00–06-27 02:00"],
        ),
        (weekly("10:00", "11:00", FRIDAY, zone="Mars/Olympus"), "2026-06-12T10:30Z", []),
        (weekly("10:00", "11:00", FRIDAY, zone="America"), "2026-06-12T10:30Z", []),
        (window(), "2026-06-12T10:30Z", []),
    ],
)
def test_the_next_times(found: Window, after: str, expected: list[str]) -> None:
    assert texts(next_occurrences(found, at(after))[: len(expected)]) == expected
    if not expected:
        assert next_occurrences(found, at(after)) == []


@pytest.mark.parametrize(
    "found, moment, end",
    [
        (one_off("2026-06-12T02:00Z", "2026-06-12T04:00Z"), "2026-06-12T03:00Z", "2026-06-12T04:00Z"),
        (one_off("2026-06-12T02:00Z", "2026-06-12T04:00Z"), "2026-06-12T04:00Z", None),
        (weekly("10:00", "11:00", FRIDAY), "2026-06-12T14:30Z", "2026-06-12T15:00Z"),
        (weekly("10:00", "11:00", FRIDAY), "2026-06-12T15:00Z", None),
        (weekly("22:00", "02:00", FRIDAY), "2026-06-13T03:00Z", "2026-06-13T06:00Z"),
        (weekly("22:00", "02:00", FRIDAY), "2026-06-13T05:00Z", "2026-06-13T06:00Z"),
        # The clocks go over its end: it is over as they do.
        (weekly("01:30", "02:30", SUNDAY), "2026-03-08T06:45Z", "2026-03-08T07:00Z"),
        (weekly("01:00", "01:30", SUNDAY), "2026-11-01T05:15Z", "2026-11-01T05:30Z"),
        (weekly("01:00", "01:30", SUNDAY), "2026-11-01T06:15Z", "2026-11-01T06:30Z"),
        (weekly("10:00", "11:00", FRIDAY, zone="Mars/Olympus"), "2026-06-12T10:30Z", None),
        (window(), "2026-06-12T10:30Z", None),
    ],
)
def test_when_it_is_over(found: Window, moment: str, end: str | None) -> None:
    assert ends_at(found, at(moment)) == (at(end) if end else None)


@pytest.mark.parametrize(
    "moment, inside",
    [
        ("2026-06-12T22:59:59Z", True),
        ("2026-06-12T23:00:00Z", False),
        ("2026-06-13T01:59:59Z", False),
        ("2026-06-13T02:00:00Z", False),
        ("2026-06-19T23:00:00Z", True),
    ],
)
def test_what_a_person_ended_early_holds_no_more(moment: str, inside: bool) -> None:
    night = weekly("22:00", "02:00", FRIDAY, zone="UTC")
    assert (
        holds(skipping(night, "2026-06-12T23:00:00+00:00", "2026-06-13T02:00:00+00:00"), at(moment)) is inside
    )


@pytest.mark.parametrize(
    "skip",
    [
        {},
        {"from": "2026-06-12T23:00:00+00:00"},
        {"from": "2026-06-12T23:00:00", "until": "2026-06-13T02:00:00"},
        {"from": 5, "until": 6},
        "now",
        [],
    ],
)
def test_a_window_whose_early_end_cannot_be_read_holds_never(skip: Any) -> None:
    night = weekly("22:00", "02:00", FRIDAY, zone="UTC")
    assert night.recurrence is not None
    broken = window(recurrence={**night.recurrence, "skip": skip})
    assert not holds(broken, at("2026-06-19T23:00:00Z"))
    assert next_occurrences(broken, at("2026-06-19T23:00:00Z")) == []


TIMES = st.times().map(lambda t: f"{t:%H:%M}")


@st.composite
def weekly_windows(draw: st.DrawFn) -> Window:
    start = draw(TIMES)
    end = draw(TIMES.filter(lambda text: text != start))
    return weekly(
        start, end, *draw(st.sets(st.integers(0, 6), min_size=1)), zone=draw(st.sampled_from(ZONES))
    )


@settings(max_examples=25, deadline=None)
@given(weekly_windows(), st.sampled_from(CHANGES), st.integers(0, 1439), st.booleans())
@example(weekly("23:15", "23:10", *EVERY_DAY, zone="Asia/Beirut"), "2026-10-25", 0, False)
@example(weekly("00:00", "00:30", SUNDAY, zone="America/Havana"), "2026-03-08", 600, False)
@example(weekly("01:45", "01:50", SUNDAY, zone="Australia/Lord_Howe"), "2026-04-05", 0, False)
@example(weekly("12:00", "11:00", FRIDAY, zone="Pacific/Apia"), "2011-12-30", 0, True)
def test_it_holds_exactly_in_its_times(found: Window, day: str, offset: int, cut: bool) -> None:
    """Minute by minute, around a change of the clocks."""
    start = at(f"{day}T00:00:00Z") - timedelta(days=4) + offset * MINUTE
    if cut and (running := next_occurrences(found, start, 1)):
        middle = running[0][0] + (running[0][1] - running[0][0]) / 2
        found = skipping(found, middle.replace(second=0).isoformat(), running[0][1].isoformat())
    ranges = next_occurrences(found, start, 60)
    assert ranges == sorted(ranges)
    moments = [start + step * MINUTE for step in range(9 * 1440)]
    expected = [holds(found, moment) for moment in moments]
    place, told = 0, []
    for moment in moments:
        while place < len(ranges) and ranges[place][1] <= moment:
            place += 1
        told.append(place < len(ranges) and ranges[place][0] <= moment)
    assert told == expected


@given(weekly_windows(), st.sampled_from(CHANGES), st.integers(0, 10 * 1440))
def test_the_end_is_the_first_instant_at_which_it_no_longer_holds(
    found: Window, day: str, minutes: int
) -> None:
    moment = at(f"{day}T00:00:00Z") - timedelta(days=5) + minutes * MINUTE
    end = ends_at(found, moment)
    assert (end is not None) is holds(found, moment)
    if end is not None:
        assert not holds(found, end) or end in {start for start, _ in next_occurrences(found, end, 2)}
        assert holds(found, end - timedelta(microseconds=1))


def test_a_moment_may_come_in_any_zone() -> None:
    found = weekly("10:00", "11:00", FRIDAY)
    there = at("2026-06-12T16:30:00+02:00")
    assert ends_at(found, there) == datetime(2026, 6, 12, 15, tzinfo=UTC)
    assert next_occurrences(found, there) == next_occurrences(found, there.astimezone(UTC))
