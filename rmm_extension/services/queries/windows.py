"""Maintenance windows for pages: their state, their names, and what they suppress at the moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from rmm_extension.domain.vendor_maintenance import counted
from rmm_extension.domain.windows import Range, Window, holds, next_occurrences
from rmm_extension.models import WINDOW_SQL, Alert, DeviceRow, MaintenanceWindow
from rmm_extension.services.context import Rmm
from rmm_extension.services.maintenance import window_of
from rmm_extension.services.window_scopes import ScopeNames, scope_names

from . import vendor_maintenance
from .paging import PAGE, AnyRow, Page, contains, cut, read_time_cursor, time_cursor

RUNNING, PLANNED, OVER, OFF = "running", "planned", "over", "off"
STATES = (RUNNING, PLANNED, OVER, OFF)
_LISTED = (
    MaintenanceWindow.id,
    MaintenanceWindow.name,
    MaintenanceWindow.integration_id,
    MaintenanceWindow.client_id,
    MaintenanceWindow.asset_id,
    MaintenanceWindow.is_active,
    MaintenanceWindow.at_vendor,
    MaintenanceWindow.starts_at,
    MaintenanceWindow.ends_at,
    MaintenanceWindow.recurrence,
    MaintenanceWindow.created_at,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowFilter:
    """What the list is narrowed to. A connection's windows are its own and those of all connections."""

    integration_id: UUID | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class WindowLine:
    """One window of the list. ``time`` is the running one, or the next; ``suppressed`` counts open alerts,
    ``at_vendor`` says how its devices stand at their vendors."""

    row: AnyRow
    window: Window
    state: str
    time: Range | None
    suppressed: int
    at_vendor: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class WindowPage:
    """A page of the list with the names in the scopes. ``total`` fit the filter, ``counts`` are of all."""

    lines: Page[WindowLine]
    total: int
    names: ScopeNames
    counts: Mapping[str, int]


def window_page(
    rmm: Rmm,
    session: Session,
    tenant_id: str,
    wanted: WindowFilter,
    now: datetime,
    *,
    after: str | None = None,
    before: str | None = None,
    limit: int = PAGE,
) -> WindowPage:
    """Windows, newest first: a fixed number of statements, whatever the page shows.

    Their state is worked out here, because the database does not know whether a weekly window holds; a
    tenant's windows are few enough to read them all.
    """
    rows = [(row, state_of(row, now)) for row in _rows(session, tenant_id, wanted.integration_id)]
    fitting = [pair for pair in rows if wanted.state in (None, pair[1])]
    shown = _cut(fitting, after, before, limit)
    lines = _lines(session, tenant_id, shown.rows, now)
    return WindowPage(
        lines=Page(lines, shown.before, shown.after),
        total=len(fitting),
        names=scope_names(rmm, session, tenant_id, [line.row for line in lines]),
        counts={state: sum(found == state for _, found in rows) for state in STATES},
    )


def window(session: Session, tenant_id: str, window_id: UUID) -> MaintenanceWindow | None:
    """One window, for its editor."""
    return session.get(MaintenanceWindow, (tenant_id, window_id))


def window_line(session: Session, tenant_id: str, window_id: UUID, now: datetime) -> WindowLine | None:
    """One window as the list shows it."""
    row = session.execute(
        select(*_LISTED).where(MaintenanceWindow.tenant_id == tenant_id, MaintenanceWindow.id == window_id)
    ).first()
    return _lines(session, tenant_id, [(row, state_of(row, now))], now)[0] if row else None


def state_of(row: Any, now: datetime) -> str:
    """One of :data:`STATES`. A weekly window is never over."""
    if not row.is_active:
        return OFF
    if holds(window_of(row), now):
        return RUNNING
    if row.recurrence is None and (row.ends_at is None or row.ends_at <= now):
        return OVER
    return PLANNED


def suppressed_counts(session: Session, tenant_id: str, window_ids: Iterable[UUID]) -> Mapping[UUID, int]:
    """How many open alerts each of these windows keeps from being decided."""
    statement = (
        select(Alert.suppressed_by_window_id, func.count())
        .where(
            Alert.tenant_id == tenant_id,
            text(WINDOW_SQL),
            Alert.suppressed_by_window_id.in_(list(window_ids)),
        )
        .group_by(Alert.suppressed_by_window_id)
    )
    return {found: number for found, number in session.execute(statement) if found is not None}


def last_zone(session: Session, tenant_id: str) -> str | None:
    """The time zone of the weekly window that was changed last."""
    zone = MaintenanceWindow.recurrence["timezone"].astext
    statement = select(zone).where(MaintenanceWindow.tenant_id == tenant_id, zone.is_not(None), zone != "")
    return session.scalar(statement.order_by(MaintenanceWindow.updated_at.desc()).limit(1))


def devices_with_asset(session: Session, tenant_id: str, part: str, limit: int) -> Sequence[AnyRow]:
    """Devices that stand behind an asset and whose name has this part, or is it: what a window can be for."""
    statement = select(DeviceRow.asset_id, DeviceRow.name, DeviceRow.client_id).where(
        DeviceRow.tenant_id == tenant_id,
        DeviceRow.deleted_at.is_(None),
        DeviceRow.asset_id.is_not(None),
        DeviceRow.name.ilike(contains(part)),
    )
    exactly = func.lower(DeviceRow.name) == part.lower()
    ordered = statement.order_by(exactly.desc(), DeviceRow.name, DeviceRow.id)
    return session.execute(ordered.limit(limit)).all()


def _rows(session: Session, tenant_id: str, integration_id: UUID | None) -> Sequence[AnyRow]:
    statement = select(*_LISTED).where(MaintenanceWindow.tenant_id == tenant_id)
    if integration_id is not None:
        own = MaintenanceWindow.integration_id
        statement = statement.where(or_(own.is_(None), own == integration_id))
    ordered = statement.order_by(MaintenanceWindow.created_at.desc(), MaintenanceWindow.id.desc())
    return session.execute(ordered).all()


_Pair = tuple[AnyRow, str]


def _cut(pairs: Sequence[_Pair], after: str | None, before: str | None, limit: int) -> Page[_Pair]:
    backwards = before is not None
    cursor = read_time_cursor(before if backwards else after)
    if cursor is not None:
        pairs = [pair for pair in pairs if (_place(pair) > cursor if backwards else _place(pair) < cursor)]
    if backwards:
        pairs = pairs[::-1]
    return cut(
        pairs[: limit + 1],
        limit,
        lambda pair: time_cursor(*_place(pair)),
        continued=cursor is not None,
        backwards=backwards,
    )


def _place(pair: _Pair) -> tuple[datetime, UUID]:
    return pair[0].created_at, pair[0].id


def _lines(session: Session, tenant_id: str, pairs: Sequence[_Pair], now: datetime) -> list[WindowLine]:
    ids = [row.id for row, _ in pairs]
    counts = suppressed_counts(session, tenant_id, ids) if pairs else {}
    stands = vendor_maintenance.counts(session, tenant_id, ids) if pairs else {}
    return [
        _line(row, state, counts.get(row.id, 0), counted(stands.get(row.id, {})), now) for row, state in pairs
    ]


def _line(row: AnyRow, state: str, suppressed: int, at_vendor: Sequence[str], now: datetime) -> WindowLine:
    window = window_of(row)
    coming = next_occurrences(window, now, 1) if state in (RUNNING, PLANNED) else []
    return WindowLine(row, window, state, coming[0] if coming else None, suppressed, at_vendor)
