"""Pages of a list: so many rows after, or before, the one with an id."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flask import request

from simulators.levelio.endpoints import lab
from simulators.levelio.ids import number_of
from simulators.levelio.models import Row
from simulators.levelio.replies import malformed, missing, unfit

T = TypeVar("T", bound=Row)
DEFAULT, MOST = 20, 100


def page(
    rows: Mapping[str, T], tell: Callable[[T], dict[str, Any]], wanted: Callable[[T], bool] = lambda _: True
) -> dict[str, Any]:
    """The page a request asks for, and whether there is more in its direction; rows are in their order."""
    limit, found = _limit(), [one for one in rows.values() if wanted(one)]
    after, before = _cursor(rows, "starting_after"), _cursor(rows, "ending_before")
    if after is not None and before is not None:
        raise malformed("starting_after and ending_before exclude each other")
    numbers = [one.number for one in found]
    if before is not None:
        rest = found[: bisect_left(numbers, before)]
        shown = rest[-limit:]
    else:
        rest = found[bisect_right(numbers, after) :] if after is not None else found
        shown = rest[:limit]
    return {"data": [tell(one) for one in shown], "has_more": len(rest) > len(shown)}


def _limit() -> int:
    given = request.args.get("limit", str(DEFAULT))
    try:
        limit = int(given)
    except ValueError as error:
        raise malformed("limit must be an integer") from error
    if not 1 <= limit <= MOST:
        raise unfit(f"limit must be between 1 and {MOST}")
    return limit


def _cursor(rows: Mapping[str, T], name: str) -> int | None:
    """The number of the row a cursor names, which may be gone by now."""
    given = request.args.get(name)
    if given is None:
        return None
    if given in rows:
        return rows[given].number
    kind = next(iter(rows.values())).kind if rows else ""
    number = number_of(kind, given)
    if number is None:
        raise unfit(f"{name} is no id of this list")
    if lab().settings.gone_cursor == "refused":
        raise missing("The object of the cursor")
    return number
