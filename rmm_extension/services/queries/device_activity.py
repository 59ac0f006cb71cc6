"""What happened with devices, newest first: by people, actions, alerts and vendors, and their refreshes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, literal_column, select
from sqlalchemy.orm import Session

from rmm_extension.models import (
    ActionInvocation,
    Alert,
    AlertHistory,
    Audit,
    DeviceRow,
    Integration,
    JobRun,
    Signal,
)
from rmm_extension.services.inventory.refresh import refresh_key

from .paging import AnyRow

SHOWN = 30
"""So many lines stand on a device's page."""
ALERTS = 20
"""Only the newest alerts of a device tell their story there."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One line; ``kind``: audit, action, alert, signal or run, whose columns ``row`` has."""

    at: datetime
    kind: str
    row: AnyRow


def activity(session: Session, tenant_id: str, devices: Sequence[Any], limit: int = SHOWN) -> list[Happening]:
    """The newest of all kinds, of these devices together: five statements."""
    found = [Happening(row.at, "audit", row) for row in _by_people(session, tenant_id, devices, limit)]
    found += [
        Happening(row.created_at, "action", row) for row in _actions(session, tenant_id, devices, limit)
    ]
    found += [Happening(row.at, "alert", row) for row in _of_alerts(session, tenant_id, devices, limit)]
    found += [
        Happening(row.occurred_at, "signal", row) for row in _signals(session, tenant_id, devices, limit)
    ]
    found += [
        Happening(row.finished_at or row.queued_at, "run", row)
        for row in _runs(session, tenant_id, devices, limit)
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)[:limit]


def refreshing(session: Session, device: DeviceRow) -> JobRun | None:
    """The refresh of this device that is under way."""
    key = refresh_key(device.integration_id, device.external_id)
    mine = (JobRun.tenant_id == device.tenant_id, JobRun.exclusive_key == key)
    # The words of the unique index of what is unfinished.
    unfinished = literal_column("status IN ('queued', 'running')", Boolean)
    return session.scalar(select(JobRun).where(*mine, unfinished))


def _by_people(session: Session, tenant_id: str, devices: Sequence[Any], limit: int) -> Sequence[AnyRow]:
    columns = (Audit.at, Audit.actor_name, Audit.action, Audit.changes)
    mine = (
        Audit.tenant_id == tenant_id,
        literal_column("subject_type = 'device'", Boolean),
        Audit.subject_id.in_([str(device.id) for device in devices]),
        # An action is one line, with what came of it.
        Audit.action.not_in(("action.requested", "action.finished")),
    )
    statement = select(*columns).where(*mine).order_by(Audit.at.desc(), Audit.id.desc())
    return session.execute(statement.limit(limit)).all()


def _actions(session: Session, tenant_id: str, devices: Sequence[Any], limit: int) -> Sequence[AnyRow]:
    asked = ActionInvocation
    columns = (
        asked.id,
        asked.integration_id,
        asked.action,
        asked.input,
        asked.state,
        asked.message,
        asked.actor_name,
        asked.created_at,
    )
    mine = (asked.tenant_id == tenant_id, asked.device_id.in_([device.id for device in devices]))
    statement = select(*columns).where(*mine).order_by(asked.created_at.desc())
    return session.execute(statement.limit(limit)).all()


def _of_alerts(session: Session, tenant_id: str, devices: Sequence[Any], limit: int) -> Sequence[AnyRow]:
    newest = (
        select(Alert.tenant_id, Alert.id, Alert.title, Alert.message, Alert.alert_class)
        .where(Alert.tenant_id == tenant_id, Alert.device_id.in_([device.id for device in devices]))
        .order_by(Alert.triggered_at.desc(), Alert.id.desc())
        .limit(ALERTS)
        .subquery()
    )
    columns = (
        AlertHistory.at,
        AlertHistory.alert_id,
        AlertHistory.actor,
        AlertHistory.outcome,
        AlertHistory.steps,
        newest.c.title,
        newest.c.message,
        newest.c.alert_class,
    )
    of_alert = (AlertHistory.tenant_id == newest.c.tenant_id) & (AlertHistory.alert_id == newest.c.id)
    statement = select(*columns).join(newest, of_alert).order_by(AlertHistory.id.desc())
    return session.execute(statement.limit(limit)).all()


def _signals(session: Session, tenant_id: str, devices: Sequence[Any], limit: int) -> Sequence[AnyRow]:
    """What their vendors told of them."""
    columns = (Signal.words, Signal.occurred_at, Signal.outcome, Integration.provider)
    connection = (Integration.tenant_id == Signal.tenant_id) & (Integration.id == Signal.integration_id)
    mine = (Signal.tenant_id == tenant_id, Signal.device_id.in_([device.id for device in devices]))
    statement = select(*columns).join(Integration, connection).where(*mine)
    return session.execute(statement.order_by(Signal.occurred_at.desc()).limit(limit)).all()


def _runs(session: Session, tenant_id: str, devices: Sequence[Any], limit: int) -> Sequence[AnyRow]:
    columns = (JobRun.id, JobRun.kind, JobRun.status, JobRun.queued_at, JobRun.finished_at, JobRun.actor_name)
    keys = [refresh_key(device.integration_id, device.external_id) for device in devices]
    mine = (
        JobRun.tenant_id == tenant_id,
        JobRun.exclusive_key.in_(keys),
        literal_column("status = 'succeeded'", Boolean),
    )
    statement = select(*columns).where(*mine).order_by(JobRun.queued_at.desc())
    return session.execute(statement.limit(limit)).all()
