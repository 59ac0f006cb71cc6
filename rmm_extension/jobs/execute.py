"""The one job that does a run, whatever its kind."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from flask import current_app
from rq.timeouts import JobTimeoutException
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import BadResponse, PermissionMissing, Unavailable
from rmm_extension.domain.logline import line
from rmm_extension.models import utc_now
from rmm_extension.services import connection_health, kinds, runs, voices
from rmm_extension.services.context import Rmm
from rmm_extension.services.lease import INTERRUPTIONS
from rmm_extension.services.unit import unit

from .guard import log, unexpected
from .verdict import Verdict, judge, timed_out

T = TypeVar("T")
VENDOR_TROUBLE = (Unavailable.kind, BadResponse.kind, PermissionMissing.kind)
INTERRUPTIONS.append(JobTimeoutException)
TRIES_BEFORE_TROUBLE = 2
"""A vendor that missed one beat is no trouble yet; nobody is told of it."""


def execute(tenant_id: str, run_id: str, attempt: int) -> None:
    """Do one attempt of a run. RQ's arguments: ids only, for RQ shows them in logs and pages.

    Returns as soon as somebody else has the run: being called twice, late or for a run that is over is fine.
    """
    perform(context(), tenant_id, UUID(run_id), attempt)


def context() -> Rmm:
    """The services' context of the app that this worker serves."""
    return current_app.extensions["rmm"].services  # type: ignore[no-any-return]


def perform(rmm: Rmm, tenant_id: str, run_id: UUID, attempt: int) -> str:
    """As :func:`execute`; the outcome in one word."""
    run = runs.take(rmm, tenant_id, run_id, attempt)
    if run is None:
        log.info(line("run.skipped", tenant=tenant_id, run=run_id, attempt=attempt))
        return "skipped"
    _say("run.start", run)
    started = time.monotonic()
    outcome, counts = "interrupted", dict[str, object]()
    try:
        outcome, counts = _attempt(rmm, run)
    except runs.LeaseLost:
        outcome = "lease_lost"
    finally:
        _say("run.end", run, outcome=outcome, seconds=time.monotonic() - started, **counts)
    return outcome


def _attempt(rmm: Rmm, run: runs.Run) -> tuple[str, dict[str, object]]:
    try:
        with runs.beating(rmm, run):
            counts = kinds.resolve(kinds.get(run.kind).handler)(rmm, run) or {}
        _close(rmm, lambda session: runs.finish(session, run, counts))
        # Counts of what did not happen only make the line long.
        return "succeeded", {f"n_{name}": count for name, count in counts.items() if count}
    except runs.Cancelled:
        _close(rmm, lambda session: runs.stop(rmm, session, run))
        return "cancelled", {}
    except runs.LeaseLost:
        raise
    except JobTimeoutException:
        # RQ must see it: it ends the job. Before that, the row learns that it is to go on later.
        _obey(rmm, run, timed_out(attempt=run.tries, jitter=_jitter(), **_limits(run)))
        raise
    except Exception as error:  # noqa: BLE001 - the boundary: logged, and the run is judged by it
        return _obey(rmm, run, _judge(run, error)), {}


def _judge(run: runs.Run, error: Exception) -> Verdict:
    limits = _limits(run)
    age = utc_now() - run.queued_at if run.queued_at else timedelta()
    verdict = judge(error, attempt=run.tries, max_attempts=limits["max_attempts"], age=age, jitter=_jitter())
    if verdict.is_known:
        _say("run.error", run, error_kind=verdict.error_kind, message=verdict.message)
        return verdict
    return Verdict(verdict.error_kind, unexpected("run.error", error, **_fields(run)))


def _obey(rmm: Rmm, run: runs.Run, verdict: Verdict) -> str:
    kind, message, delay = verdict.error_kind, verdict.message, verdict.delay

    def work(session: Session) -> str:
        if delay is None:
            outcome = "failed"
            runs.fail(rmm, session, run, kind, message)
        else:
            again = runs.reschedule(rmm, session, run, delay, kind, message)
            outcome = "rescheduled" if again else "cancelled"
        if delay is None or run.tries >= TRIES_BEFORE_TROUBLE:
            _tell_trouble(rmm, session, run, verdict)
        return outcome

    return _close(rmm, work)


def _tell_trouble(rmm: Rmm, session: Session, run: runs.Run, verdict: Verdict) -> None:
    """Note on the connection that its vendor refuses us, or has not answered more than once."""
    if run.integration_id is None:
        return
    connection, heard = (run.tenant_id, run.integration_id), verdict.message
    if verdict.needs_reauth:
        connection_health.mark_needs_reauth(session, *connection, heard, since=run.taken_at)
    elif verdict.error_kind in VENDOR_TROUBLE and voices.speaks(rmm, session, run):
        connection_health.mark_error(session, *connection, heard, since=run.taken_at)


def _close(rmm: Rmm, change: Callable[[Session], T]) -> T:
    # The handler may have left something behind, a connection broken by a time-out included.
    rmm.db.session.remove()
    with unit(rmm) as session:
        return change(session)


def _limits(run: runs.Run) -> dict[str, int]:
    known = kinds.KINDS.get(run.kind)
    return {
        "max_attempts": known.max_attempts if known else 1,
        "timeout": known.timeout if known else 60,
    }


def _jitter() -> float:
    # So that the runs of one outage do not all come back in the same second.
    return random.uniform(0.8, 1.2)  # noqa: S311 - nothing secret about it


def _fields(run: runs.Run) -> dict[str, object]:
    return {
        "tenant": run.tenant_id,
        "connection": run.integration_id,
        "run": run.id,
        "kind": run.kind,
        "attempt": run.attempt,
    }


def _say(event: str, run: runs.Run, **more: object) -> None:
    log.info(line(event, **_fields(run), **more))
