"""The log of deliveries: what alerts' histories say of the taken ones, signals, and the stored ones.

A taken delivery has no row of its own; the line of history it made, or the signal it brought, is its line
here. A stored one was put aside or has failed at first. Each source is asked for one page's rows by its
index, and these few are merged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    Text,
    Uuid,
    func,
    literal,
    literal_column,
    null,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from rmm_extension.domain.types import Channel, Outcome
from rmm_extension.models import (
    Alert,
    AlertHistory,
    DeviceRow,
    Integration,
    JobRun,
    Signal,
    WebhookDelivery,
)
from rmm_extension.services.replay import exclusive_key
from rmm_extension.services.runs import UNFINISHED

from .alerts import AlertFilter, alert_page
from .paging import PAGE, AnyRow, AnySelect, Page, cut, read_time_cursor, time_cursor

TICKET = (Outcome.TICKET_CREATED, Outcome.OCCURRENCE_APPENDED, Outcome.TICKET_REOPENED)
"""What :attr:`DeliveryFilter.outcome` means by ``ticket``."""
SIGNAL = "signal"
"""What :attr:`DeliveryFilter.outcome` calls all that told of a device or organizations, not of an alert."""
STATES = ("failed", "quarantined", "processed")
"""The states of stored deliveries; ``stored`` in a filter means all of them."""
NEWEST_ALERTS = 200
"""A text is looked for in alerts, and the deliveries of so many of them are shown."""
_WEBHOOK: ColumnElement[str] = literal_column("'webhook'")
"""As the index of taken deliveries spells it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """What the log is narrowed to.

    ``outcome`` is an outcome of a taken delivery, ``ticket`` for all that touched a ticket, ``signal`` for
    all that told of a device or organizations, a state of a stored one, or ``stored`` for all of these.
    ``text`` is looked for in the alerts' devices and messages.
    """

    outcome: str | None = None
    integration_id: UUID | None = None
    alert_id: UUID | None = None
    text: str | None = None
    since: datetime | None = None


def delivery_page(
    session: Session,
    tenant_id: str,
    wanted: DeliveryFilter,
    *,
    after: str | None = None,
    before: str | None = None,
    limit: int = PAGE,
) -> Page[AnyRow]:
    """Deliveries, newest first: the page behind the cursor ``after``, or the one in front of ``before``."""
    ascending = before is not None
    cursor = read_time_cursor(before or after)
    alerts = _alerts(session, tenant_id, wanted)
    first = _First(cursor, ascending, limit + 1)
    branches = list(_branches(tenant_id, wanted, alerts, first))
    found = session.execute(_merged(tenant_id, branches, first)).all() if branches else []
    return cut(
        found,
        limit,
        lambda row: time_cursor(row.at, row.id),
        continued=cursor is not None,
        backwards=ascending,
    )


def last_deliveries(
    session: Session, tenant_id: str, integration_id: UUID, limit: int = 5
) -> Sequence[AnyRow]:
    """The newest deliveries of one connection."""
    wanted = DeliveryFilter(integration_id=integration_id)
    return delivery_page(session, tenant_id, wanted, limit=limit).rows


def _alerts(session: Session, tenant_id: str, wanted: DeliveryFilter) -> Collection[UUID] | None:
    """The alerts whose deliveries are wanted; ``None`` for those of all."""
    if wanted.alert_id:
        return [wanted.alert_id]
    if not wanted.text:
        return None
    like = AlertFilter(text=wanted.text, integration_id=wanted.integration_id)
    return [row.id for row in alert_page(session, tenant_id, like, limit=NEWEST_ALERTS).rows]


@dataclass(frozen=True, slots=True)
class _First:
    """The first rows of a source, in one direction from a place on."""

    cursor: tuple[datetime, UUID] | None
    ascending: bool
    limit: int

    def of(self, branch: AnySelect) -> AnySelect:
        """The branch cut to them."""
        at, id_ = branch.selected_columns["at"], branch.selected_columns["id"]
        if self.cursor is not None:
            place = tuple_(at, id_)
            branch = branch.where(place > self.cursor if self.ascending else place < self.cursor)
        return branch.order_by(*self.order(at, id_)).limit(self.limit)

    def order(self, at: Any, id_: Any) -> tuple[Any, Any]:
        """By time, and by id where the time is the same."""
        return (at, id_) if self.ascending else (at.desc(), id_.desc())


def _branches(
    tenant_id: str, wanted: DeliveryFilter, alerts: Collection[UUID] | None, first: _First
) -> Iterator[AnySelect]:
    """The taken ones, the signals and the stored ones, each cut to one page."""
    outcomes, states = _outcomes(wanted.outcome)
    if alerts is not None and not alerts:
        return
    if alerts is None and wanted.outcome in (None, SIGNAL):
        yield select(first.of(_signals(tenant_id, wanted)).subquery())
    if outcomes:
        yield _first_taken(tenant_id, wanted, outcomes, alerts, first)
    if states:
        stored = _stored(tenant_id, wanted)
        if len(states) < len(STATES):
            stored = stored.where(WebhookDelivery.state.in_(states))
        if alerts is not None:
            stored = stored.where(WebhookDelivery.alert_id.in_(alerts))
        yield select(first.of(stored).subquery())


def _first_taken(
    tenant_id: str,
    wanted: DeliveryFilter,
    outcomes: Sequence[str],
    alerts: Collection[UUID] | None,
    first: _First,
) -> AnySelect:
    """The taken ones. Those of alerts or of a connection are found by an index of these. All others are asked
    for outcome by outcome, because their index begins with it: so a rare one is found as fast as any."""
    taken = _taken(tenant_id, wanted)
    if alerts is None and wanted.integration_id is None:
        each = (
            func.unnest(literal(list(outcomes), ARRAY(Text))).table_valued("outcome").render_derived("each")
        )
        of_one = first.of(taken.where(AlertHistory.outcome == each.c.outcome)).lateral("of_one")
        return select(of_one).select_from(each.join(of_one, true()))
    if alerts is not None:
        taken = taken.where(AlertHistory.alert_id.in_(alerts))
    if wanted.outcome is not None:
        taken = taken.where(AlertHistory.outcome.in_(outcomes))
    return select(first.of(taken).subquery())


def _outcomes(choice: str | None) -> tuple[Sequence[str], Sequence[str]]:
    """The outcomes of taken and the states of stored deliveries that a choice means."""
    if choice is None:
        return list(Outcome), STATES
    if choice == "stored":
        return (), STATES
    if choice == SIGNAL:
        return (), ()
    if choice in STATES:
        return (), (choice,)
    return (TICKET if choice == "ticket" else (choice,)), ()


def _taken(tenant_id: str, wanted: DeliveryFilter) -> AnySelect:
    row = AlertHistory
    statement = select(
        null().cast(Text).label("state"),
        row.id.label("id"),
        row.at.label("at"),
        row.integration_id.label("integration_id"),
        row.alert_id.label("alert_id"),
        row.outcome.label("outcome"),
        null().cast(Text).label("reason"),
        null().cast(Integer).label("attempts"),
        null().cast(DateTime(timezone=True)).label("due_at"),
        row.duration_ms.label("duration_ms"),
        null().cast(Text).label("replayed_by"),
        null().cast(Text).label("words"),
        null().cast(Uuid).label("told_of_id"),
    ).where(row.tenant_id == tenant_id, row.channel == _WEBHOOK)
    if wanted.integration_id:
        statement = statement.where(row.integration_id == wanted.integration_id)
    return statement.where(row.at >= wanted.since) if wanted.since else statement


def _signals(tenant_id: str, wanted: DeliveryFilter) -> AnySelect:
    row = Signal
    statement = select(
        null().cast(Text).label("state"),
        row.id.label("id"),
        row.received_at.label("at"),
        row.integration_id.label("integration_id"),
        null().cast(Uuid).label("alert_id"),
        row.outcome.label("outcome"),
        row.reason.label("reason"),
        null().cast(Integer).label("attempts"),
        null().cast(DateTime(timezone=True)).label("due_at"),
        row.duration_ms.label("duration_ms"),
        null().cast(Text).label("replayed_by"),
        row.words.label("words"),
        row.device_id.label("told_of_id"),
    ).where(row.tenant_id == tenant_id, row.channel == _WEBHOOK)
    if wanted.integration_id:
        statement = statement.where(row.integration_id == wanted.integration_id)
    return statement.where(row.received_at >= wanted.since) if wanted.since else statement


def _stored(tenant_id: str, wanted: DeliveryFilter) -> AnySelect:
    row = WebhookDelivery
    statement = select(
        row.state.label("state"),
        row.id.label("id"),
        row.received_at.label("at"),
        row.integration_id.label("integration_id"),
        row.alert_id.label("alert_id"),
        row.outcome.label("outcome"),
        row.reason.label("reason"),
        row.attempts.label("attempts"),
        row.due_at.label("due_at"),
        row.duration_ms.label("duration_ms"),
        row.replayed_by.label("replayed_by"),
        null().cast(Text).label("words"),
        null().cast(Uuid).label("told_of_id"),
    ).where(row.tenant_id == tenant_id)
    if wanted.integration_id:
        statement = statement.where(row.integration_id == wanted.integration_id)
    return statement.where(row.received_at >= wanted.since) if wanted.since else statement


def _merged(tenant_id: str, branches: Sequence[AnySelect], first: _First) -> AnySelect:
    """The branches' first rows in one order, each with its alert or device."""
    log = union_all(*branches).subquery("log")
    few = select(log).order_by(*first.order(log.c.at, log.c.id)).limit(first.limit).subquery("few")
    return (
        select(
            few,
            func.coalesce(Alert.device_name, DeviceRow.name).label("device_name"),
            func.coalesce(Alert.device_id, DeviceRow.id).label("device_id"),
            Alert.message,
            Alert.alert_class,
            Alert.ticket_id,
        )
        .outerjoin(Alert, (Alert.tenant_id == tenant_id) & (Alert.id == few.c.alert_id))
        .outerjoin(DeviceRow, (DeviceRow.tenant_id == tenant_id) & (DeviceRow.id == few.c.told_of_id))
        .order_by(*first.order(few.c.at, few.c.id))
    )


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """A stored delivery with what its page tells: connection, alert, and the try that is under way."""

    row: WebhookDelivery
    connection: AnyRow | None
    alert: Alert | None
    under_way: JobRun | None


def stored_delivery(session: Session, tenant_id: str, delivery_id: UUID) -> StoredDelivery | None:
    """One stored delivery, or ``None``."""
    row = session.scalar(
        select(WebhookDelivery).where(
            WebhookDelivery.tenant_id == tenant_id, WebhookDelivery.id == delivery_id
        )
    )
    if row is None:
        return None
    run = select(JobRun).where(
        JobRun.tenant_id == tenant_id,
        JobRun.exclusive_key == exclusive_key(delivery_id),
        JobRun.status.in_(UNFINISHED),
    )
    return StoredDelivery(
        row=row,
        connection=_connection(session, tenant_id, row.integration_id),
        alert=_alert(session, tenant_id, row.alert_id) if row.alert_id else None,
        under_way=session.scalar(run),
    )


@dataclass(frozen=True, slots=True)
class TakenDelivery:
    """A line of an alert's history that a delivery made."""

    row: AlertHistory
    connection: AnyRow | None
    alert: Alert | None


def taken_delivery(session: Session, tenant_id: str, event_id: UUID) -> TakenDelivery | None:
    """One taken delivery, or ``None``: also for a line of history that came another way."""
    row = session.scalar(
        select(AlertHistory).where(
            AlertHistory.tenant_id == tenant_id,
            AlertHistory.id == event_id,
            AlertHistory.channel == Channel.WEBHOOK,
        )
    )
    if row is None:
        return None
    connection = _connection(session, tenant_id, row.integration_id)
    return TakenDelivery(row, connection, _alert(session, tenant_id, row.alert_id))


def replay_under_way(session: Session, tenant_id: str, integration_id: UUID) -> JobRun | None:
    """The replay of many deliveries that works on this connection now."""
    return session.scalar(
        select(JobRun).where(
            JobRun.tenant_id == tenant_id,
            JobRun.exclusive_key == f"delivery_replay:{integration_id}",
            JobRun.status.in_(UNFINISHED),
        )
    )


def _connection(session: Session, tenant_id: str, integration_id: UUID) -> AnyRow | None:
    columns = (Integration.id, Integration.provider, Integration.name, Integration.state)
    statement = select(*columns).where(Integration.tenant_id == tenant_id, Integration.id == integration_id)
    return session.execute(statement).first()


def _alert(session: Session, tenant_id: str, alert_id: UUID) -> Alert | None:
    return session.scalar(select(Alert).where(Alert.tenant_id == tenant_id, Alert.id == alert_id))
