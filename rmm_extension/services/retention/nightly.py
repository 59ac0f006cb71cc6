"""Removing what is older than its kind is kept: once a night for each tenant, as a run that people can watch.

Every step removes in small transactions and never waits for a row that somebody holds: such a row is left for
the next night. What is open stays however old it is: open alerts and their history, alerts on an open ticket,
conditions whose ticket is open, deliveries that are still tried again, unfinished runs, and the outbox.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Text, exists, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from rmm_extension.host import SYSTEM_ACTOR
from rmm_extension.models import Integration, JobRun, utc_now
from rmm_extension.services import runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.place import Place, read, written
from rmm_extension.services.runs import Run
from rmm_extension.services.unit import unit

from .batch import Step
from .steps import STEPS

KIND = "retention"
AT_NIGHT = timedelta(hours=3, minutes=17)
"""When a tenant's cleaning is due, after midnight UTC; a night without a scheduler is made up for by day."""
_MOST_TENANTS = 200


def start_due(rmm: Rmm) -> int:
    """For the tick: start the cleaning of each tenant that has had none since last night.

    Of a suspended one, too: how long data may be kept does not wait for it, and no vendor is called.
    The last run itself says when that was, so a restart forgets nothing, and of two ticks one starts it.
    """
    with unit(rmm) as session:
        connected = session.scalars(select(Integration.tenant_id).distinct())
        tenants = sorted({*rmm.host.tenants.active_ids(session), *connected})
        due = _due(session, tenants, last_night(utc_now()))
        return sum(_start(session, tenant_id) for tenant_id in due)


def last_night(now: datetime) -> datetime:
    """The latest moment at which the cleaning was due."""
    today = datetime(now.year, now.month, now.day, tzinfo=UTC) + AT_NIGHT
    return today if now >= today else today - timedelta(days=1)


def _due(session: Session, tenants: Sequence[str], since: datetime) -> Sequence[str]:
    tenant = func.unnest(literal(list(tenants), ARRAY(Text))).column_valued("tenant")
    cleaned = exists().where(
        JobRun.tenant_id == tenant, text(f"rmm_job_runs.kind = '{KIND}'"), JobRun.queued_at >= since
    )
    return session.scalars(select(tenant).where(~cleaned).limit(_MOST_TENANTS)).all()


def _start(session: Session, tenant_id: str) -> bool:
    return runs.try_start(session, SYSTEM_ACTOR(tenant_id), KIND, exclusive_key=KIND) is not None


def clean(rmm: Rmm, run: Run) -> dict[str, Any]:
    """Remove everything of the run's tenant that is older than its kind is kept."""
    counts, place = dict(run.counts), read(run.cursor)
    names = [step.name for step in STEPS]
    at = run.cursor.get("step")
    for step in STEPS[names.index(at) if at in names else 0 :]:
        cutoff = utc_now() - timedelta(days=getattr(rmm.settings.keep, step.kept))
        more = True
        while more:
            more, place = _one_batch(rmm, run, step, cutoff, place, counts)
        place = None
    return counts


def _one_batch(
    rmm: Rmm, run: Run, step: Step, cutoff: datetime, place: Place | None, counts: dict[str, Any]
) -> tuple[bool, Place | None]:
    with unit(rmm) as session:
        batch = step.remove(rmm, session, run.tenant_id, cutoff, place)
        counts[step.name] = counts.get(step.name, 0) + batch.removed
        run.report(
            session,
            done=sum(counts.values()),
            doing=step.doing,
            counts=counts,
            cursor={"step": step.name, **written(batch.place)},
        )
    return batch.more, batch.place
