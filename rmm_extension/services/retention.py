"""Removing what is older than its kind is kept: once a night for each tenant, as a run that people can watch.

Every step removes in small transactions and never waits for a row that somebody holds: such a row is left for
the next night. What is open stays however old it is: open alerts and their history, alerts on an open ticket,
conditions whose ticket is open, deliveries that are still tried again, unfinished runs, and the outbox.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Text,
    Uuid,
    and_,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session

from rmm_extension.domain.retention import Keep
from rmm_extension.domain.types import OPEN_STATUSES
from rmm_extension.host import SYSTEM_ACTOR
from rmm_extension.models import (
    ActionInvocation,
    Alert,
    AlertCondition,
    AlertHistory,
    Audit,
    DeviceSoftware,
    Integration,
    JobRun,
    WebhookDelivery,
    utc_now,
)

from . import runs
from .context import Rmm
from .lease import PLAIN
from .place import Place, read, written
from .runs import Run
from .software import cleaning
from .unit import unit

KIND = "retention"
BATCH = 1000
AT_NIGHT = timedelta(hours=3, minutes=17)
"""When a tenant's cleaning is due, after midnight UTC; a night without a scheduler is made up for by day."""
_MOST_TENANTS = 200
_OPEN = sorted(OPEN_STATUSES)
AnyRow: TypeAlias = "Row[*tuple[Any, ...]]"


@dataclass(frozen=True, slots=True)
class Batch:
    """What one small transaction did: how many rows it removed, and whether and where to go on."""

    removed: int
    more: bool
    place: Place | None = None


Remove = Callable[[Rmm, Session, str, datetime, Place | None], Batch]


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of row: ``name`` is what its count is called, ``kept`` its number of days in :class:`Keep`.

    ``remove`` takes one batch, as ``remove(rmm, session, tenant_id, cutoff, place)``.
    """

    name: str
    kept: str
    doing: str
    remove: Remove


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


# --- Rows that stand alone: age and state decide


def _removes(model: Any, time: InstrumentedAttribute[Any], over: Callable[[datetime], Any]) -> Remove:
    """A step that removes the oldest rows of a table by its index on tenant and time."""

    def remove(rmm: Rmm, session: Session, tenant_id: str, cutoff: datetime, place: Place | None) -> Batch:
        picked = (
            select(model.id)
            .where(model.tenant_id == tenant_id, time < cutoff, *over(cutoff))
            .order_by(time)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
            .cte("picked")
        )
        statement = delete(model).where(model.tenant_id == tenant_id, model.id == picked.c.id)
        removed = _execute(session, statement)
        return Batch(removed, more=removed == BATCH)

    return remove


def _processed(cutoff: datetime) -> list[ColumnElement[bool]]:
    return [WebhookDelivery.state == "processed"]


def _given_up(cutoff: datetime) -> list[ColumnElement[bool]]:
    failed_for_good = (WebhookDelivery.state == "failed") & WebhookDelivery.due_at.is_(None)
    return [or_(WebhookDelivery.state == "quarantined", failed_for_good)]


def _ended(cutoff: datetime) -> list[ColumnElement[bool]]:
    return [JobRun.status.not_in(runs.UNFINISHED), JobRun.finished_at < cutoff]


def _over_actions(cutoff: datetime) -> list[ColumnElement[bool]]:
    return [ActionInvocation.finished_at < cutoff]


def _any(cutoff: datetime) -> list[ColumnElement[bool]]:
    return []


# --- Software


def _gone(cutoff: datetime) -> list[ColumnElement[bool]]:
    return [DeviceSoftware.removed_at.is_not(None)]


def _of_deleted(rmm: Rmm, session: Session, tenant_id: str, cutoff: datetime, place: Place | None) -> Batch:
    return Batch(*cleaning.forget_deleted(session, tenant_id, cutoff))


def _products(rmm: Rmm, session: Session, tenant_id: str, cutoff: datetime, place: Place | None) -> Batch:
    return Batch(*cleaning.remove_products(session, tenant_id))


# --- Alerts, with the conditions and the history that belong to them


def _history(rmm: Rmm, session: Session, tenant_id: str, cutoff: datetime, place: Place | None) -> Batch:
    """Old lines of alerts that are over; those of open alerts and open tickets still explain something."""
    rows = session.execute(_old_history(tenant_id, cutoff, place)).all()
    open_ = _open_tickets(rmm, session, tenant_id, {row.ticket_id for row in rows})
    ids = [row.id for row in rows if row.ticket_id not in open_]
    statement = delete(AlertHistory).where(AlertHistory.tenant_id == tenant_id, AlertHistory.id.in_(ids))
    removed = _execute(session, statement) if ids else 0
    return Batch(removed, len(rows) == BATCH, (rows[-1].at, rows[-1].id) if rows else None)


def _old_history(tenant_id: str, cutoff: datetime, place: Place | None) -> Any:
    row = AlertHistory
    wanted = [row.tenant_id == tenant_id, row.at < cutoff]
    if place is not None:
        wanted.append(tuple_(row.at, row.id) > place)
    alert = (Alert.tenant_id == row.tenant_id) & (Alert.id == row.alert_id)
    over = or_(Alert.id.is_(None), Alert.status.not_in(_OPEN))
    return (
        select(row.id, row.at, Alert.ticket_id)
        .outerjoin(Alert, alert)
        .where(*wanted, over)
        .order_by(row.at, row.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=row)
    )


def _conditions(rmm: Rmm, session: Session, tenant_id: str, cutoff: datetime, place: Place | None) -> Batch:
    """The conditions of the alerts that are to go. A step before them, and so other transactions: everywhere
    conditions are locked before alerts."""
    rows, gone = _old_alerts(rmm, session, tenant_id, cutoff, place)
    keys = {(row.integration_id, row.dedup_key) for row in gone}
    removed = _remove_conditions(rmm, session, tenant_id, cutoff, keys) if keys else 0
    return _batch(removed, rows)


def _alerts(rmm: Rmm, session: Session, tenant_id: str, cutoff: datetime, place: Place | None) -> Batch:
    """Alerts that are over, unless their ticket is open, with what is left of their history."""
    rows, gone = _old_alerts(rmm, session, tenant_id, cutoff, place)
    return _batch(_remove_alerts(session, tenant_id, cutoff, [row.id for row in gone]), rows)


def _batch(removed: int, rows: Sequence[AnyRow]) -> Batch:
    return Batch(removed, len(rows) == BATCH, (rows[-1].triggered_at, rows[-1].id) if rows else None)


def _old_alerts(
    rmm: Rmm, session: Session, tenant_id: str, cutoff: datetime, place: Place | None
) -> tuple[Sequence[AnyRow], Sequence[AnyRow]]:
    """The next ones that are over, and those of them whose ticket is not open. By the index on tenant and
    time: what is over since long was triggered before that."""
    wanted = [Alert.tenant_id == tenant_id, Alert.triggered_at < cutoff, *_over(cutoff)]
    if place is not None:
        wanted.append(tuple_(Alert.triggered_at, Alert.id) > place)
    columns = (Alert.id, Alert.triggered_at, Alert.integration_id, Alert.dedup_key, Alert.ticket_id)
    statement = select(*columns).where(*wanted).order_by(Alert.triggered_at, Alert.id).limit(BATCH)
    rows = session.execute(statement).all()
    open_ = _open_tickets(rmm, session, tenant_id, {row.ticket_id for row in rows})
    return rows, [row for row in rows if row.ticket_id not in open_]


def _over(cutoff: datetime) -> list[ColumnElement[bool]]:
    """Resolved, and nothing has happened to it since. By our own clock: the vendor's may be wrong, and the
    row is also what keeps a late report from opening a ticket."""
    return [Alert.status.not_in(_OPEN), Alert.updated_at < cutoff]


def _remove_conditions(
    rmm: Rmm, session: Session, tenant_id: str, cutoff: datetime, keys: set[tuple[UUID, str]]
) -> int:
    """Those that have not fired since and whose ticket is not open. They are held while the host is asked, so
    that none of them gets a new ticket meanwhile."""
    row = AlertCondition
    wanted = (
        func.unnest(
            literal([key[0] for key in keys], ARRAY(Uuid)), literal([key[1] for key in keys], ARRAY(Text))
        )
        .table_valued("integration_id", "dedup_key")
        .render_derived("wanted")
    )
    statement = (
        select(row.id, row.ticket_id)
        .join(
            wanted, and_(row.integration_id == wanted.c.integration_id, row.dedup_key == wanted.c.dedup_key)
        )
        .where(
            row.tenant_id == tenant_id,
            or_(row.last_occurrence_at.is_(None), row.last_occurrence_at < cutoff),
        )
        .order_by(row.id)
        .with_for_update(skip_locked=True, of=row)
    )
    held = session.execute(statement).all()
    open_ = _open_tickets(rmm, session, tenant_id, {one.ticket_id for one in held})
    ids = [one.id for one in held if one.ticket_id not in open_]
    gone = delete(row).where(row.tenant_id == tenant_id, row.id.in_(ids))
    return _execute(session, gone) if ids else 0


def _remove_alerts(session: Session, tenant_id: str, cutoff: datetime, ids: Sequence[UUID]) -> int:
    """Those that are still over: one that fired again since it was looked at stays."""
    if not ids:
        return 0
    gone = (
        delete(Alert)
        .where(Alert.tenant_id == tenant_id, Alert.id.in_(ids), *_over(cutoff))
        .returning(Alert.id)
        .cte("gone")
    )
    rest = (
        delete(AlertHistory)
        .where(AlertHistory.tenant_id == tenant_id, AlertHistory.alert_id.in_(select(gone.c.id)))
        .returning(AlertHistory.id)
        .cte("rest")
    )
    counted = select(select(func.count()).select_from(gone).scalar_subquery()).add_cte(rest)
    return session.scalar(counted) or 0


def _open_tickets(rmm: Rmm, session: Session, tenant_id: str, ids: set[str | None]) -> set[str]:
    """Which of the tickets are open, asked of the host in one call."""
    port, known = rmm.host.tickets, {id_ for id_ in ids if id_}
    if port is None or not known:
        return set()
    return {key for key, ticket in port.get_many(session, tenant_id, known).items() if ticket.is_open}


def _execute(session: Session, statement: Any) -> int:
    """How many rows it removed."""
    return session.execute(statement, execution_options=PLAIN).rowcount  # type: ignore[attr-defined, no-any-return]


STEPS = (
    # Deliveries before alerts: one that outlived its alert would make a ticket of old news when replayed.
    Step(
        "deliveries",
        "deliveries",
        "Removing processed deliveries.",
        _removes(WebhookDelivery, WebhookDelivery.received_at, _processed),
    ),
    Step(
        "deliveries_put_aside",
        "quarantine",
        "Removing deliveries put aside.",
        _removes(WebhookDelivery, WebhookDelivery.received_at, _given_up),
    ),
    # History before alerts, so that an alert with much of it is not removed in one large statement.
    Step("history", "history", "Removing old history.", _history),
    Step("conditions", "alerts", "Removing conditions that are over.", _conditions),
    Step("alerts", "alerts", "Removing resolved alerts.", _alerts),
    # Rows before products: a product goes when no device has it or had it.
    Step(
        "software",
        "history",
        "Removing software that is gone.",
        _removes(DeviceSoftware, DeviceSoftware.removed_at, _gone),
    ),
    Step("software_of_deleted", "history", "Removing the software of deleted devices.", _of_deleted),
    Step("products", "history", "Removing products that nobody has.", _products),
    # Before the jobs that did them, and both as long: an action's page links to its job.
    Step(
        "actions",
        "runs",
        "Removing actions that are over.",
        _removes(ActionInvocation, ActionInvocation.created_at, _over_actions),
    ),
    Step("jobs", "runs", "Removing ended jobs.", _removes(JobRun, JobRun.queued_at, _ended)),
    Step("audit", "audit", "Removing old audit.", _removes(Audit, Audit.at, _any)),
)


def in_words(keep: Keep) -> list[tuple[str, int, str]]:
    """What is kept, for how many days, counted from when; for people."""
    return [
        ("Resolved alerts", keep.alerts, "since anything last happened to them"),
        ("History of alerts that are over", keep.history, "since it was written"),
        ("Software that is gone from a device", keep.history, "since a sync no longer found it"),
        ("Stored deliveries that were processed", keep.deliveries, "since they arrived"),
        ("Deliveries put aside, or failed for good", keep.quarantine, "since they arrived"),
        ("Jobs, and actions on devices", keep.runs, "since they ended"),
        ("Audit", keep.audit, "since it was written"),
    ]
