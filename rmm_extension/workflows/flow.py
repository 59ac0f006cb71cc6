"""What follows the end of a step: the next one, or the end of the run."""

from __future__ import annotations

from sqlalchemy.orm import Session

from rmm_extension.domain.workflows import Definition, OnError, RunState, StepState
from rmm_extension.models import WorkflowInvocation, WorkflowRun, utc_now

from . import places, rows
from .doing import Asked, Ended, Full, Result

UNDER_WAY = (RunState.RUNNING, RunState.WAITING)
"""Has one of the tenant's places."""


def follow(
    session: Session, run: WorkflowRun, definition: Definition, row: WorkflowInvocation, result: Result
) -> None:
    """Write down what came of doing the step, and what the run does now.

    Here and in the next two, whoever may have made room calls ``places.let_go_on`` afterwards.
    """
    if isinstance(result, Asked):
        row.state, row.invocation_id = StepState.RUNNING, result.invocation_id
        run.state = RunState.WAITING
    elif isinstance(result, Full):
        row.state = StepState.QUEUED
        run.state = RunState.QUEUED
    else:
        settle(session, run, definition, row, result)


def settle(
    session: Session, run: WorkflowRun, definition: Definition, row: WorkflowInvocation, ended: Ended
) -> None:
    """The step is over, or nobody knows whether it happened: go on, stop, or wait for a person."""
    write_end(row, ended)
    step = definition.steps[row.position]
    if ended.state is StepState.UNKNOWN:
        run.state, run.error_code = RunState.UNKNOWN, ended.error_code
        run.message = f"Nobody knows whether “{step.name}” happened: {ended.message}"
    elif ended.state in (StepState.FAILED, StepState.CANCELLED) and step.on_error is OnError.STOP:
        was_called_off = ended.state is StepState.CANCELLED
        state = RunState.CANCELLED if was_called_off else RunState.FAILED
        rows.end(run, state, f"“{step.name}”: {ended.message}", ended.error_code)
    else:
        go_on(session, run, definition)


def go_on(session: Session, run: WorkflowRun, definition: Definition) -> None:
    """To the next step, or to the end. A run that had given up its place waits for one."""
    had_place = run.state in UNDER_WAY
    run.position += 1
    run.message = run.error_code = None
    if run.position >= len(definition.steps):
        rows.end(run, RunState.SUCCEEDED)
    elif had_place:
        run.state = RunState.RUNNING
        places.ask_for_step(session, run.tenant_id, run.id, run.position)
    else:
        run.state = RunState.QUEUED


def write_end(row: WorkflowInvocation, ended: Ended) -> None:
    """Keep what came of the step; what is unknown is not over."""
    row.state, row.output = ended.state, ended.output
    row.message, row.error_code = ended.message, ended.error_code
    row.finished_at = None if ended.state is StepState.UNKNOWN else utc_now()
