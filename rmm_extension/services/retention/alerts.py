"""Alerts that are over, with the conditions and the history that belong to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Text, Uuid, and_, delete, func, literal, or_, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from rmm_extension.domain.types import OPEN_STATUSES
from rmm_extension.models import Alert, AlertCondition, AlertHistory
from rmm_extension.services.context import Rmm
from rmm_extension.services.place import Place

from .batch import BATCH, Batch, execute

_OPEN = sorted(OPEN_STATUSES)
AnyRow: TypeAlias = "Row[*tuple[Any, ...]]"


def history(rmm: Rmm, session: Session, tenant_id: str, cutoff: datetime, place: Place | None) -> Batch:
    """Old lines of alerts that are over; those of open alerts and open tickets still explain something."""
    rows = session.execute(_old_history(tenant_id, cutoff, place)).all()
    open_ = _open_tickets(rmm, session, tenant_id, {row.ticket_id for row in rows})
    ids = [row.id for row in rows if row.ticket_id not in open_]
    statement = delete(AlertHistory).where(AlertHistory.tenant_id == tenant_id, AlertHistory.id.in_(ids))
    removed = execute(session, statement) if ids else 0
    return Batch(removed, len(rows) == BATCH, (rows[-1].at, rows[-1].id) if rows else None)


def _old_history(tenant_id: str, cutoff: datetime, place: Place | None) -> Any:
    row = AlertHistory
    wanted = [row.tenant_id == tenant_id, row.at < cutoff]
    if place is not None:
        wanted.append(tuple_(row.at, row.id) > place)
    alert = (Alert.tenant_id == row.tenant_id) & (Alert.id == row.alert_id)
    over = or_(Alert.id.is_(None), Alert.status.not_in(_OPEN))
    return (
        select(row.id, row.at, Alert.ticket_id)
        .outerjoin(Alert, alert)
        .where(*wanted, over)
        .order_by(row.at, row.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=row)
    )


def conditions(rmm: Rmm, session: Session, tenant_id: str, cutoff: datetime, place: Place | None) -> Batch:
    """The conditions of the alerts that are to go. A step before them, and so other transactions: everywhere
    conditions are locked before alerts."""
    rows, gone = _old_alerts(rmm, session, tenant_id, cutoff, place)
    keys = {(row.integration_id, row.dedup_key) for row in gone}
    removed = _remove_conditions(rmm, session, tenant_id, cutoff, keys) if keys else 0
    return _batch(removed, rows)


def alerts(rmm: Rmm, session: Session, tenant_id: str, cutoff: datetime, place: Place | None) -> Batch:
    """Alerts that are over, unless their ticket is open, with what is left of their history."""
    rows, gone = _old_alerts(rmm, session, tenant_id, cutoff, place)
    return _batch(_remove_alerts(session, tenant_id, cutoff, [row.id for row in gone]), rows)


def _batch(removed: int, rows: Sequence[AnyRow]) -> Batch:
    return Batch(removed, len(rows) == BATCH, (rows[-1].triggered_at, rows[-1].id) if rows else None)


def _old_alerts(
    rmm: Rmm, session: Session, tenant_id: str, cutoff: datetime, place: Place | None
) -> tuple[Sequence[AnyRow], Sequence[AnyRow]]:
    """The next ones that are over, and those of them whose ticket is not open. By the index on tenant and
    time: what is over since long was triggered before that."""
    wanted = [Alert.tenant_id == tenant_id, Alert.triggered_at < cutoff, *_over(cutoff)]
    if place is not None:
        wanted.append(tuple_(Alert.triggered_at, Alert.id) > place)
    columns = (Alert.id, Alert.triggered_at, Alert.integration_id, Alert.dedup_key, Alert.ticket_id)
    statement = select(*columns).where(*wanted).order_by(Alert.triggered_at, Alert.id).limit(BATCH)
    rows = session.execute(statement).all()
    open_ = _open_tickets(rmm, session, tenant_id, {row.ticket_id for row in rows})
    return rows, [row for row in rows if row.ticket_id not in open_]


def _over(cutoff: datetime) -> list[ColumnElement[bool]]:
    """Resolved, and nothing has happened to it since. By our own clock: the vendor's may be wrong, and the
    row is also what keeps a late report from opening a ticket."""
    return [Alert.status.not_in(_OPEN), Alert.updated_at < cutoff]


def _remove_conditions(
    rmm: Rmm, session: Session, tenant_id: str, cutoff: datetime, keys: set[tuple[UUID, str]]
) -> int:
    """Those that have not fired since and whose ticket is not open. They are held while the host is asked, so
    that none of them gets a new ticket meanwhile."""
    row = AlertCondition
    wanted = (
        func.unnest(
            literal([key[0] for key in keys], ARRAY(Uuid)), literal([key[1] for key in keys], ARRAY(Text))
        )
        .table_valued("integration_id", "dedup_key")
        .render_derived("wanted")
    )
    statement = (
        select(row.id, row.ticket_id)
        .join(
            wanted, and_(row.integration_id == wanted.c.integration_id, row.dedup_key == wanted.c.dedup_key)
        )
        .where(
            row.tenant_id == tenant_id,
            or_(row.last_occurrence_at.is_(None), row.last_occurrence_at < cutoff),
        )
        .order_by(row.id)
        .with_for_update(skip_locked=True, of=row)
    )
    held = session.execute(statement).all()
    open_ = _open_tickets(rmm, session, tenant_id, {one.ticket_id for one in held})
    ids = [one.id for one in held if one.ticket_id not in open_]
    gone = delete(row).where(row.tenant_id == tenant_id, row.id.in_(ids))
    return execute(session, gone) if ids else 0


def _remove_alerts(session: Session, tenant_id: str, cutoff: datetime, ids: Sequence[UUID]) -> int:
    """Those that are still over: one that fired again since it was looked at stays."""
    if not ids:
        return 0
    gone = (
        delete(Alert)
        .where(Alert.tenant_id == tenant_id, Alert.id.in_(ids), *_over(cutoff))
        .returning(Alert.id)
        .cte("gone")
    )
    rest = (
        delete(AlertHistory)
        .where(AlertHistory.tenant_id == tenant_id, AlertHistory.alert_id.in_(select(gone.c.id)))
        .returning(AlertHistory.id)
        .cte("rest")
    )
    counted = select(select(func.count()).select_from(gone).scalar_subquery()).add_cte(rest)
    return session.scalar(counted) or 0


def _open_tickets(rmm: Rmm, session: Session, tenant_id: str, ids: set[str | None]) -> set[str]:
    """Which of the tickets are open, asked of the host in one call."""
    port, known = rmm.host.tickets, {id_ for id_ in ids if id_}
    if port is None or not known:
        return set()
    return {key for key, ticket in port.get_many(session, tenant_id, known).items() if ticket.is_open}
