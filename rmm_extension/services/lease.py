"""The lease of a run: what a worker holds while its attempt number is the row's, and renews by reporting."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, Row, case, func, literal, or_, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from rmm_extension.domain.logline import line
from rmm_extension.host import SYSTEM_ACTOR, Actor
from rmm_extension.models import JobRun

from .context import Rmm

STALE_AFTER = timedelta(seconds=45)
"""A run whose worker has been silent for so long is taken over."""
BEAT_EVERY = 10.0
MOST_ERRORS = 200
"""Errors of single devices kept per run; the counts tell of the rest."""
PLAIN = {"synchronize_session": False}
THROTTLED = "throttled"
"""Under this name a run counts how often its vendor asked for patience."""

_log = logging.getLogger("rmm_extension")


class RunStopped(Exception):
    """The work must stop here; the transaction in which it was said rolls back.

    Not an ``RMMError``: code that goes on after one device's error must not go on after this.
    """


class LeaseLost(RunStopped):
    """Another worker has taken the run over: write nothing more."""


class Cancelled(RunStopped):
    """A person asked for the run to be cancelled."""


INTERRUPTIONS: list[type[Exception]] = [RunStopped]
"""What ends a run from outside: code that goes on after one row's error must let these pass. The jobs add the
time-out of their queue."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a handler works with: the run as it stood when this attempt took it.

    A later attempt finds ``cursor``, ``done``, ``total`` and ``counts`` as the last report left them, and
    goes on from there. ``taken_at`` is the database's time at which this attempt took it.
    """

    tenant_id: str
    id: UUID
    kind: str
    integration_id: UUID | None
    subject: Mapping[str, Any]
    cursor: Mapping[str, Any]
    attempt: int
    actor: Actor
    done: int = 0
    total: int | None = None
    counts: Mapping[str, Any] = field(default_factory=dict)
    queued_at: datetime | None = None
    taken_at: datetime | None = None

    @property
    def tries(self) -> int:
        """The attempts that count: not those that the vendor turned away with "later, please"."""
        return self.attempt - int(self.counts.get(THROTTLED, 0))

    def report(
        self,
        session: Session,
        *,
        done: int | None = None,
        total: int | None = None,
        doing: str | None = None,
        counts: Mapping[str, Any] | None = None,
        cursor: Mapping[str, Any] | None = None,
        errors: Sequence[Any] = (),
    ) -> None:
        """Write progress in the caller's transaction: one statement, which also renews the lease.

        What is given replaces what was there (``counts`` key by key), ``errors`` are added. Report in the
        transaction that holds the work, as its last statement: it locks the run's row. Raises ``LeaseLost``
        or ``Cancelled``, so that the page it belongs to is not written.
        """
        values: dict[str, Any] = {"done_count": done, "total_count": total, "doing": doing, "cursor": cursor}
        changes = {key: value for key, value in values.items() if value is not None}
        if counts:
            changes["counts"] = with_counts(counts)
        if errors:
            changes["errors"] = _with_errors(errors)
        if write(session, self, changes):
            raise Cancelled("The run was cancelled.")


HANDLE = (
    JobRun.tenant_id,
    JobRun.id,
    JobRun.kind,
    JobRun.integration_id,
    JobRun.subject,
    JobRun.cursor,
    JobRun.attempt,
    JobRun.actor_id,
    JobRun.actor_name,
    JobRun.done_count,
    JobRun.total_count,
    JobRun.counts,
    JobRun.queued_at,
    func.clock_timestamp().label("taken_at"),
)
"""The columns :func:`handle` reads."""


def handle(row: Row[Any]) -> Run:
    """The run of a row with the columns of :data:`HANDLE`."""
    return Run(
        tenant_id=row.tenant_id,
        id=row.id,
        kind=row.kind,
        integration_id=row.integration_id,
        subject=row.subject,
        cursor=row.cursor,
        attempt=row.attempt,
        actor=_actor(row),
        done=row.done_count,
        total=row.total_count,
        counts=row.counts,
        queued_at=row.queued_at,
        taken_at=row.taken_at,
    )


def write(session: Session, run: Run, changes: Mapping[str, Any], *, put_off: bool = False) -> bool:
    """Change the row while the lease is ours, and renew it; whether somebody asked to cancel.

    ``put_off``: also when this attempt has put it off and no other has taken it. Raises ``LeaseLost``.
    """
    values = {"heartbeat_at": func.clock_timestamp(), **changes}
    mine = _mine(run, ("queued", "running") if put_off else ("running",))
    statement = update(JobRun).where(*mine).values(**values).returning(JobRun.cancel_requested)
    row = session.execute(statement, execution_options=PLAIN).first()
    if row is None:
        raise LeaseLost("Another worker has taken this run over.")
    return bool(row.cancel_requested)


def stale() -> ColumnElement[bool]:
    """Whether a run's worker is silent, by the database's clock: several machines share no other."""
    return or_(JobRun.heartbeat_at.is_(None), JobRun.heartbeat_at < func.now() - STALE_AFTER)


@contextmanager
def beating(rmm: Rmm, run: Run, every: float = BEAT_EVERY) -> Iterator[None]:
    """Keep the lease young while the block works, a long answer of a vendor included."""
    ended = threading.Event()
    # The engine is looked up here: Flask-SQLAlchemy finds it through the app context, which is this thread's.
    thread = threading.Thread(
        target=_beat, args=(rmm.db.engine, run, ended, every), name="rmm-heartbeat", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=5)


def _beat(engine: Engine, run: Run, ended: threading.Event, every: float) -> None:
    statement = update(JobRun).where(*_mine(run)).values(heartbeat_at=func.clock_timestamp())
    while not ended.wait(every):
        try:
            with engine.begin() as connection:
                if not connection.execute(statement).rowcount:
                    return
        except SQLAlchemyError as error:
            # The next beat may get through; if none does, another worker takes over and ours finds out.
            _log.warning(line("run.heartbeat_failed", run=run.id, error=type(error).__name__))


def _mine(run: Run, statuses: Sequence[str] = ("running",)) -> list[ColumnElement[bool]]:
    return [
        JobRun.tenant_id == run.tenant_id,
        JobRun.id == run.id,
        JobRun.attempt == run.attempt,
        JobRun.status.in_(statuses),
    ]


def with_counts(counts: Mapping[str, Any]) -> ColumnElement[Any]:
    """The row's counts with these in place of those of the same name."""
    return JobRun.counts.op("||")(literal(dict(counts), JSONB))


def _with_errors(errors: Sequence[Any]) -> ColumnElement[Any]:
    added = literal(list(errors)[:MOST_ERRORS], JSONB)
    full = func.jsonb_array_length(JobRun.errors) >= MOST_ERRORS
    return case((full, JobRun.errors), else_=JobRun.errors.op("||")(added))


def _actor(row: Row[Any]) -> Actor:
    system = SYSTEM_ACTOR(row.tenant_id)
    if row.actor_id in (None, system.id):
        return system
    return Actor(id=row.actor_id, name=row.actor_name or row.actor_id, tenant_id=row.tenant_id)
