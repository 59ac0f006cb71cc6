"""Pages of bare lists: the rows after an id. There is no Link header and no count."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import TypeVar

from simulators.ninjaone.endpoints import lab, number, page_size

T = TypeVar("T")


def after_page(rows: Mapping[int, T], wanted: Callable[[T], bool] = lambda _: True) -> list[T]:
    """The page a request asks for; `rows` are in the order of their ids."""
    settings = lab().settings
    size = page_size(settings.default_page_size, settings.max_page_size)
    ids = list(rows)
    start = bisect_right(ids, number("after", -1) or -1)
    page: list[T] = []
    for row_id in ids[start:]:
        if wanted(rows[row_id]):
            page.append(rows[row_id])
            if len(page) == size:
                break
    return page
