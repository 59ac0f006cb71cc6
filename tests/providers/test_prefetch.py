"""Reading one item ahead."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from rmm_extension.providers.prefetch import prefetch


def _workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("rmm-prefetch")]


def test_all_items_in_order_and_no_thread_left() -> None:
    assert list(prefetch(iter(range(50)))) == list(range(50))
    assert _workers() == []


def test_the_next_item_is_made_while_the_last_is_worked_on() -> None:
    made = [threading.Event() for _ in range(4)]

    def source() -> Iterator[int]:
        for number, event in enumerate(made):
            event.set()
            yield number

    items = prefetch(source())
    assert next(items) == 0
    assert made[1].wait(5)
    # Bounded: the one after the next waits until it is asked for.
    assert not made[3].is_set()
    assert list(items) == [1, 2, 3]


def test_an_error_comes_in_its_place() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise ValueError("broke")

    items = prefetch(source())
    assert next(items) == 1
    with pytest.raises(ValueError, match="broke"):
        next(items)
    assert _workers() == []


def test_stopping_early_cancels_and_cleans_up() -> None:
    cancelled, closed = threading.Event(), threading.Event()

    def source() -> Iterator[int]:
        try:
            yield 1
            cancelled.wait(5)
            yield 2
        finally:
            closed.set()

    items = prefetch(source(), cancel=cancelled.set)
    next(items)
    items.close()  # type: ignore[attr-defined]
    assert cancelled.is_set()
    assert closed.is_set()
    assert _workers() == []


def test_a_source_that_ends_is_not_cancelled() -> None:
    cancelled = threading.Event()
    assert list(prefetch(iter([1]), cancel=cancelled.set)) == [1]
    assert not cancelled.is_set()
