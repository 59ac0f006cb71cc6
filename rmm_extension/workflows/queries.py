"""Workflows' runs for the pages: the history, one run with its steps, what was run about an alert or a
ticket, and the workflows a person may start there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session

from rmm_extension.domain.workflows import MANUAL, Definition, definition_of
from rmm_extension.models import (
    PUBLISHED_VERSION,
    ActionInvocation,
    DeviceRow,
    Integration,
    Workflow,
    WorkflowInvocation,
    WorkflowRun,
    WorkflowVersion,
)
from rmm_extension.services.queries.paging import (
    PAGE,
    AnyRow,
    AnySelect,
    Page,
    cut,
    read_time_cursor,
    time_cursor,
)

SHOWN = 5
"""So many runs stand on the page of what they are about."""

_RUN = WorkflowRun
_LISTED = (
    _RUN.id,
    _RUN.workflow_id,
    _RUN.source,
    _RUN.simulated,
    _RUN.event,
    _RUN.state,
    _RUN.position,
    _RUN.integration_id,
    _RUN.alert_id,
    _RUN.device_id,
    _RUN.ticket_id,
    _RUN.asset_id,
    _RUN.actor_id,
    _RUN.actor_name,
    _RUN.error_code,
    _RUN.message,
    _RUN.queued_at,
    _RUN.started_at,
    _RUN.finished_at,
    Workflow.name.label("workflow_name"),
    DeviceRow.name.label("device_name"),
)
"""What a list shows; what expressions saw is long and stays out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """What the history is narrowed to."""

    workflow_id: UUID | None = None
    state: str | None = None
    source: str | None = None
    alert_id: UUID | None = None
    device_id: UUID | None = None
    ticket_id: str | None = None
    asset_id: str | None = None


@dataclass(frozen=True, slots=True)
class RunDetail:
    """One run: its row, the number of the version it does (0: a test of a draft), that version, and every
    attempt of each step that was reached, in order."""

    row: AnyRow
    version: int
    definition: Definition
    attempts: Sequence[AnyRow]


@dataclass(frozen=True, slots=True)
class Startable:
    """A published workflow that people start."""

    id: UUID
    name: str
    description: str
    definition: Definition


def run_page(
    session: Session,
    tenant_id: str,
    wanted: RunFilter | None = None,
    *,
    after: str | None = None,
    limit: int = PAGE,
) -> Page[AnyRow]:
    """Runs, newest first, behind the cursor ``after``."""
    conditions = _conditions(tenant_id, wanted or RunFilter())
    cursor = read_time_cursor(after)
    if cursor is not None:
        conditions.append(tuple_(_RUN.queued_at, _RUN.id) < cursor)
    rows = session.execute(_newest(conditions, limit + 1)).all()
    return cut(rows, limit, lambda row: time_cursor(row.queued_at, row.id), continued=False, backwards=False)


def runs_about(session: Session, tenant_id: str, wanted: RunFilter, limit: int = SHOWN) -> Sequence[AnyRow]:
    """The newest runs about one thing."""
    return session.execute(_newest(_conditions(tenant_id, wanted), limit)).all()


def run_detail(session: Session, tenant_id: str, run_id: UUID) -> RunDetail | None:
    """One run with its steps, ``None`` when it does not exist (any more); two statements."""
    statement = _joined(
        select(*_LISTED, _RUN.context, WorkflowVersion.number, WorkflowVersion.document)
    ).join(
        WorkflowVersion,
        (WorkflowVersion.tenant_id == _RUN.tenant_id) & (WorkflowVersion.id == _RUN.version_id),
    )
    row = session.execute(statement.where(_RUN.tenant_id == tenant_id, _RUN.id == run_id)).first()
    if row is None:
        return None
    return RunDetail(row, row.number, definition_of(row.document), _attempts(session, tenant_id, run_id))


def run_row(session: Session, tenant_id: str, run_id: UUID) -> AnyRow | None:
    """One run as a list shows it."""
    return session.execute(
        _joined(select(*_LISTED)).where(_RUN.tenant_id == tenant_id, _RUN.id == run_id)
    ).first()


def manual_workflows(session: Session, tenant_id: str) -> Sequence[Startable]:
    """The published workflows that people start, by name."""
    statement = (
        select(Workflow.id, Workflow.name, Workflow.description, WorkflowVersion.document)
        .join(WorkflowVersion, PUBLISHED_VERSION)
        .where(Workflow.tenant_id == tenant_id, Workflow.state == "published", Workflow.trigger == MANUAL)
    )
    rows = session.execute(statement.order_by(func.lower(Workflow.name), Workflow.id)).all()
    return [Startable(row.id, row.name, row.description, definition_of(row.document)) for row in rows]


def workflow_names(session: Session, tenant_id: str) -> Sequence[tuple[UUID, str]]:
    """Every workflow by name."""
    statement = select(Workflow.id, Workflow.name).where(Workflow.tenant_id == tenant_id)
    rows = session.execute(statement.order_by(func.lower(Workflow.name), Workflow.id)).all()
    return [(row.id, row.name) for row in rows]


def _attempts(session: Session, tenant_id: str, run_id: UUID) -> Sequence[AnyRow]:
    one = WorkflowInvocation
    statement = (
        select(
            *one.__table__.columns,
            DeviceRow.name.label("device_name"),
            Integration.name.label("connection_name"),
            Integration.provider,
            ActionInvocation.state.label("action_state"),
            ActionInvocation.message.label("action_message"),
        )
        .outerjoin(DeviceRow, _same(DeviceRow, one.device_id))
        .outerjoin(Integration, _same(Integration, one.integration_id))
        .outerjoin(ActionInvocation, _same(ActionInvocation, one.invocation_id))
        .where(one.tenant_id == tenant_id, one.run_id == run_id)
    )
    return session.execute(statement.order_by(one.position, one.attempt)).all()


def _same(model: Any, id_: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = (model.tenant_id == WorkflowInvocation.tenant_id) & (model.id == id_)
    return found


def _newest(conditions: Sequence[ColumnElement[bool]], limit: int) -> AnySelect:
    order = (_RUN.queued_at.desc(), _RUN.id.desc())
    return _joined(select(*_LISTED)).where(*conditions).order_by(*order).limit(limit)


def _joined(statement: AnySelect) -> AnySelect:
    workflow = (Workflow.tenant_id == _RUN.tenant_id) & (Workflow.id == _RUN.workflow_id)
    device = (DeviceRow.tenant_id == _RUN.tenant_id) & (DeviceRow.id == _RUN.device_id)
    return statement.select_from(_RUN).join(Workflow, workflow).outerjoin(DeviceRow, device)


def _conditions(tenant_id: str, wanted: RunFilter) -> list[ColumnElement[bool]]:
    equal = (
        (_RUN.workflow_id, wanted.workflow_id),
        (_RUN.state, wanted.state),
        (_RUN.source, wanted.source),
        (_RUN.alert_id, wanted.alert_id),
        (_RUN.device_id, wanted.device_id),
        (_RUN.ticket_id, wanted.ticket_id),
        (_RUN.asset_id, wanted.asset_id),
    )
    return [_RUN.tenant_id == tenant_id] + [column == value for column, value in equal if value]
