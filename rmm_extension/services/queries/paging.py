"""Keyset pages: the next page starts behind the last row shown, however deep the list is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy import Row as SqlRow
from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session

PAGE = 50
CAP = 1000
"""Counts stop here and read “1,000+”."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

AnyRow: TypeAlias = "SqlRow[*tuple[Any, ...]]"
AnySelect: TypeAlias = "Select[*tuple[Any, ...]]"

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows in display order, with the cursors of the pages around them; ``None`` where there is none.

    ``total`` is how many rows there are in all, where that was found out on the way.
    """

    rows: Sequence[Row]
    before: str | None
    after: str | None
    total: int | None = None


def custom_plans(session: Session) -> None:
    """Plan every statement of this transaction with its values: a generic plan of a filter that is sometimes
    selective costs a hundred times as much."""
    session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))


def capped_count(session: Session, matching: AnySelect, cap: int = CAP) -> int:
    """How many rows match, at most one more than ``cap``."""
    few = matching.limit(cap + 1).subquery()
    return session.scalar(select(func.count()).select_from(few)) or 0


def cut(
    rows: Sequence[Row], limit: int, key: Callable[[Row], str], *, cursor: str | None, backwards: bool
) -> Page[Row]:
    """A page of ``limit`` rows from up to one more, which tells whether there is a further page."""
    more = len(rows) > limit
    shown = list(rows[:limit])
    if backwards:
        shown.reverse()
    first = key(shown[0]) if shown and (more if backwards else cursor is not None) else None
    last = key(shown[-1]) if shown and (True if backwards else more) else None
    return Page(shown, first, last)


def time_cursor(moment: datetime, id_: UUID) -> str:
    """The cursor of a row in a list by time."""
    return f"{(moment - _EPOCH) // timedelta(microseconds=1)}.{id_.hex}"


def read_time_cursor(cursor: str | None) -> tuple[datetime, UUID] | None:
    """What :func:`time_cursor` wrote; ``None`` for anything else."""
    head, _, tail = (cursor or "").partition(".")
    try:
        return _EPOCH + timedelta(microseconds=int(head)), UUID(hex=tail)
    except (ValueError, OverflowError):
        return None


def name_cursor(name: str, id_: UUID) -> str:
    """The cursor of a row in a list by name."""
    return f"{id_.hex}.{name}"


def read_name_cursor(cursor: str | None) -> tuple[str, UUID] | None:
    """What :func:`name_cursor` wrote; ``None`` for anything else."""
    head, _, tail = (cursor or "").partition(".")
    try:
        return tail, UUID(hex=head)
    except ValueError:
        return None


def contains(value: str) -> str:
    """A LIKE pattern for a part of a text, taken literally."""
    escaped = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
