"""Patches across the fleet: which ones devices wait for, failed at or got, and on how many devices each is.

A million rows say who has what; a patch is known by its name. A page jumps along the index from one name to
the next, and counts the devices of the names it shows alone, up to a cap.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Text,
    and_,
    column,
    distinct,
    func,
    literal,
    select,
    true,
    values,
)
from sqlalchemy.orm import Session

from rmm_extension.domain.patches import PatchKind
from rmm_extension.models import DevicePatch, DeviceRow

from .device_patches import PATCH, is_severity, spelled
from .paging import (
    CAP,
    PAGE,
    AnyRow,
    AnySelect,
    Count,
    Page,
    Way,
    contains,
    count_up_to_cap,
    first_rows,
    up_to_cap,
)
from .whose import DEVICES, Whose

NAMES = 20_000
"""So many names, one after another, are looked at for a text."""
_TABLE = DevicePatch.__table__


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchesFilter:
    """Which patches on whose devices: those with one of ``statuses``, at least one."""

    statuses: Sequence[str]
    kind: str | None = None
    severity: str | None = None
    text: str | None = None
    whose: Whose = field(default_factory=Whose)

    @property
    def kinds(self) -> Sequence[str]:
        """The kinds to look at, each by its part of the index."""
        return [self.kind] if self.kind else [kind.value for kind in PatchKind]

    def on(self, columns: Any, tenant_id: str) -> list[ColumnElement[bool]]:
        """The conditions on a row, but for its name and whose it is."""
        found = [
            columns.tenant_id == tenant_id,
            columns.status.in_(self.statuses),
            columns.kind.in_(self.kinds),
        ]
        return [*found, is_severity(columns.severity, self.severity)] if self.severity else found


def patch_page(
    session: Session,
    tenant_id: str,
    wanted: PatchesFilter,
    *,
    after: str | None = None,
    before: str | None = None,
    limit: int = PAGE,
    turned: bool = False,
) -> Page[AnyRow]:
    """Patches by name with their devices, one more than the cap where there are more, and what one row says
    of kind, severity and article. The page behind the cursor ``after``, or the one in front of
    ``before``: a cursor is a name."""
    way = Way.of(("name",), _place, after, before, descending=turned)
    found = _found(session, tenant_id, wanted, way)
    first = first_rows(
        session, found.matching, way, limit + 1, lambda rows, total: _with_all(found, rows, total)
    )
    return way.page(first.rows, limit, lambda row: str(row.name), up_to_cap(first.number))


def patch_count(session: Session, tenant_id: str, wanted: PatchesFilter) -> Count:
    """How many names match, up to the cap."""
    way = Way(("name",), None, backwards=False, descending=False)
    return count_up_to_cap(session, _found(session, tenant_id, wanted, way).matching)


def patch_names(session: Session, tenant_id: str, wanted: PatchesFilter, most: int) -> list[str]:
    """The names that match, in order; one more than ``most`` where there are too many."""
    way = Way(("name",), None, backwards=False, descending=False)
    found = _found(session, tenant_id, wanted, way).matching.limit(most + 1)
    return [str(name) for name in session.scalars(found)]


def _place(cursor: str | None) -> tuple[str] | None:
    return (cursor,) if cursor else None


@dataclass(frozen=True, slots=True)
class _Found:
    """Names that match, and how the figures of those that are shown are joined to them."""

    matching: AnySelect
    figures: Callable[[FromClause], Sequence[FromClause]]


def _found(session: Session, tenant_id: str, wanted: PatchesFilter, way: Way) -> _Found:
    """By the devices where they are few: all they have is read. Else from name to name."""
    if wanted.whose.are_few(session, tenant_id):
        return _by_device(tenant_id, wanted, way)
    return _by_name(tenant_id, wanted, way)


def _by_name(tenant_id: str, wanted: PatchesFilter, way: Way) -> _Found:
    listed = wanted.whose.listed(tenant_id)
    walk = _walk(tenant_id, wanted, way, listed)
    matching = _in_order(select(walk.c.name).distinct(), walk, wanted, way)

    def having(name: ColumnElement[str], number: int) -> AnySelect:
        theirs = wanted.whose.on(listed, PATCH.device_id)
        rows = select(PATCH.device_id, PATCH.kind, PATCH.severity, PATCH.kb)
        return rows.where(*wanted.on(PATCH, tenant_id), PATCH.name == name, theirs).limit(number)

    def figures(first: FromClause) -> Sequence[FromClause]:
        few = having(first.c.name, CAP + 1).with_only_columns(PATCH.device_id)
        few_ = few.correlate(first).lateral("few")
        counted = select(func.count(distinct(few_.c.device_id)).label("devices"))
        one = having(first.c.name, 1).with_only_columns(PATCH.kind, PATCH.severity, PATCH.kb)
        return counted.lateral("counted"), one.correlate(first).lateral("one")

    return _Found(matching, figures)


def _walk(tenant_id: str, wanted: PatchesFilter, way: Way, listed: CTE) -> CTE:
    """The names of each status and kind, one jump in their index each, and the article of one row."""
    most = NAMES if wanted.text else CAP + 1
    pairs = [(status, kind) for status in wanted.statuses for kind in wanted.kinds]
    parts = values(column("status", Text), column("kind", Text), name="parts").data(pairs)

    def next_of(part: FromClause, behind: ColumnElement[str] | None, name: str) -> FromClause:
        row = _TABLE.alias(f"{name}_row")
        here = [row.c.tenant_id == tenant_id, row.c.status == part.c.status, row.c.kind == part.c.kind]
        if behind is not None:
            here.append(row.c.name < behind if way.descending else row.c.name > behind)
        if wanted.severity:
            here.append(is_severity(row.c.severity, wanted.severity))
        theirs = wanted.whose.on(listed, row.c.device_id)
        order = row.c.name.desc() if way.descending else row.c.name
        found = select(row.c.name, row.c.kb).where(*here, theirs).order_by(order).limit(1)
        return found.correlate(part).lateral(name)

    start = next_of(parts, literal(way.place[0]) if way.place else None, "start")
    steps = select(parts.c.status, parts.c.kind, start.c.name, start.c.kb, literal(1).label("step"))
    walk = steps.select_from(parts.join(start, true())).cte("walk", recursive=True)
    later = next_of(walk, walk.c.name, "later")
    jumps = select(walk.c.status, walk.c.kind, later.c.name, later.c.kb, walk.c.step + 1)
    return walk.union_all(jumps.select_from(walk.join(later, true())).where(walk.c.step < most))


def _by_device(tenant_id: str, wanted: PatchesFilter, way: Way) -> _Found:
    same = and_(DEVICES.tenant_id == PATCH.tenant_id, DEVICES.id == PATCH.device_id)
    columns = (func.min(part).label(part.key) for part in (PATCH.kind, PATCH.severity, PATCH.kb))
    theirs = (
        select(PATCH.name, func.count(distinct(PATCH.device_id)).label("devices"), *columns)
        .join_from(DeviceRow.__table__, _TABLE, same)
        .where(*wanted.whose.devices(tenant_id), *wanted.on(PATCH, tenant_id))
        .group_by(PATCH.name)
        .cte("theirs")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    names = select(theirs.c.name)
    if way.place:
        names = names.where(theirs.c.name < way.place[0] if way.descending else theirs.c.name > way.place[0])

    def figures(first: FromClause) -> Sequence[FromClause]:
        return (select(theirs).where(theirs.c.name == first.c.name).lateral("figures"),)

    return _Found(_in_order(names, theirs, wanted, way), figures)


def _in_order(names: AnySelect, of: CTE, wanted: PatchesFilter, way: Way) -> AnySelect:
    if wanted.text:
        names = names.where(spelled(of.c.name, of.c.kb).ilike(contains(wanted.text)))
    return way.ordered(names).limit(CAP + 1)


def _with_all(found: _Found, first: FromClause, total: ColumnElement[int]) -> AnySelect:
    """The names with their figures."""
    joined, columns = first, [first.c.name]
    for part in found.figures(first):
        joined = joined.outerjoin(part, true())
        columns += [one for one in part.c if one.key in ("devices", "kind", "severity", "kb")]
    return select(*columns, total).select_from(joined)
