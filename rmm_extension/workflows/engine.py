"""Runs of workflows, step by step: each step is one job and one transaction.

The transaction that does a step also writes what came of it and asks for the next one. A worker that dies
leaves either all of that or nothing, and a job that comes twice finds that the run has moved on. What a
vendor is asked to do is done by the actions' own runs, which never repeat what changes something; the outbox
tells the engine how it ended.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.actions import ActionState, ErrorCode
from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.workflows import Definition, RunState, StepState
from rmm_extension.models import ActionInvocation, WorkflowInvocation, WorkflowRun, utc_now
from rmm_extension.services import runs
from rmm_extension.services.actions import UnknownInvocation, invocations
from rmm_extension.services.actions.outcomes import CALLED_OFF
from rmm_extension.services.context import Rmm
from rmm_extension.services.runs import Run
from rmm_extension.services.unit import unit

from . import flow, places, rows
from .doing import Ended, Work, do, ended
from .rows import UnknownWorkflowRun


def step(rmm: Rmm, job: Run) -> dict[str, Any]:
    """Do the step that the job is there for, once; nothing where the run has moved on meanwhile."""
    with unit(rmm) as session:
        run = _held(session, job)
        if run is None:
            return {}
        tenant = rmm.host.tenants.get(session, run.tenant_id)
        if tenant is None or not tenant.is_active:
            # It waits until the tenant is active again.
            run.state = RunState.QUEUED
            return {}
        _do_next(rmm, session, run)
        if run.state not in flow.UNDER_WAY:
            places.let_go_on(session, run.tenant_id)
    return {}


def _held(session: Session, job: Run) -> WorkflowRun | None:
    """The run, locked, if it is still at the job's step and running."""
    try:
        run = rows.hold(session, job.tenant_id, UUID(job.subject["run_id"]))
    except UnknownWorkflowRun:
        return None
    is_there = run.state == RunState.RUNNING and run.position == job.subject["position"]
    return run if is_there else None


def _do_next(rmm: Rmm, session: Session, run: WorkflowRun) -> None:
    definition = read_or_end(session, run)
    if definition is None:
        return
    if run.position >= len(definition.steps):
        rows.end(run, RunState.SUCCEEDED)
        return
    row = rows.current(session, run)
    if row is not None and row.state != StepState.QUEUED:
        return
    wanted = definition.steps[run.position]
    row = row or rows.begin(session, run, wanted, attempt=1)
    row.state, row.started_at = StepState.RUNNING, utc_now()
    work = Work(rmm, session, run, row, wanted, rows.seen(session, run))
    result = do(work)
    for name, value in work.facts.items():
        setattr(row, name, value)
    flow.follow(session, run, definition, row, result)


def read_or_end(session: Session, run: WorkflowRun) -> Definition | None:
    """What the run does; one that cannot be read ends it, so that it takes nobody's place."""
    try:
        return rows.definition(session, run)
    except ConfigError as error:
        rows.end(run, RunState.FAILED, str(error), ErrorCode.INTERNAL_ERROR)
        return None


def tell_failure(rmm: Rmm, session: Session, job: Run, message: str) -> None:
    """The job was given up: its step has failed, and the run goes on as after any failure."""
    run = _held(session, job)
    if run is None:
        return
    definition = read_or_end(session, run)
    if definition is not None:
        row = rows.current(session, run)
        row = row or rows.begin(session, run, definition.steps[run.position], attempt=1)
        failed = Ended(StepState.FAILED, message, None, ErrorCode.INTERNAL_ERROR)
        flow.settle(session, run, definition, row, failed)
    places.let_go_on(session, run.tenant_id)


def cancelled(rmm: Rmm, session: Session, tenant_id: str, job_id: UUID) -> None:
    """A person cancelled the job: the run ends at its step."""
    subject = runs.get(session, tenant_id, job_id).subject
    try:
        run = rows.hold(session, tenant_id, UUID(subject["run_id"]))
    except UnknownWorkflowRun:
        return
    if run.state == RunState.RUNNING and run.position == subject["position"]:
        row = rows.current(session, run)
        if row is not None and row.state == StepState.QUEUED:
            flow.write_end(row, ended(CALLED_OFF))
        rows.end(run, RunState.CANCELLED, "The job of its step was cancelled.")
        places.let_go_on(session, tenant_id)


def action_over(rmm: Rmm, session: Session, tenant_id: str, payload: dict[str, Any]) -> None:
    """Handler of the outbox: what a step asked a vendor for is over. Harmless when it comes again."""
    try:
        _hear(session, tenant_id, UUID(payload["invocation_id"]))
    except (UnknownWorkflowRun, UnknownInvocation):
        pass  # removed meanwhile: its workflow, or its connection
    # The vendor has room again, whatever became of this run.
    places.let_go_on(session, tenant_id)


def _hear(session: Session, tenant_id: str, invocation_id: UUID) -> None:
    """Take over what became of the action, if its step is here."""
    found = rows.of_action(session, tenant_id, invocation_id)
    if found is None:
        return
    run = rows.hold(session, tenant_id, found.run_id)
    row = rows.of_action(session, tenant_id, invocation_id)
    action = invocations.load(session, tenant_id, invocation_id)
    if row is not None and ActionState(action.state).is_over:
        take_over(session, run, row, action)


def take_over(session: Session, run: WorkflowRun, row: WorkflowInvocation, action: ActionInvocation) -> None:
    """Make what came of the action that of its step, and go on. The run is held."""
    told = Ended(StepState(action.state), action.message or "", action.output, action.error_code)
    if row.state not in (StepState.RUNNING, StepState.UNKNOWN):
        if row.decided_by is not None:
            # A person has looked and said how it was; the run went on by that.
            row.message = f"{row.message} The vendor's answer came later: {told.message}"
    elif RunState(run.state).is_over:
        # Stopped, and nobody has said how it was.
        flow.write_end(row, told)
    elif row.state != told.state:
        flow.write_end(row, told)
        definition = read_or_end(session, run)
        if definition is not None:
            flow.settle(session, run, definition, row, told)
