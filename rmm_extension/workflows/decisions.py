"""What people decide about a run: whether what is unknown happened, and that it is to stop."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.errors import Conflict
from rmm_extension.domain.workflows import RunState, StepState
from rmm_extension.host import Actor
from rmm_extension.models import WorkflowInvocation, WorkflowRun, utc_now
from rmm_extension.services import actions, audit
from rmm_extension.services.context import Rmm

from . import flow, places, rights, rows

HAPPENED, AGAIN, STOP = "happened", "again", "stop"
CHOICES = (HAPPENED, AGAIN, STOP)


def decide(rmm: Rmm, session: Session, actor: Actor, run_id: UUID, choice: str) -> None:
    """Say of a step of which nobody knows whether it happened: it ``happened`` (the run goes on), it is to
    be done ``again``, or the run is to ``stop``.

    Raises ``UnknownWorkflowRun``, ``Conflict`` where nothing is to be decided (any more), and ``Forbidden``
    where it is to be done again for somebody without the right to it.
    """
    if choice not in CHOICES:
        raise ValueError(f"There is no choice {choice}.")
    run = rows.hold(session, actor.tenant_id, run_id)
    row = rows.current(session, run)
    if run.state != RunState.UNKNOWN or row is None:
        raise Conflict("This run waits for no decision (any more).")
    row.decided_by = actor.name
    if choice == HAPPENED:
        _happened(session, run, row, actor)
    elif choice == AGAIN:
        _again(rmm, session, run, row, actor)
    else:
        row.finished_at = utc_now()
        rows.end(run, RunState.CANCELLED, f"{actor.name} stopped it.")
    _audit(session, actor, run, "workflow.run_decided", {"step": row.step_id, "choice": choice})
    places.let_go_on(session, run.tenant_id)


def cancel(rmm: Rmm, session: Session, actor: Actor, run_id: UUID) -> None:
    """Stop a run. What a vendor is being asked already cannot be called back, and its end is still kept.

    Raises ``UnknownWorkflowRun``, and ``Conflict`` where the run is over.
    """
    run = rows.hold(session, actor.tenant_id, run_id)
    if RunState(run.state).is_over:
        raise Conflict("This run is over already.")
    row = rows.current(session, run)
    words = f"{actor.name} cancelled it."
    if row is not None and not StepState(row.state).is_over and not _call_off(rmm, session, actor, row):
        words += " The vendor was being asked already, which cannot be called back."
    rows.end(run, RunState.CANCELLED, words)
    _audit(session, actor, run, "workflow.run_cancelled", {})
    places.let_go_on(session, run.tenant_id)


def _happened(session: Session, run: WorkflowRun, row: WorkflowInvocation, actor: Actor) -> None:
    row.state, row.finished_at = StepState.SUCCEEDED, utc_now()
    row.message = f"{actor.name} says that it happened. {row.message or ''}".strip()
    flow.go_on(session, run, rows.definition(session, run))


def _again(rmm: Rmm, session: Session, run: WorkflowRun, row: WorkflowInvocation, actor: Actor) -> None:
    """Another attempt, once the run has a place again; it asks under a key of its own."""
    step = rows.definition(session, run).steps[run.position]
    rights.require(rmm, actor, [step])
    row.state, row.finished_at = StepState.FAILED, utc_now()
    row.message = f"{actor.name} had it done again. {row.message or ''}".strip()
    fresh = rows.begin(session, run, step, attempt=row.attempt + 1)
    fresh.state, fresh.integration_id = StepState.QUEUED, row.integration_id
    run.state, run.message, run.error_code = RunState.QUEUED, None, None


def _call_off(rmm: Rmm, session: Session, actor: Actor, row: WorkflowInvocation) -> bool:
    """End the step; whether nothing of it can happen any more."""
    if row.state == StepState.UNKNOWN:
        row.decided_by = actor.name
        return True
    if row.invocation_id is not None and not _call_action_off(rmm, session, actor, row.invocation_id):
        return False
    row.state, row.finished_at = StepState.CANCELLED, utc_now()
    row.message = "It was called off before it began."
    return True


def _call_action_off(rmm: Rmm, session: Session, actor: Actor, invocation_id: UUID) -> bool:
    try:
        with session.begin_nested():
            actions.cancel(rmm, session, actor, invocation_id)
    except (Conflict, actions.UnknownInvocation):
        return False
    return True


def _audit(session: Session, actor: Actor, run: WorkflowRun, action: str, changes: dict[str, str]) -> None:
    audit.record(
        session,
        actor,
        action,
        subject_type="workflow_run",
        subject_id=run.id,
        subject_name=rows.workflow_name(session, run.tenant_id, run.workflow_id),
        integration_id=run.integration_id,
        changes=changes,
    )
