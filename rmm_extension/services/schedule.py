"""What the tick does: find what is due, write it down as runs, and say which runs a worker should take.

Every function is harmless when two ticks run at once: rows are claimed with ``SKIP LOCKED`` and marked in the
same transaction. They look across tenants, because the tick belongs to none. What comes again on a connection
is in :mod:`.recurring`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from rmm_extension.host import SYSTEM_ACTOR
from rmm_extension.models import JobRun, WebhookDelivery

from . import kinds, lease, runs
from .context import Rmm
from .tenants import active
from .unit import unit

TICK_HOOKS: list[kinds.Work] = [
    "rmm_extension.services.details:decide_overdue",
    "rmm_extension.services.attention:retry_due",
    "rmm_extension.services.retention:start_due",
    "rmm_extension.services.window_end:end_windows",
    "rmm_extension.services.vendor_maintenance:follow_windows",
    "rmm_extension.services.text_index:clean_pending",
    "rmm_extension.services.inventory.ageing:age_statuses",
    "rmm_extension.services.sign_out:forget_left",
    "rmm_extension.services.authorization:forget_expired",
    "rmm_extension.services.registration.due:start_due",
    "rmm_extension.services.messaging.keys:start_due",
    "rmm_extension.workflows.healing:heal",
]
"""More work of the tick: each is called as ``hook(rmm)`` and returns how many things it dealt with."""

BATCH = 200
HAND_OUT_BATCH = 500
ASK_AGAIN = timedelta(seconds=30)
"""After this time a run that no worker has taken may have been lost with Redis: it is handed out again."""
DELIVERY_GUARD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Handout:
    """A run for a worker to take: ``attempt`` is what :func:`runs.take` compares with."""

    tenant_id: str
    run_id: UUID
    attempt: int
    kind: str
    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TickResult:
    """How many things one tick dealt with, by step, and how many steps failed."""

    counts: Mapping[str, int]
    failed: int


def start_due_deliveries(rmm: Rmm) -> int:
    """Start a retry for each stored delivery that is due.

    The due time moves on here too, so that a delivery that kills its worker does not come with every tick.
    """
    due = (
        select(WebhookDelivery.tenant_id, WebhookDelivery.id, WebhookDelivery.integration_id)
        .where(WebhookDelivery.state == "failed", WebhookDelivery.due_at <= func.now())
        .order_by(WebhookDelivery.due_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    with unit(rmm) as session:
        # What waits in a suspended tenant waits until it is active again.
        rows = session.execute(due.where(WebhookDelivery.tenant_id == active(rmm, session))).all()
        return sum(_start_delivery(session, row.tenant_id, row.id, row.integration_id) for row in rows)


def hand_out(rmm: Rmm, limit: int = HAND_OUT_BATCH) -> list[Handout]:
    """Mark and return the runs that a worker should take now: due ones, and those whose worker is silent.

    The caller gives them to the workers after this has committed. When that fails, or Redis loses them, they
    come again: the mark only keeps ticks from handing out the same run every time.
    """
    waiting = and_(JobRun.status == "queued", JobRun.due_at <= func.now())
    abandoned = and_(JobRun.status == "running", lease.stale(), JobRun.cancel_requested.is_(False))
    unasked = or_(JobRun.enqueued_at.is_(None), JobRun.enqueued_at < func.now() - ASK_AGAIN)
    picked = (
        select(JobRun.tenant_id, JobRun.id)
        .where(or_(waiting, abandoned), unasked)
        # Never handed out before first: what waits in a long queue must not keep the rest from getting there.
        .order_by(JobRun.enqueued_at.nulls_first(), JobRun.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("picked")
    )
    marked = (
        update(JobRun)
        .where(JobRun.tenant_id == picked.c.tenant_id, JobRun.id == picked.c.id)
        .values(enqueued_at=func.clock_timestamp())
        .returning(JobRun.tenant_id, JobRun.id, JobRun.attempt, JobRun.kind, JobRun.queue)
    )
    with unit(rmm) as session:
        rows = session.execute(marked, execution_options=lease.PLAIN).all()
    return [Handout(r.tenant_id, r.id, r.attempt, r.kind, r.queue) for r in rows]


def hopeless(rmm: Rmm) -> list[runs.Run]:
    """Runs that no worker should take any more: cancelled ones that wait or whose worker is silent, and those
    whose worker is silent once too often."""
    tries = JobRun.attempt - func.coalesce(JobRun.counts[lease.THROTTLED].as_integer(), 0)
    spent = [and_(JobRun.kind == kind.name, tries >= kind.max_attempts) for kind in kinds.KINDS.values()]
    silent = and_(JobRun.status == "running", lease.stale(), or_(JobRun.cancel_requested, *spent))
    waiting = and_(JobRun.status == "queued", JobRun.cancel_requested)
    statement = select(*lease.HANDLE).where(or_(silent, waiting)).limit(BATCH)
    with unit(rmm) as session:
        return [lease.handle(row) for row in session.execute(statement)]


def give_up(rmm: Rmm, run: runs.Run) -> None:
    """Close a hopeless run, in a unit of its own."""
    with unit(rmm) as session:
        if runs.get(session, run.tenant_id, run.id).cancel_requested:
            runs.stop(rmm, session, run)
            return
        times = "once" if run.tries == 1 else f"{run.tries} times"
        message = f"The worker ended in the middle of this work {times}; it is not tried again by itself."
        runs.fail(rmm, session, run, "abandoned", message)


def _start_delivery(session: Session, tenant_id: str, delivery_id: UUID, integration_id: UUID) -> bool:
    session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.tenant_id == tenant_id, WebhookDelivery.id == delivery_id)
        .values(due_at=func.now() + DELIVERY_GUARD),
        execution_options=lease.PLAIN,
    )
    started = runs.try_start(
        session,
        SYSTEM_ACTOR(tenant_id),
        "delivery_retry",
        integration_id=integration_id,
        subject={"delivery_id": str(delivery_id)},
        exclusive_key=f"delivery_retry:{delivery_id}",
    )
    return started is not None
