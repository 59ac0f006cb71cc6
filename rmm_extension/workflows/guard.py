"""What keeps a workflow from running too often: its own pace, the loop guard, and the tenant's limit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from rmm_extension.domain.actions import ErrorCode
from rmm_extension.domain.workflows import RunSource, RunState, Trigger
from rmm_extension.models import Workflow, WorkflowRun, utc_now

MOST_ABOUT_ONE = 5
"""Starts of one workflow about the same thing within :data:`WITHIN`; the next one is taken for a loop."""
MOST_OF_A_CLOCK = 120
"""As many of events that come by the clock: polls of alerts begin and end as often as every minute."""
BY_THE_CLOCK = ("RMM_SYNC_STARTED", "RMM_SYNC_COMPLETED", "RMM_SYNC_FAILED")
WITHIN = timedelta(hours=1)
MOST_UNFINISHED = 1_000
"""Runs of a tenant that wait or are under way. Those that wait for a person take nobody's place."""

MOST_REFUSED = 20
"""Refusals of one workflow for the same reason that are written down :data:`WITHIN`: events come by the
thousand, and each would bring what its expressions saw."""

_UNFINISHED = text("""
    SELECT count(*) FROM (
        SELECT 1 FROM rmm_workflow_runs
        WHERE tenant_id = :tenant AND state IN ('queued', 'running', 'waiting') LIMIT :most
    ) unfinished
""")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a run is recorded as failed and not started; one with a ``key`` is told to people once."""

    code: ErrorCode
    message: str
    key: str = ""


def is_too_soon(session: Session, workflow: Workflow, trigger: Trigger, guard_key: str | None) -> bool:
    """Whether the trigger wants no other run about this so soon."""
    if not trigger.once_per_minutes:
        return False
    return _starts(session, workflow, guard_key, timedelta(minutes=trigger.once_per_minutes)) > 0


def refusal(session: Session, workflow: Workflow, guard_key: str | None) -> Refusal | None:
    """Why an event may not start the workflow now. To be asked under the tenant's lock."""
    most = MOST_OF_A_CLOCK if workflow.trigger in BY_THE_CLOCK else MOST_ABOUT_ONE
    if _starts(session, workflow, guard_key, WITHIN) >= most:
        hour = f"{utc_now():%Y-%m-%dT%H}"
        return Refusal(ErrorCode.LOOP_GUARD, _LOOPED.format(most), f"loop:{workflow.id}:{guard_key}:{hour}")
    return crowd(session, workflow.tenant_id)


def crowd(session: Session, tenant_id: str) -> Refusal | None:
    """Why nothing may be started in the tenant now, whoever asks."""
    values = {"tenant": tenant_id, "most": MOST_UNFINISHED}
    if (session.scalar(_UNFINISHED, values) or 0) < MOST_UNFINISHED:
        return None
    return Refusal(ErrorCode.TOO_MANY_RUNS, _CROWDED, f"crowd:{tenant_id}:{utc_now():%Y-%m-%dT%H}")


def is_shown_enough(session: Session, workflow: Workflow, refused: Refusal) -> bool:
    """Whether as many runs say so already of late as anybody wants to read."""
    row = WorkflowRun
    same = select(row.id).where(
        row.tenant_id == workflow.tenant_id,
        row.workflow_id == workflow.id,
        row.source == RunSource.EVENT,
        row.error_code == refused.code,
        row.started_at.is_(None),
        row.queued_at > utc_now() - WITHIN,
    )
    shown = session.scalar(select(func.count()).select_from(same.limit(MOST_REFUSED).subquery())) or 0
    return shown >= MOST_REFUSED


_LOOPED = (
    "It was started {} times within an hour about the same thing, and not once more: it may"
    " start itself again by what it does. Look at its steps and its filter; it goes on when the hour is over."
)
_CROWDED = (
    f"{MOST_UNFINISHED:,} runs of workflows wait or are under way, and no more are taken. Pause the workflow"
    " that starts so many, or narrow its filter."
)


def _starts(session: Session, workflow: Workflow, guard_key: str | None, within: timedelta) -> int:
    """How often events have started it about this of late. What was refused was no start."""
    row = WorkflowRun
    return (
        session.scalar(
            select(func.count()).where(
                row.tenant_id == workflow.tenant_id,
                row.workflow_id == workflow.id,
                row.guard_key == guard_key if guard_key is not None else row.guard_key.is_(None),
                row.source == RunSource.EVENT,
                row.queued_at > utc_now() - within,
                or_(row.started_at.is_not(None), row.state == RunState.QUEUED),
            )
        )
        or 0
    )
