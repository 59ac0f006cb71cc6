"""What a list that leaves alerts out proves, as a table and as properties."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.services.reconcile.guard import Suspicion, Verdict, judge

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=60)


def ids(*numbers: int) -> frozenset[UUID]:
    return frozenset(UUID(int=number) for number in numbers)


def first(*numbers: int, since: datetime = NOW, open_here: int = 3) -> Suspicion:
    return Suspicion(since, ids(*numbers), open_here)


def verdict(
    *missing: int, earlier: Suspicion | None = None, listed: int = 0, open_here: int = 3, at: datetime = LATER
) -> Verdict:
    return judge(earlier, sorted(ids(*missing)), listed=listed, open_here=open_here, began=at)


def test_nothing_missing_settles_everything() -> None:
    assert verdict(earlier=first(1)) == Verdict(frozenset())


def test_a_list_with_alerts_proves_that_a_few_are_over() -> None:
    assert verdict(1, listed=1) == Verdict(ids(1))
    assert verdict(1, listed=1, earlier=first(1, 2)) == Verdict(ids(1))


def test_an_empty_list_waits_for_a_second_look() -> None:
    assert verdict(1, at=NOW) == Verdict(frozenset(), first(1))


@pytest.mark.parametrize(
    "missing, open_here, waits",
    [(20, 20, False), (21, 42, False), (21, 41, True), (21, 21, True), (500, 1000, False), (501, 1000, True)],
)
def test_many_at_once_wait_for_a_second_look(missing: int, open_here: int, waits: bool) -> None:
    found = verdict(*range(missing), listed=7, open_here=open_here)
    assert (found.waiting is not None) is waits
    assert len(found.over) == (0 if waits else missing)


@pytest.mark.parametrize("seconds, counts", [(0, False), (59, False), (60, True), (3600, True)])
def test_the_second_look_comes_a_minute_later(seconds: int, counts: bool) -> None:
    found = verdict(1, earlier=first(1), at=NOW + timedelta(seconds=seconds))
    assert found == (Verdict(ids(1)) if counts else Verdict(frozenset(), first(1)))


def test_only_what_is_missing_in_both_is_over_and_the_rest_waits_anew() -> None:
    found = verdict(1, 3, earlier=first(1, 2))
    assert found == Verdict(ids(1), first(3, since=LATER))


def test_a_look_that_comes_too_early_takes_back_but_adds_nothing() -> None:
    found = verdict(1, 3, earlier=first(1, 2), at=NOW + timedelta(seconds=30))
    assert found == Verdict(frozenset(), first(1))
    found = verdict(3, earlier=first(1, 2), at=NOW + timedelta(seconds=30))
    assert found == Verdict(frozenset(), first(3, since=NOW + timedelta(seconds=30)))


def test_what_is_waited_for_survives_its_storing() -> None:
    waiting = Suspicion(NOW, ids(*range(30)), 40)
    assert Suspicion.read(waiting.stored()) == waiting
    assert waiting.stored()["mass"] is True
    assert first(1).stored()["mass"] is False
    assert waiting.look_again_at == LATER
    assert Suspicion.read({}) is None


@given(
    missing=st.frozensets(st.integers(0, 60)),
    suspects=st.frozensets(st.integers(0, 60)),
    listed=st.integers(0, 3),
    seconds=st.integers(0, 120),
)
def test_nothing_is_over_that_is_not_missing_now(
    missing: frozenset[int], suspects: frozenset[int], listed: int, seconds: int
) -> None:
    earlier = first(*suspects) if suspects else None
    found = verdict(
        *missing, earlier=earlier, listed=listed, open_here=60, at=NOW + timedelta(seconds=seconds)
    )
    assert found.over <= ids(*missing)
    waiting = found.waiting.suspects if found.waiting else frozenset()
    assert not waiting & found.over
    assert waiting <= ids(*missing)
    if not listed:
        assert found.over <= ids(*suspects)
