"""Keyset pages: the next page starts behind the last row shown, however deep the list is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Select, func, select, text, true, tuple_
from sqlalchemy import Row as SqlRow
from sqlalchemy.orm import Session
from sqlalchemy.sql.base import ColumnCollection

PAGE = 50
CAP = 1000
"""Counts stop here and read “1,000+”."""
MATCHES = 2_000
"""Up to so many rows are read and then put in order; where there are more, they are read in order."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

AnyRow: TypeAlias = "SqlRow[*tuple[Any, ...]]"
AnySelect: TypeAlias = "Select[*tuple[Any, ...]]"

Columns: TypeAlias = "ColumnCollection[str, Any]"
Match: TypeAlias = Callable[[Columns], ColumnElement[bool]]
Order: TypeAlias = Callable[[Columns], Sequence[ColumnElement[Any]]]

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows match; ``more`` where there are at least so many."""

    number: int
    more: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows in display order, with the cursors of the pages around them; ``None`` where there is none.

    ``count`` is how many rows there are in all, where that was found out on the way.
    """

    rows: Sequence[Row]
    before: str | None
    after: str | None
    count: Count | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """Which way a page is read: on from where one cursor stands, or back from where another does.

    ``columns`` are the names of those the list is sorted by; ``place`` is what the cursor's row has in them,
    ``None`` at the beginning of the list and for a cursor that is none.
    """

    columns: tuple[str, ...]
    place: tuple[Any, ...] | None
    backwards: bool
    descending: bool

    @classmethod
    def of(
        cls,
        columns: tuple[str, ...],
        read: Callable[[str | None], tuple[Any, ...] | None],
        after: str | None,
        before: str | None,
        *,
        descending: bool,
    ) -> Way:
        """By the cursors of a request; ``descending`` is how the list itself is sorted."""
        backwards = before is not None
        return cls(columns, read(before or after), backwards, descending != backwards)

    def ahead(self, matching: AnySelect) -> AnySelect:
        """What of it is still to come."""
        if self.place is None:
            return matching
        here = tuple_(*(matching.selected_columns[name] for name in self.columns))
        return matching.where(here < self.place if self.descending else here > self.place)

    def order(self, columns: Columns) -> list[ColumnElement[Any]]:
        """In the order of reading."""
        place = [columns[name] for name in self.columns]
        return [column.desc() for column in place] if self.descending else place

    def ordered(self, matching: AnySelect) -> AnySelect:
        """The statement in the order of reading."""
        return matching.order_by(*self.order(matching.selected_columns))

    def page(
        self, rows: Sequence[Row], limit: int, key: Callable[[Row], str], count: Count | None = None
    ) -> Page[Row]:
        """The page of these rows, one more than ``limit`` where there are; ``count`` of all that is ahead is
        that of the list at its beginning only."""
        shown = cut(rows, limit, key, continued=self.place is not None, backwards=self.backwards)
        return shown if self.place else replace(shown, count=count)


def custom_plans(session: Session) -> None:
    """Plan every statement of this transaction with its values: a generic plan of a filter that is sometimes
    selective costs a hundred times as much. A page takes no parallel workers: starting them takes longer. The
    lists' indexes are in memory; with the costs of a disk that turns, a rare filter would read the table."""
    session.execute(_PLANS)


_PLANS = select(
    func.set_config("plan_cache_mode", "force_custom_plan", true()),
    func.set_config("max_parallel_workers_per_gather", "0", true()),
    func.set_config("random_page_cost", "1.1", true()),
)


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found among the first rows of a list: the first rows that match, and how many match in all.

    ``enough`` tells whether that is a whole page or all there is; else a further look is needed.
    """

    rows: Sequence[AnyRow]
    count: Count
    enough: bool


def look_among(
    session: Session, ordered: AnySelect, among: int, match: Match, order: Order, limit: int
) -> Looked:
    """Look for up to ``limit`` rows that match among the first ``among`` of an ordered statement.

    They are read along the index of that order: the planner, which cannot know how soon enough is found,
    would rather read and sort all there is.
    """
    near = ordered.limit(among).cte("near").prefix_with("MATERIALIZED", dialect="postgresql")
    hits = select(near).where(match(near.c)).cte("hits").prefix_with("MATERIALIZED", dialect="postgresql")
    first = select(hits).order_by(*order(hits.c)).limit(limit).subquery("first")
    numbers = select(
        select(func.count()).select_from(near).scalar_subquery().label("walked"),
        select(func.count()).select_from(hits).scalar_subquery().label("matched"),
    ).subquery("numbers")
    found = select(first, numbers).select_from(numbers.outerjoin(first, true())).order_by(*order(first.c))
    session.execute(text("SET LOCAL enable_sort = off"))
    rows = session.execute(found).all()
    session.execute(text("SET LOCAL enable_sort = on"))
    walked, matched = rows[0].walked, rows[0].matched
    count = Count(min(matched, CAP), matched > CAP or walked == among)
    return Looked(rows if matched else [], count, min(matched, limit) == limit or walked < among)


@dataclass(frozen=True, slots=True)
class First:
    """The first rows of those that match, and how many match: more than the cap where there are more."""

    rows: Sequence[AnyRow]
    number: int


Show: TypeAlias = Callable[[FromClause, ColumnElement[int]], AnySelect]


def first_rows(session: Session, matching: AnySelect, way: Way, limit: int, show: Show) -> First:
    """The first ``limit`` rows and their number, by one look for both.

    ``show`` adds to the first rows what the list shows of them, and the number as ``total``.
    """
    found = matching.cte("found").prefix_with("MATERIALIZED", dialect="postgresql")
    first = select(found).order_by(*way.order(found.c)).limit(limit).subquery("first")
    total = select(func.count()).select_from(found).scalar_subquery().label("total")
    rows = session.execute(show(first, total).order_by(*way.order(first.c))).all()
    return First(rows, rows[0].total if rows else 0)


def first_in_order(session: Session, matching: AnySelect, way: Way, limit: int, show: Show) -> First:
    """As :func:`first_rows`, read along the index of the order, only as far as needed."""
    return first_rows(session, way.ordered(matching).limit(max(limit, CAP + 1)), way, limit, show)


def first_of_few(session: Session, matching: AnySelect, way: Way, limit: int, show: Show) -> First:
    """As :func:`first_rows`, for what may be rare, where the index that finds it knows no order."""
    found = first_rows(session, matching.limit(MATCHES + 1), way, limit, show)
    return found if found.number <= MATCHES else first_in_order(session, matching, way, limit, show)


def up_to_cap(number: int) -> Count:
    """A count that stops at :data:`CAP`."""
    return Count(min(number, CAP), number > CAP)


def count_up_to_cap(session: Session, matching: AnySelect) -> Count:
    """How many rows match, up to :data:`CAP`."""
    return up_to_cap(capped_count(session, matching))


def capped_count(session: Session, matching: AnySelect, cap: int = CAP) -> int:
    """How many rows match, at most one more than ``cap``."""
    few = matching.limit(cap + 1).subquery()
    return session.scalar(select(func.count()).select_from(few)) or 0


def cut(
    rows: Sequence[Row], limit: int, key: Callable[[Row], str], *, continued: bool, backwards: bool
) -> Page[Row]:
    """A page of ``limit`` rows from up to one more, which tells whether there is a further page.

    ``continued``: it stands behind another one.
    """
    more = len(rows) > limit
    shown = list(rows[:limit])
    if backwards:
        shown.reverse()
    first = key(shown[0]) if shown and (more if backwards else continued) else None
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
