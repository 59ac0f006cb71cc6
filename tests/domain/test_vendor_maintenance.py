"""Which devices are to be in maintenance at their vendor, and what becomes of one when windows change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.vendor_maintenance import (
    Forget,
    Stand,
    VendorState,
    Wish,
    counted,
    following,
    gap,
    running,
)
from tests.domain.test_windows import FRIDAY, NEW_YORK, at, one_off, weekly

NOW = datetime(2026, 11, 21, 22, tzinfo=UTC)
SOON, HOUR, LATER = (NOW + timedelta(**one) for one in ({"seconds": 30}, {"hours": 1}, {"hours": 3}))
BEFORE = NOW - timedelta(hours=1)
ONE, OTHER = UUID(int=1), UUID(int=2)
WANTED, SET, FAILED, ENDING = VendorState.WANTED, VendorState.SET, VendorState.FAILED, VendorState.ENDING


def wish(until: datetime = HOUR, window: UUID = ONE) -> Wish:
    return Wish(window, f"W{window.int}", until)


def stand(
    state: VendorState = SET,
    until: datetime = HOUR,
    told: datetime | None = HOUR,
    window: UUID = ONE,
) -> Stand:
    return Stand(window, f"W{window.int}", state, until, told)


@pytest.mark.parametrize(
    "before, wanted, after",
    [
        # Nothing is known of it yet.
        (None, None, None),
        (None, wish(), stand(WANTED, told=None)),
        (None, wish(SOON), None),
        # The window goes on.
        (stand(SET), wish(), None),
        (stand(WANTED, told=None), wish(), None),
        (stand(FAILED, told=None), wish(), None),
        # Its end is another one, or another window's.
        (stand(SET), wish(LATER), stand(WANTED, LATER, HOUR)),
        (stand(SET), wish(SOON), stand(WANTED, SOON, HOUR)),
        (stand(FAILED, told=None), wish(LATER), stand(WANTED, LATER, None)),
        (stand(SET), wish(LATER, OTHER), stand(WANTED, LATER, HOUR, OTHER)),
        (stand(SET), wish(HOUR, OTHER), stand(SET, window=OTHER)),
        (stand(SET), replace(wish(), window_name="Renamed"), replace(stand(SET), window_name="Renamed")),
        # It was taken out, and is wanted again: the vendor may have been asked already.
        (stand(ENDING), wish(), stand(WANTED)),
        # No window wants it any more.
        (stand(SET), None, stand(ENDING)),
        (stand(FAILED, LATER, HOUR), None, stand(ENDING, HOUR, HOUR)),
        (stand(WANTED, LATER, LATER), None, stand(ENDING, LATER, LATER)),
        (stand(WANTED, told=None), None, Forget()),
        (stand(FAILED, told=None), None, Forget()),
        (stand(ENDING), None, None),
        # It ended by itself.
        (stand(SET, BEFORE, BEFORE), None, Forget()),
        (stand(ENDING, BEFORE, BEFORE), None, Forget()),
        (stand(WANTED, BEFORE, None), None, Forget()),
        (stand(SET, NOW, NOW), None, Forget()),
        # Shortened in vain: the vendor still knows the later end.
        (stand(FAILED, BEFORE, HOUR), None, stand(ENDING)),
        # The next time of the window begins where the last one ended.
        (stand(SET, NOW, NOW), wish(HOUR), stand(WANTED, HOUR, NOW)),
    ],
)
def test_what_becomes_of_a_device(
    before: Stand | None, wanted: Wish | None, after: Stand | Forget | None
) -> None:
    assert following(before, wanted, NOW) == after


moments = st.integers(-5, 5).map(lambda hours: NOW + timedelta(hours=hours, minutes=7))
stands = st.none() | st.builds(
    stand, st.sampled_from(list(VendorState)), moments, st.none() | moments, st.sampled_from([ONE, OTHER])
)
wishes = st.none() | st.builds(
    wish, st.integers(1, 5).map(lambda hours: NOW + timedelta(hours=hours)), st.sampled_from([ONE, OTHER])
)


@given(stands, wishes)
def test_one_look_is_enough_and_nothing_the_vendor_may_know_is_forgotten(
    before: Stand | None, wanted: Wish | None
) -> None:
    after = following(before, wanted, NOW)
    if isinstance(after, Forget):
        assert wanted is None
        assert before is not None
        assert before.told_until is None or before.told_until <= NOW
        return
    found = after or before
    assert following(found, wanted, NOW) is None
    if before is not None and after is not None:
        assert after.told_until == before.told_until
    if wanted is None and found is not None:
        assert found.state is ENDING
    if wanted is not None:
        assert found is not None
        assert (found.window_id, found.until) == (wanted.window_id, wanted.until)
        assert found.state is not ENDING


def test_windows_that_hold_now_tell_their_end_by_the_clock_on_their_wall() -> None:
    night = weekly("22:00", "02:00", FRIDAY, zone=NEW_YORK)
    past = one_off("2026-06-12T01:00Z", "2026-06-12T02:00Z")
    now = at("2026-06-13T03:00Z")
    (found,) = running([past, night], now)
    assert (found.window, found.until) == (night, at("2026-06-13T06:00Z"))
    assert running([night], at("2026-06-13T06:00Z")) == []


def test_gaps_grow_up_to_half_an_hour() -> None:
    assert [gap(attempts) // timedelta(minutes=1) for attempts in (0, 1, 2, 3, 5, 6, 99)] == [
        1,
        1,
        2,
        4,
        16,
        30,
        30,
    ]


def test_how_many_stand_where_in_words() -> None:
    assert counted({"failed": 1, "set": 1200}) == ["1,200 set", "1 failed"]
    assert counted({}) == []
