"""Fetching the next page while the present one is worked on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
_END = object()


def prefetch(source: Iterator[T], *, cancel: Callable[[], None] | None = None) -> Iterator[T]:
    """The items of ``source``, the next one made in a thread while the consumer works on the last.

    An error of the source is raised in its place among the items. When the consumer stops early, ``cancel``
    is called to cut short what the source is doing; thread and source have ended when the iterator is closed.
    """
    finished = False
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rmm-prefetch")
    try:
        ahead = pool.submit(_step, source)
        while (item := ahead.result()) is not _END:
            ahead = pool.submit(_step, source)
            yield item  # type: ignore[misc]
        finished = True
    finally:
        if not finished and cancel is not None:
            cancel()
        pool.shutdown(wait=True, cancel_futures=True)
        _close(source)


def _step(source: Iterator[T]) -> object:
    return next(source, _END)


def _close(source: Iterator[T]) -> None:
    close = getattr(source, "close", None)
    if close is not None:
        close()
