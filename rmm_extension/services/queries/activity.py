"""Who changed what, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from rmm_extension.models import Audit

from .paging import AnyRow

SHOWN = 50
"""So many changes a page shows."""


def of_connection(session: Session, tenant_id: str, integration_id: UUID) -> Sequence[AnyRow]:
    """The changes of one connection."""
    return _newest(session, tenant_id, Audit.integration_id == integration_id)


def of_windows(session: Session, tenant_id: str) -> Sequence[AnyRow]:
    """The changes of all maintenance windows, those that are gone included."""
    return _newest(session, tenant_id, Audit.subject_type == "window")


def _newest(session: Session, tenant_id: str, which: ColumnElement[bool]) -> Sequence[AnyRow]:
    columns = (
        Audit.at,
        Audit.actor_name,
        Audit.action,
        Audit.subject_type,
        Audit.subject_name,
        Audit.changes,
    )
    statement = select(*columns).where(Audit.tenant_id == tenant_id, which)
    return session.execute(statement.order_by(Audit.at.desc(), Audit.id.desc()).limit(SHOWN)).all()
