"""Times of windows in words."""

from __future__ import annotations

from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rmm_extension.domain.window_words import span, times
from rmm_extension.domain.windows import Window
from tests.domain.test_windows import FRIDAY, SATURDAY, SUNDAY, at, one_off, weekly, window


@pytest.mark.parametrize(
    "found, words",
    [
        (
            weekly("22:00", "02:00", FRIDAY, zone="UTC"),
            "Every Friday, 22:00 to 02:00 the next day, UTC",
        ),
        (
            weekly("02:00", "03:30", SUNDAY, SATURDAY, 1, zone="Europe/Berlin"),
            "Every Monday, Saturday and Sunday, 02:00 to 03:30, Europe/Berlin",
        ),
        (weekly("22:00", "00:00", *range(7), zone="UTC"), "Every day, 22:00 to 00:00 the next day, UTC"),
        (weekly("08:00", "09:00", *range(1, 6), zone="UTC"), "Every Monday to Friday, 08:00 to 09:00, UTC"),
        (weekly("08:00", "09:00", zone="UTC"), "Every no day, 08:00 to 09:00, UTC"),
        (one_off("2026-06-02T02:00Z", "2026-06-02T04:00Z"), "Tue 2 Jun 2026, 02:00 to 04:00 UTC"),
        (
            one_off("2026-12-31T23:00+01:00", "2027-01-01T03:00+01:00"),
            "Thu 31 Dec 2026, 22:00 to Fri 02:00 UTC",
        ),
        (
            one_off("2026-06-02T02:00Z", "2026-06-09T02:00Z"),
            "Tue 2 Jun 2026, 02:00 to Tue 9 Jun 2026, 02:00 UTC",
        ),
        (window(), "Never"),
    ],
)
def test_times(found: Window, words: str) -> None:
    assert times(found) == words


@pytest.mark.parametrize("value", [{"days": None}, {"days": 5, "startTime": None}, {"type": "x"}])
def test_what_cannot_be_read_is_said_somehow(value: dict[str, Any]) -> None:
    assert times(window(recurrence=value)).startswith("Every no day")


def test_a_span_by_the_clock_of_its_zone() -> None:
    found = at("2026-06-12T22:30Z"), at("2026-06-13T01:00Z")
    assert span(found, UTC) == "Fri 12 Jun 2026, 22:30 to Sat 01:00"
    assert span(found, ZoneInfo("Europe/Berlin")) == "Sat 13 Jun 2026, 00:30 to 03:00"
