"""The pace of requests: no window holds more than the burst and what its length gives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.errors import RateLimited
from rmm_extension.domain.pace import MemoryPace, Rate, next_turn

RATES = st.builds(Rate, interval=st.floats(0.01, 30), burst=st.integers(1, 20))
GAPS = st.lists(st.floats(0, 40), min_size=1, max_size=60)


@given(RATES, GAPS)
def test_no_window_holds_more_than_burst_and_length_allow(rate: Rate, gaps: list[float]) -> None:
    sent = _sent(rate, gaps, patience=float("inf"))
    _holds(rate, sent)


@given(RATES, GAPS, st.floats(0, 60))
def test_what_was_refused_is_not_counted(rate: Rate, gaps: list[float], patience: float) -> None:
    sent = _sent(rate, gaps, patience)
    _holds(rate, sent)
    # Whoever comes after a rest as long as the whole burst finds it all there again.
    rested = sum(gaps) + rate.interval * (rate.burst + 1) + patience
    following = _following(rate, gaps, patience)
    assert next_turn(following, rested, rate)[1] == 0


@pytest.mark.parametrize("burst, waits", [(1, [0, 2, 4]), (2, [0, 0, 2]), (3, [0, 0, 0])])
def test_a_burst_goes_at_once_and_then_one_by_one(burst: int, waits: list[float]) -> None:
    rate, following, found = Rate(interval=2, burst=burst), 0.0, []
    for _ in waits:
        following, wait = next_turn(following, 100.0, rate)
        found.append(wait)
    assert found == waits


def test_a_turn_beyond_the_patience_is_refused_with_the_time_until_it() -> None:
    pace, rate = MemoryPace(), Rate(interval=3600, burst=2)
    assert [pace.turn("one", rate, 5), pace.turn("one", rate, 5)] == [0, 0]
    for _ in range(3):
        with pytest.raises(RateLimited) as refused:
            pace.turn("one", rate, 5)
        assert refused.value.status is None
        assert 3000 < refused.value.retry_after <= 3600, "each refusal leaves the turn where it was"
    assert pace.turn("another", rate, 5) == 0


def _turns(rate: Rate, gaps: list[float], patience: float) -> list[tuple[float, float]]:
    """When each request was sent that had its turn, with when the account is even again."""
    now, following, turns = 0.0, 0.0, []
    for gap in gaps:
        now += gap
        then, wait = next_turn(following, now, rate)
        if wait <= patience:
            following = then
            turns.append((now + wait, following))
    return turns


def _sent(rate: Rate, gaps: list[float], patience: float) -> list[float]:
    return [sent for sent, _ in _turns(rate, gaps, patience)]


def _following(rate: Rate, gaps: list[float], patience: float) -> float:
    return max((following for _, following in _turns(rate, gaps, patience)), default=0.0)


def _holds(rate: Rate, sent: list[float]) -> None:
    assert sent == sorted(sent)
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            length = sent[last] - sent[first]
            assert last - first + 1 <= rate.burst + length / rate.interval + 1e-6
