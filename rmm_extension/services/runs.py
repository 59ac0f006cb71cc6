"""Runs: background work as rows, so that nothing is lost with Redis and nothing is done twice.

A run is inserted in the transaction that decides on it. A worker takes it by moving ``attempt`` on (compare
and set), reports in the same transactions in which it works, and closes it. Each of these writes only while
the attempt is still its own, so that a worker given up for dead cannot write beside its successor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, or_, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import Conflict, RateLimited
from rmm_extension.host import Actor
from rmm_extension.models import JobRun, new_id, utc_now

from . import audit, kinds
from .context import Rmm
from .lease import (
    HANDLE,
    PLAIN,
    STALE_AFTER,
    THROTTLED,
    Cancelled,
    LeaseLost,
    Run,
    RunStopped,
    beating,
    handle,
    stale,
    with_counts,
    write,
)
from .outbox import mark_written
from .unit import unit

__all__ = [
    "Cancelled",
    "LeaseLost",
    "Run",
    "RunFilter",
    "RunStopped",
    "UnknownRun",
    "Work",
    "beating",
    "cancel",
    "fail",
    "finish",
    "get",
    "hurry",
    "is_stalled",
    "label",
    "list_runs",
    "reschedule",
    "start",
    "stop",
    "take",
    "try_start",
    "try_start_all",
]

UNFINISHED = ("queued", "running")
_EXCLUSIVE = text("status IN ('queued', 'running') AND exclusive_key IS NOT NULL")


class UnknownRun(LookupError):
    """No such run in this tenant."""


def start(
    rmm: Rmm,
    session: Session,
    actor: Actor,
    kind: str,
    *,
    integration_id: UUID | None = None,
    subject: Mapping[str, Any] | None = None,
    exclusive_key: str | None = None,
    due_at: datetime | None = None,
) -> UUID:
    """Queue a run in the caller's transaction; the workers are told after its commit.

    One that waits for its time is had now instead. Raises ``Conflict`` that names what runs already when the
    exclusive key is taken otherwise.
    """
    key = exclusive_key or kinds.get(kind).exclusive_key(integration_id)
    run_id = try_start(
        session, actor, kind, integration_id=integration_id, subject=subject, exclusive_key=key, due_at=due_at
    )
    if run_id is None and key is not None:
        run_id = next(iter(hurry(session, actor.tenant_id, [key])), None)
    if run_id is None:
        raise Conflict(_who_is_there(session, actor.tenant_id, kind, key))
    return run_id


def try_start(
    session: Session,
    actor: Actor,
    kind: str,
    *,
    integration_id: UUID | None = None,
    subject: Mapping[str, Any] | None = None,
    exclusive_key: str | None = None,
    due_at: datetime | None = None,
) -> UUID | None:
    """As :func:`start`, for work that nobody waits for: ``None`` when the exclusive key is taken."""
    work = Work(integration_id, subject or {}, exclusive_key, due_at)
    started = try_start_all(session, actor, kind, [work])
    return started[0] if started else None


@dataclass(frozen=True, slots=True)
class Work:
    """One of several runs of a kind that are started together."""

    integration_id: UUID | None
    subject: Mapping[str, Any]
    exclusive_key: str | None = None
    due_at: datetime | None = None


def try_start_all(session: Session, actor: Actor, kind: str, works: Sequence[Work]) -> Sequence[UUID]:
    """As :func:`try_start` for several, in one statement: the ids of those whose exclusive key was free."""
    if not works:
        return []
    statement = insert(JobRun).values([_queued(actor, kinds.get(kind), work) for work in works])
    # The partial unique index decides, not a look beforehand: of two that start at once one must lose.
    guarded = statement.on_conflict_do_nothing(
        index_elements=["tenant_id", "exclusive_key"], index_where=_EXCLUSIVE
    )
    started = session.scalars(guarded.returning(JobRun.id)).all()
    if started:
        mark_written(session)
    return started


def hurry(session: Session, tenant_id: str, exclusive_keys: Sequence[str | None]) -> Sequence[UUID]:
    """Have those done now that wait for a time of ours; their ids. One that was put off waits on."""
    waiting = (
        select(JobRun.id)
        .where(
            JobRun.tenant_id == tenant_id,
            JobRun.exclusive_key.in_(exclusive_keys),
            JobRun.status == "queued",
            JobRun.attempt == 0,
            # Not now(): what somebody started meanwhile is due already.
            JobRun.due_at > func.clock_timestamp(),
        )
        # One that is held is being handed out.
        .with_for_update(skip_locked=True)
    )
    statement = update(JobRun).where(JobRun.tenant_id == tenant_id, JobRun.id.in_(waiting))
    due = statement.values(due_at=func.now()).returning(JobRun.id)
    hurried = session.scalars(due, execution_options=PLAIN).all()
    if hurried:
        mark_written(session)
    return hurried


def _queued(actor: Actor, kind: kinds.Kind, work: Work) -> dict[str, Any]:
    return {
        "tenant_id": actor.tenant_id,
        "id": new_id(),
        "kind": kind.name,
        "queue": kind.queue,
        "integration_id": work.integration_id,
        "subject": dict(work.subject),
        "exclusive_key": work.exclusive_key or kind.exclusive_key(work.integration_id),
        "status": "queued",
        "attempt": 0,
        "due_at": work.due_at or func.now(),
        "queued_at": utc_now(),
        "cancel_requested": False,
        "actor_id": actor.id,
        "actor_name": actor.name,
        "done_count": 0,
        "counts": {},
        "cursor": {},
        "errors": [],
    }


def take(rmm: Rmm, tenant_id: str, run_id: UUID, attempt: int) -> Run | None:
    """Take the run for its next attempt, in a unit of its own; ``None`` when it is no longer to be had.

    ``attempt`` is the number the run had when it was handed out: whoever moves it on first has the run, all
    others who were handed the same one get nothing.
    """
    free = or_(JobRun.status == "queued", and_(JobRun.status == "running", stale()))
    statement = (
        update(JobRun)
        .where(JobRun.tenant_id == tenant_id, JobRun.id == run_id, JobRun.attempt == attempt)
        .where(JobRun.cancel_requested.is_(False), free)
        .values(
            status="running",
            attempt=attempt + 1,
            started_at=func.coalesce(JobRun.started_at, func.clock_timestamp()),
            heartbeat_at=func.clock_timestamp(),
            error_kind=None,
            error=None,
        )
        .returning(*HANDLE)
    )
    with unit(rmm) as session:
        row = session.execute(statement, execution_options=PLAIN).first()
    return handle(row) if row else None


def finish(session: Session, run: Run, counts: Mapping[str, Any] | None = None) -> None:
    """The work is done. This and the next three raise ``LeaseLost`` when the run is another worker's now."""
    _close(session, run, status="succeeded", counts=with_counts(counts or {}))


def stop(rmm: Rmm, session: Session, run: Run) -> None:
    """The work was cancelled by a person, while it was under way or put off."""
    _close(session, run, put_off=True, status="cancelled")
    _tell_cancel(rmm, session, run.tenant_id, run.id, run.kind)


def fail(rmm: Rmm, session: Session, run: Run, error_kind: str, message: str) -> None:
    """Give the run up for good and let its kind tell whom it concerns."""
    _close(session, run, status="failed", error_kind=error_kind, error=message)
    tell_failure(rmm, session, run, message)


def reschedule(rmm: Rmm, session: Session, run: Run, delay: timedelta, error_kind: str, message: str) -> bool:
    """Try again after ``delay``; what was reported stays. The tick hands the run out when it is due.

    ``False`` for a run that somebody asked to cancel meanwhile: it ends here.
    """
    changes = {
        "status": "queued",
        "due_at": func.clock_timestamp() + delay,
        "enqueued_at": None,
        "doing": None,
        "error_kind": error_kind,
        "error": message,
    }
    if error_kind == RateLimited.kind:
        # The reason is forgotten with the next attempt; that there was one is part of the vendor's health.
        changes["counts"] = with_counts({THROTTLED: run.counts.get(THROTTLED, 0) + 1})
    is_cancelled = write(session, run, changes)
    if is_cancelled:
        # No attempt would ever hear of it: one that is cancelled is not taken again.
        stop(rmm, session, run)
    return not is_cancelled


def tell_failure(rmm: Rmm, session: Session, run: Run, message: str) -> None:
    """Call what the run's kind wants called when a run is given up."""
    known = kinds.KINDS.get(run.kind)
    if known and known.on_failure:
        kinds.resolve(known.on_failure)(rmm, session, run, message)


def _tell_cancel(rmm: Rmm, session: Session, tenant_id: str, run_id: UUID, kind: str) -> None:
    """Call what the run's kind wants called when a run ends as cancelled."""
    known = kinds.KINDS.get(kind)
    if known and known.on_cancel:
        kinds.resolve(known.on_cancel)(rmm, session, tenant_id, run_id)


def cancel(rmm: Rmm, session: Session, actor: Actor, run_id: UUID) -> None:
    """Cancel a queued run at once; a running one ends at its next report, or instead of being put off.

    ``Conflict`` when it is over.
    """
    waiting = JobRun.status == "queued"
    statement = (
        update(JobRun)
        .where(JobRun.tenant_id == actor.tenant_id, JobRun.id == run_id, JobRun.status.in_(UNFINISHED))
        .values(
            cancel_requested=True,
            status=case((waiting, "cancelled"), else_=JobRun.status),
            finished_at=case((waiting, func.clock_timestamp()), else_=None),
        )
        .returning(JobRun.kind, JobRun.integration_id, JobRun.status)
    )
    row = session.execute(statement, execution_options=PLAIN).first()
    if row is None:
        get(session, actor.tenant_id, run_id)
        raise Conflict("This run is over already.")
    if row.status == "cancelled":
        _tell_cancel(rmm, session, actor.tenant_id, run_id, row.kind)
    audit.record(
        session,
        actor,
        "run.cancelled",
        subject_type="run",
        subject_id=run_id,
        subject_name=label(row.kind),
        integration_id=row.integration_id,
    )


def get(session: Session, tenant_id: str, run_id: UUID) -> JobRun:
    """One run; raises :class:`UnknownRun`."""
    statement = select(JobRun).where(JobRun.tenant_id == tenant_id, JobRun.id == run_id)
    found = session.scalar(statement, execution_options={"populate_existing": True})
    if found is None:
        raise UnknownRun("This run does not exist (any more).")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """What a list of runs is narrowed to; ``status`` may also be ``stalled``."""

    kind: str | None = None
    status: str | None = None
    integration_id: UUID | None = None


def list_runs(
    session: Session,
    tenant_id: str,
    filters: RunFilter | None = None,
    *,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> Sequence[JobRun]:
    """Runs, newest first; ``before`` is ``(queued_at, id)`` of the last row of the page before."""
    wanted = [JobRun.tenant_id == tenant_id, *_conditions(filters or RunFilter())]
    if before is not None:
        wanted.append(tuple_(JobRun.queued_at, JobRun.id) < before)
    statement = select(JobRun).where(*wanted).order_by(JobRun.queued_at.desc(), JobRun.id.desc())
    return session.scalars(statement.limit(limit)).all()


def is_stalled(run: JobRun, now: datetime) -> bool:
    """Whether the run's worker has gone silent; the next tick hands it to another."""
    return run.status == "running" and (run.heartbeat_at is None or run.heartbeat_at < now - STALE_AFTER)


def label(kind: str) -> str:
    """The kind's name for people; one that nobody knows any more is its own name."""
    return kinds.KINDS[kind].label if kind in kinds.KINDS else kind


def _close(session: Session, run: Run, *, put_off: bool = False, **changes: Any) -> None:
    ended = {**changes, "finished_at": func.clock_timestamp(), "doing": None}
    write(session, run, ended, put_off=put_off)


def _conditions(filters: RunFilter) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if filters.kind:
        wanted.append(JobRun.kind == filters.kind)
    if filters.integration_id:
        wanted.append(JobRun.integration_id == filters.integration_id)
    if filters.status == "stalled":
        wanted += [JobRun.status == "running", stale()]
    elif filters.status:
        wanted.append(JobRun.status == filters.status)
    return wanted


def _who_is_there(session: Session, tenant_id: str, kind: str, key: str | None) -> str:
    row = session.execute(
        select(JobRun.kind, JobRun.status, JobRun.queued_at, JobRun.started_at, JobRun.actor_name).where(
            JobRun.tenant_id == tenant_id, JobRun.exclusive_key == key, JobRun.status.in_(UNFINISHED)
        )
    ).first()
    if row is None:
        return f"{label(kind)} has just ended; try again."
    since = row.started_at or row.queued_at
    doing = "is under way" if row.status == "running" else "is waiting for a worker"
    by = f", started by {row.actor_name}" if row.actor_name else ""
    return f"{label(row.kind)} {doing} since {since:%H:%M} UTC{by}. Wait for its end or cancel it."
