"""Maintenance windows: half-open, by wall clock, across midnight and the changes of the clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.windows import Window, holds, matching

CONNECTION = UUID(int=1)
FRIDAY, SATURDAY, SUNDAY = 5, 6, 0
NEW_YORK = "America/New_York"


def window(**values: Any) -> Window:
    nothing = dict.fromkeys(
        ("integration_id", "client_id", "asset_id", "starts_at", "ends_at", "recurrence"), None
    )
    return Window(**({"id": uuid4(), "name": "Window"} | nothing | values))


def one_off(start: str, end: str) -> Window:
    return window(starts_at=at(start), ends_at=at(end))


def weekly(start: str, end: str, *days: int, zone: str = NEW_YORK) -> Window:
    recurrence = {"type": "weekly", "days": list(days), "startTime": start, "endTime": end, "timezone": zone}
    return window(recurrence=recurrence)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    "moment, inside",
    [
        ("2026-06-12T01:59:59.999999Z", False),
        ("2026-06-12T02:00:00Z", True),
        ("2026-06-12T03:00:00Z", True),
        ("2026-06-12T05:00:00+02:00", True),
        ("2026-06-12T03:59:59.999999Z", True),
        ("2026-06-12T04:00:00Z", False),
        ("2026-06-12T05:00:00Z", False),
    ],
)
def test_one_off(moment: str, inside: bool) -> None:
    assert holds(one_off("2026-06-12T02:00:00Z", "2026-06-12T04:00:00Z"), at(moment)) is inside


@pytest.mark.parametrize(
    "moment, inside",
    [
        ("2026-06-12T13:59:59Z", False),
        ("2026-06-12T14:00:00Z", True),
        ("2026-06-12T14:30:00Z", True),
        ("2026-06-12T15:00:00Z", False),
        ("2026-06-12T15:30:00Z", False),
        ("2026-06-13T14:30:00Z", False),
        ("2026-06-05T14:30:00Z", True),
        ("2026-12-11T15:30:00Z", True),
    ],
)
def test_weekly_by_the_wall_clock_of_its_zone(moment: str, inside: bool) -> None:
    assert holds(weekly("10:00", "11:00", FRIDAY), at(moment)) is inside


@pytest.mark.parametrize(
    "moment, inside",
    [
        ("2026-06-13T01:59:00Z", False),
        ("2026-06-13T02:00:00Z", True),
        ("2026-06-13T03:00:00Z", True),
        ("2026-06-13T05:00:00Z", True),
        ("2026-06-13T06:00:00Z", False),
        ("2026-06-13T07:00:00Z", False),
        ("2026-06-14T03:00:00Z", False),
        ("2026-06-12T05:00:00Z", False),
    ],
)
def test_weekly_over_midnight_belongs_to_the_day_it_begins(moment: str, inside: bool) -> None:
    assert holds(weekly("22:00", "02:00", FRIDAY), at(moment)) is inside


def test_over_midnight_from_saturday_to_sunday() -> None:
    late = weekly("23:00", "01:00", SATURDAY, zone="UTC")
    assert holds(late, at("2026-06-14T00:30:00Z"))
    assert not holds(late, at("2026-06-15T00:30:00Z"))


def test_until_midnight() -> None:
    evening = weekly("22:00", "00:00", FRIDAY, zone="UTC")
    assert holds(evening, at("2026-06-12T23:59:59Z"))
    assert not holds(evening, at("2026-06-13T00:00:00Z"))


def test_the_hour_that_spring_leaves_out_is_never_there() -> None:
    missing = weekly("02:00", "03:00", SUNDAY)
    start = at("2026-03-08T00:00:00Z")
    assert not any(holds(missing, start + timedelta(minutes=m)) for m in range(0, 24 * 60, 5))


def test_the_hour_that_autumn_has_twice_matches_both_times() -> None:
    twice = weekly("01:15", "01:45", SUNDAY)
    assert holds(twice, at("2026-11-01T05:30:00Z"))
    assert holds(twice, at("2026-11-01T06:30:00Z"))
    assert not holds(twice, at("2026-11-01T07:30:00Z"))


@pytest.mark.parametrize(
    "change",
    [
        {"timezone": "Mars/Olympus"},
        {"timezone": ""},
        {"timezone": "America"},
        {"timezone": "x" * 300},
        {"timezone": "../../etc/passwd"},
        {"timezone": None},
        {"timezone": 5},
        {"startTime": "25:00"},
        {"startTime": "08:00Z"},
        {"endTime": "noon"},
        {"endTime": None},
        {"days": None},
        {"days": ["x"]},
    ],
)
def test_an_unreadable_window_holds_never(change: dict[str, Any]) -> None:
    good = weekly("00:00", "23:59", *range(7))
    moment = at("2026-06-12T14:30:00Z")
    assert holds(good, moment)
    assert good.recurrence is not None
    assert not holds(replace(good, recurrence=good.recurrence | change), moment)


def test_a_recurrence_goes_before_the_range() -> None:
    both = replace(
        weekly("10:00", "11:00", FRIDAY, zone="UTC"),
        starts_at=at("2026-06-12T14:00:00Z"),
        ends_at=at("2026-06-12T15:00:00Z"),
    )
    assert holds(both, at("2026-06-12T10:30:00Z"))
    assert not holds(both, at("2026-06-12T14:30:00Z"))


def test_half_a_range_holds_never() -> None:
    now = at("2026-06-12T14:30:00Z")
    assert not holds(window(starts_at=now), now)
    assert not holds(window(ends_at=now + timedelta(hours=1)), now)


@pytest.mark.parametrize(
    "scope, target, taken",
    [
        ({}, {}, True),
        ({"integration_id": CONNECTION}, {}, True),
        ({"integration_id": UUID(int=2)}, {}, False),
        ({"client_id": "c"}, {"client_id": "c"}, True),
        ({"client_id": "c"}, {"client_id": "d"}, False),
        ({"client_id": "c"}, {"client_id": None}, False),
        ({"asset_id": "a"}, {"asset_id": "a"}, True),
        ({"asset_id": "a"}, {"asset_id": None}, False),
        ({"client_id": "c", "asset_id": "a"}, {"client_id": "c", "asset_id": "b"}, False),
        ({"client_id": "c", "asset_id": "a"}, {"client_id": "c", "asset_id": "a"}, True),
    ],
)
def test_every_scope_must_fit(scope: dict[str, Any], target: dict[str, Any], taken: bool) -> None:
    now = at("2026-06-12T03:00:00Z")
    open_now = window(starts_at=now - timedelta(hours=1), ends_at=now + timedelta(hours=1), **scope)
    asked = {"integration_id": CONNECTION, "client_id": None, "asset_id": None} | target
    assert bool(matching([open_now], now, **asked)) is taken


def test_all_that_hold_are_named_in_their_order() -> None:
    now = at("2026-06-12T03:00:00Z")
    names = ["a", "b", "c"]
    found = [window(name=n, starts_at=now, ends_at=now + timedelta(hours=1)) for n in names]
    found.insert(1, window(name="over", starts_at=now - timedelta(hours=2), ends_at=now))
    held = matching(found, now, integration_id=CONNECTION, client_id=None, asset_id=None)
    assert [one.name for one in held] == names


TIMES = st.times().map(lambda t: f"{t:%H:%M}")


@given(
    TIMES,
    TIMES,
    st.sets(st.integers(0, 6), min_size=1),
    st.sampled_from(["UTC", NEW_YORK, "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_weekly_says_what_the_wall_clock_says(
    start: str, end: str, days: set[int], zone: str, moment: datetime
) -> None:
    if start == end:
        return
    local = moment.astimezone(ZoneInfo(zone))
    clock, today = f"{local:%H:%M}", local.isoweekday() % 7
    if start < end:
        expected = today in days and start <= clock < end
    else:
        expected = (today in days and clock >= start) or ((today - 1) % 7 in days and clock < end)
    assert holds(weekly(start, end, *days, zone=zone), moment) is expected
