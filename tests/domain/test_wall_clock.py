"""Wall clocks and instants, over changes of the clocks."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.wall_clock import find_zone, instant
from tests.domain.test_windows import NEW_YORK, at


@pytest.mark.parametrize(
    "shown, meant",
    [
        ("2026-06-12T10:00", "2026-06-12T14:00Z"),
        ("2026-12-12T10:00", "2026-12-12T15:00Z"),
        ("2026-03-08T02:30", None),
        ("2026-03-08T03:00", "2026-03-08T07:00Z"),
        ("2026-11-01T01:30", "2026-11-01T05:30Z"),
    ],
)
def test_what_new_york_shows(shown: str, meant: str | None) -> None:
    expected = at(meant) if meant else None
    assert instant(datetime.fromisoformat(shown), ZoneInfo(NEW_YORK)) == expected


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(ZoneInfo("Europe/Berlin")))  # noqa: DTZ001
)
def test_what_a_clock_showed_leads_back(moment: datetime) -> None:
    shown = moment.astimezone(ZoneInfo("UTC")).astimezone(ZoneInfo("Europe/Berlin")).replace(tzinfo=None)
    found = instant(shown.replace(fold=0), ZoneInfo("Europe/Berlin"))
    assert found is not None
    assert found.astimezone(ZoneInfo("Europe/Berlin")).replace(tzinfo=None) == shown.replace(fold=0)


@pytest.mark.parametrize("name", ["", "America", "Mars/Olympus", "../../etc/passwd", "x" * 300, "\x00"])
def test_unknown_zones(name: str) -> None:
    assert find_zone(name) is None
    assert find_zone("Europe/Berlin") == ZoneInfo("Europe/Berlin")
