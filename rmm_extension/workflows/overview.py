"""The list of workflows: how each stands, what starts it, and how its last run went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from rmm_extension.domain.workflows import Definition, WorkflowState, definition_of
from rmm_extension.models import Workflow, WorkflowRun
from rmm_extension.services.queries.paging import AnyRow


@dataclass(frozen=True, slots=True)
class LastRun:
    """The newest run of a workflow, whatever began it."""

    id: UUID
    state: str
    simulated: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """One workflow of the list, by its draft."""

    row: AnyRow
    definition: Definition
    last: LastRun | None

    @property
    def is_changed(self) -> bool:
        """Whether something waits to be published."""
        return is_changed(self.row)


def is_changed(row: AnyRow | Workflow) -> bool:
    """Whether the draft of a published workflow is not what is published."""
    return bool(row.published_version) and row.revision != row.published_revision


def workflow_lines(session: Session, tenant_id: str, state: WorkflowState | None = None) -> Sequence[Line]:
    """Every workflow by name, in one statement; a tenant's workflows are few enough to show them all."""
    run = WorkflowRun
    last = (
        select(
            run.id.label("run_id"),
            run.state.label("run_state"),
            run.simulated.label("run_simulated"),
            run.queued_at.label("run_at"),
        )
        .where(run.tenant_id == Workflow.tenant_id, run.workflow_id == Workflow.id)
        .order_by(run.queued_at.desc(), run.id.desc())
        .limit(1)
        .lateral()
    )
    statement = select(*_LISTED, *last.columns).outerjoin(last, true()).where(Workflow.tenant_id == tenant_id)
    if state is not None:
        statement = statement.where(Workflow.state == state.value)
    rows = session.execute(statement.order_by(func.lower(Workflow.name), Workflow.id)).all()
    return [Line(row, definition_of(row.draft), _last(row)) for row in rows]


_LISTED = (
    Workflow.id,
    Workflow.name,
    Workflow.description,
    Workflow.state,
    Workflow.draft,
    Workflow.revision,
    Workflow.published_version,
    Workflow.published_revision,
    Workflow.publisher_name,
    Workflow.updated_at,
)


def _last(row: Any) -> LastRun | None:
    if row.run_id is None:
        return None
    return LastRun(row.run_id, row.run_state, row.run_simulated, row.run_at)
