"""Pages of a list: sorted, behind an opaque token that stands for the last row of the page before.

The order holds while rows come and go: a row that changes between two pages moves to its new place.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

import msgspec
from flask import request

from simulators.huntress.endpoints import number, word
from simulators.huntress.replies import refusal


class Numbered(Protocol):
    """A row with an id."""

    id: int


T = TypeVar("T", bound=Numbered)
Sorts = Mapping[str, Callable[[Any], Any]]

BY_TIME: Sorts = {
    "id": lambda one: one.id,
    "created_at": lambda one: one.created,
    "updated_at": lambda one: one.updated,
}
MOST = 500
USUAL = 10


def listing(name: str, rows: Iterable[T], show: Callable[[T], Any], sorts: Sorts = BY_TIME) -> dict[str, Any]:
    """The page a request asks for."""
    field = word("sort_field", tuple(sorts)) or "id"
    descending = (word("sort_direction", ("asc", "desc")) or "desc") == "desc"
    limit = _limit()
    ordered = sorted(rows, key=lambda one: (sorts[field](one), one.id), reverse=descending)
    last = _last(field, descending=descending)
    if last is not None:
        ordered = [one for one in ordered if _is_behind((sorts[field](one), one.id), last, down=descending)]
    page = ordered[:limit]
    found: dict[str, Any] = {name: [show(one) for one in page], "pagination": {}}
    if len(ordered) > limit:
        token = _token(field, sorts[field](page[-1]), page[-1].id, descending=descending)
        found["pagination"] = {"next_page_token": token, "next_page_url": _url(token, limit)}
    return found


def _limit() -> int:
    given = number("limit")
    limit = USUAL if given is None else given
    if not 1 <= limit <= MOST:
        raise refusal(400, "limit does not have a valid value")
    return limit


def _is_behind(place: tuple[Any, int], last: tuple[Any, int], *, down: bool) -> bool:
    return place < last if down else place > last


def _token(field: str, value: Any, row_id: int, *, descending: bool) -> str:
    text = msgspec.json.encode([field, descending, value, row_id])
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _last(field: str, *, descending: bool) -> tuple[Any, int] | None:
    """Where the page before ended; a 400 for a token of another order or of nobody's making."""
    given = request.args.get("page_token")
    if not given:
        return None
    try:
        text = base64.urlsafe_b64decode(given + "=" * (-len(given) % 4))
        made = msgspec.json.decode(text, type=tuple[str, bool, Any, int])
    except (ValueError, msgspec.DecodeError) as error:
        raise refusal(400, "page_token is invalid") from error
    if made[:2] != (field, descending):
        raise refusal(400, "page_token is invalid")
    return made[2], made[3]


def _url(token: str, limit: int) -> str:
    kept = [
        (key, value) for key, value in request.args.items(multi=True) if key not in ("page_token", "limit")
    ]
    return f"{request.base_url}?{urlencode([*kept, ('page_token', token), ('limit', limit)])}"
