"""Numbers into shapes."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from rmm_extension.blueprints.charts import TALL, columns, round_up, shares
from rmm_extension.services.queries.overview import Day

COUNTS = some.integers(min_value=0, max_value=10**7)


@given(some.lists(COUNTS, max_size=6))
def test_shares_fill_the_whole_and_each_can_be_seen(values: list[int]) -> None:
    found = shares((str(at), str(at), value, None) for at, value in enumerate(values))
    assert [share.value for share in found] == [value for value in values if value]
    if found:
        assert sum(share.length for share in found) == pytest.approx(100)
        assert found[0].start == 0
        assert all(share.length > 1 for share in found)
    for share, following in pairwise(found):
        assert following.start == pytest.approx(share.start + share.length)


def test_shares_are_true_where_they_can_be() -> None:
    found = shares([("a", "A", 3, None), ("b", "B", 0, None), ("c", "C", 1, "/c")])
    assert [(share.key, share.length) for share in found] == [("a", 75), ("c", 25)]


@given(some.lists(some.tuples(COUNTS, COUNTS), min_size=1, max_size=30))
def test_columns_stay_within_the_drawing(values: list[tuple[int, int]]) -> None:
    found = columns([Day(date(2026, 1, 1) + timedelta(days=at), *pair) for at, pair in enumerate(values)])
    assert found.width == 10 * len(values)
    assert (found.alerts, found.tickets) == (sum(a for a, _ in values), sum(t for _, t in values))
    for one in found.days:
        for value, height in ((one.alerts, one.alerts_height), (one.tickets, one.tickets_height)):
            assert (height > 0) == (value > 0)
            assert height <= TALL


@pytest.mark.parametrize(
    "value, end",
    [(0, 1), (1, 1), (7, 7), (10, 10), (11, 12), (21, 25), (99, 100), (100, 100), (101, 120), (4_321, 5_000)],
)
def test_a_scale_ends_with_a_round_number(value: int, end: int) -> None:
    assert round_up(value) == end
