"""What the tick does for runs of workflows: lets those go on that wait, and finds those that were left."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from rmm_extension.domain.actions import ActionState, ErrorCode
from rmm_extension.domain.workflows import RunState, StepState
from rmm_extension.models import ActionInvocation, WorkflowInvocation, WorkflowRun
from rmm_extension.services import one_of_many
from rmm_extension.services.context import Rmm
from rmm_extension.services.unit import unit

from . import engine, flow, places, rows
from .doing import Ended

_BATCH = 200

_LEFT = text("""
    SELECT run.tenant_id, run.id FROM rmm_workflow_runs run
    WHERE run.state = 'running' AND NOT EXISTS (
        SELECT 1 FROM rmm_job_runs job
        WHERE job.tenant_id = run.tenant_id AND job.status IN ('queued', 'running')
            AND job.kind = 'workflow_step' AND job.subject ->> 'run_id' = run.id::text
    )
    UNION ALL
    SELECT run.tenant_id, run.id FROM rmm_workflow_runs run
    JOIN rmm_workflow_invocations step ON step.tenant_id = run.tenant_id AND step.run_id = run.id
        AND step.position = run.position AND step.state = 'running' AND step.invocation_id IS NOT NULL
    LEFT JOIN rmm_action_invocations action
        ON action.tenant_id = step.tenant_id AND action.id = step.invocation_id
    WHERE run.state = 'waiting' AND (action.id IS NULL OR action.finished_at < now() - interval '2 minutes')
    LIMIT :most
""")
"""Runs that nobody works on: their job is gone, or the action they wait for is over, or gone."""

_WAITING = text("SELECT DISTINCT tenant_id FROM rmm_workflow_runs WHERE state = 'queued'")
_GONE = "The connection was taken away while the vendor was asked. It may have happened."


def heal(rmm: Rmm) -> int:
    """Hook of the tick; how many runs were found or let go on."""
    with unit(rmm) as session:
        left = session.execute(_LEFT, {"most": _BATCH}).all()
        waiting = set(session.scalars(_WAITING))
        if waiting:
            waiting &= set(rmm.host.tenants.active_ids(session))
    found = sum(
        _alone(rmm, partial(_take_up, rmm, row.tenant_id, row.id), tenant=row.tenant_id, run=row.id)
        for row in left
    )
    return found + sum(
        _alone(rmm, partial(_let_go_on, rmm, tenant_id), tenant=tenant_id) for tenant_id in sorted(waiting)
    )


def _alone(rmm: Rmm, do: Callable[[], int], **about: Any) -> int:
    """Do it for one run or tenant; what goes wrong there is in the log, and keeps back no other."""
    done: list[int] = []
    one_of_many.attempt(rmm, lambda: done.append(do()), name="", event="workflow.heal_failed", **about)
    return sum(done)


def _let_go_on(rmm: Rmm, tenant_id: str) -> int:
    with unit(rmm) as session:
        return places.let_go_on(session, tenant_id)


def _take_up(rmm: Rmm, tenant_id: str, run_id: UUID) -> int:
    """Have the run go on from where it stands, whatever it was that got lost."""
    with unit(rmm) as session:
        try:
            run = rows.hold(session, tenant_id, run_id)
        except rows.UnknownWorkflowRun:
            return 0
        _mend(session, run)
        return 1


def _mend(session: Session, run: WorkflowRun) -> None:
    tenant_id = run.tenant_id
    if run.state == RunState.RUNNING:
        places.ask_for_step(session, tenant_id, run.id, run.position)
        return
    row = rows.current(session, run)
    if run.state != RunState.WAITING or row is None or row.invocation_id is None:
        return
    action = session.scalar(
        select(ActionInvocation).where(
            ActionInvocation.tenant_id == tenant_id, ActionInvocation.id == row.invocation_id
        )
    )
    if action is None:
        _lose(session, run, row)
    elif ActionState(action.state).is_over:
        engine.take_over(session, run, row, action)
    places.let_go_on(session, tenant_id)


def _lose(session: Session, run: WorkflowRun, row: WorkflowInvocation) -> None:
    """Nobody can say any more what became of the step's action."""
    lost = Ended(StepState.UNKNOWN, _GONE, None, ErrorCode.INTEGRATION_INACTIVE)
    flow.write_end(row, lost)
    definition = engine.read_or_end(session, run)
    if definition is not None:
        flow.settle(session, run, definition, row, lost)
