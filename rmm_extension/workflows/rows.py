"""The rows of a run, as the engine holds and writes them: the run first, then its steps, everywhere."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.values import iso
from rmm_extension.domain.workflows import Definition, RunState, Step, StepState, definition_of
from rmm_extension.host import Actor
from rmm_extension.models import (
    Workflow,
    WorkflowInvocation,
    WorkflowRun,
    WorkflowVersion,
    new_id,
    utc_now,
)

_FRESH = {"populate_existing": True}


class UnknownWorkflowRun(LookupError):
    """No such run of a workflow in this tenant."""


def hold(session: Session, tenant_id: str, run_id: UUID) -> WorkflowRun:
    """One run as it is now, locked until the transaction ends: whoever moves a run holds it.

    Raises :class:`UnknownWorkflowRun`.
    """
    statement = select(WorkflowRun).where(WorkflowRun.tenant_id == tenant_id, WorkflowRun.id == run_id)
    found = session.scalar(statement.with_for_update(key_share=True), execution_options=_FRESH)
    if found is None:
        raise UnknownWorkflowRun("This run does not exist (any more).")
    return found


def definition(session: Session, run: WorkflowRun) -> Definition:
    """What the run does; raises ``ConfigError`` as :func:`read`."""
    document = session.scalars(
        select(WorkflowVersion.document).where(
            WorkflowVersion.tenant_id == run.tenant_id, WorkflowVersion.id == run.version_id
        )
    ).one()
    return read(document)


def read(document: dict[str, Any]) -> Definition:
    """The definition of a stored document; raises ``ConfigError`` for one that this version cannot read."""
    try:
        return definition_of(document)
    except msgspec.ValidationError as error:
        raise ConfigError(f"This workflow cannot be read any more: {error}. Publish it again.") from error


def workflow_name(session: Session, tenant_id: str, workflow_id: UUID) -> str:
    """What the workflow is called now."""
    named = (Workflow.tenant_id == tenant_id, Workflow.id == workflow_id)
    return session.scalar(select(Workflow.name).where(*named)) or ""


def actor(run: WorkflowRun) -> Actor:
    """Whose rights the run has."""
    return Actor(id=run.actor_id, name=run.actor_name, tenant_id=run.tenant_id)


def current(session: Session, run: WorkflowRun) -> WorkflowInvocation | None:
    """The newest attempt of the step that the run is at; ``None`` where it was not begun."""
    row = WorkflowInvocation
    mine = (row.tenant_id == run.tenant_id, row.run_id == run.id, row.position == run.position)
    newest = select(row).where(*mine).order_by(row.attempt.desc()).limit(1)
    return session.scalar(newest, execution_options=_FRESH)


def of_action(session: Session, tenant_id: str, invocation_id: UUID) -> WorkflowInvocation | None:
    """The step that asked a vendor for this action."""
    row = WorkflowInvocation
    found = select(row).where(row.tenant_id == tenant_id, row.invocation_id == invocation_id)
    return session.scalar(found, execution_options=_FRESH)


def seen(session: Session, run: WorkflowRun, *, whole: bool = False) -> dict[str, Any]:
    """What the expressions of the run's step see; with ``whole`` every step that was begun."""
    about = {
        "id": str(run.id),
        "workflow": workflow_name(session, run.tenant_id, run.workflow_id),
        "started_at": iso(run.started_at),
        "actor_name": run.actor_name,
    }
    return {**run.context, "run": about, "steps": _steps(session, run, whole)}


def _steps(session: Session, run: WorkflowRun, whole: bool) -> dict[str, dict[str, Any]]:
    """The steps before this one, by id: the newest attempt of each."""
    row = WorkflowInvocation
    wanted = [row.tenant_id == run.tenant_id, row.run_id == run.id]
    if not whole:
        wanted.append(row.position < run.position)
    columns = (row.step_id, row.state, row.output, row.error_code, row.message)
    found = session.execute(select(*columns).where(*wanted).order_by(row.position, row.attempt))
    return {
        one.step_id: {
            "state": one.state,
            "output": one.output,
            "error": one.error_code,
            "message": one.message,
        }
        for one in found
    }


def actions(session: Session, run: WorkflowRun) -> dict[str, set[str]]:
    """What was done at the run's steps, by their ids."""
    row, found = WorkflowInvocation, dict[str, set[str]]()
    mine = select(row.step_id, row.action).where(row.tenant_id == run.tenant_id, row.run_id == run.id)
    for one in session.execute(mine):
        found.setdefault(one.step_id, set()).add(one.action)
    return found


def begin(session: Session, run: WorkflowRun, step: Step, attempt: int) -> WorkflowInvocation:
    """A new row for an attempt of the step."""
    row = WorkflowInvocation(
        tenant_id=run.tenant_id,
        id=new_id(),
        run_id=run.id,
        step_id=step.id,
        position=run.position,
        attempt=attempt,
        action=step.action,
        action_version=step.version,
        state=StepState.RUNNING,
        input={},
        started_at=utc_now(),
    )
    session.add(row)
    return row


def end(run: WorkflowRun, state: RunState, message: str | None = None, error_code: str | None = None) -> None:
    """The run is over."""
    run.state, run.message, run.error_code = state, message, error_code
    run.finished_at = utc_now()
