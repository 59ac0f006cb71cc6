"""What the tick does for runs of workflows: lets those go on that wait, and finds those that were left."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from rmm_extension.domain.actions import ActionState, ErrorCode
from rmm_extension.domain.workflows import RunState, StepState
from rmm_extension.models import ActionInvocation
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
    for row in left:
        with unit(rmm) as session:
            _take_up(session, row.tenant_id, row.id)
    return len(left) + sum(_let_go_on(rmm, tenant_id) for tenant_id in sorted(waiting))


def _let_go_on(rmm: Rmm, tenant_id: str) -> int:
    with unit(rmm) as session:
        return places.let_go_on(session, tenant_id)


def _take_up(session: Session, tenant_id: str, run_id: Any) -> None:
    """Have the run go on from where it stands, whatever it was that got lost."""
    run = rows.hold(session, tenant_id, run_id)
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
        lost = Ended(StepState.UNKNOWN, _GONE, None, ErrorCode.INTEGRATION_INACTIVE)
        flow.settle(session, run, rows.definition(session, run), row, lost)
    elif ActionState(action.state).is_over:
        engine.take_over(session, run, row, action)
    places.let_go_on(session, tenant_id)
