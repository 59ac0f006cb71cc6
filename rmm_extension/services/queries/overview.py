"""How things stand, in figures: each of these is one statement, whatever the number of alerts.

What looks back is bounded in time, so that it reads only the newest end of the index by time. Days are UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Interval, cast, func, literal, select, text
from sqlalchemy.orm import Session

from rmm_extension.domain.connection_states import TROUBLED_STATES
from rmm_extension.domain.types import Severity
from rmm_extension.models import OPEN_SQL, Alert, DeviceRow

from .attention import GIVEN_UP
from .device_filter import unseen_for
from .paging import AnyRow

STALE_AFTER = timedelta(days=7)
"""A device that was not seen for so long is stale: switched off for good, or its agent is broken."""


@dataclass(frozen=True, slots=True)
class OpenAlerts:
    """How many alerts are open, by severity; ``suppressed`` of them by a maintenance window."""

    by_severity: Mapping[str, int]
    suppressed: int

    @property
    def total(self) -> int:
        """Whatever the severity."""
        return sum(self.by_severity.values())


@dataclass(frozen=True, slots=True)
class Day:
    """What fired on one day, and how many tickets were made for it."""

    day: date
    alerts: int = 0
    tickets: int = 0


@dataclass(frozen=True, slots=True)
class TimeToResolve:
    """How long alerts of one severity lasted that are over."""

    severity: str
    alerts: int
    median: timedelta
    mean: timedelta


@dataclass(frozen=True, slots=True)
class TopCondition:
    """A condition that fired often, with the newest of its alerts."""

    firings: int
    alert_id: UUID
    device_id: UUID | None
    device_name: str | None
    severity: str
    words: str
    ticket_id: str | None
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Devices:
    """How many devices have each status, and how many were not seen for :data:`STALE_AFTER`."""

    by_status: Mapping[str, int]
    stale: int


@dataclass(frozen=True, slots=True)
class Attention:
    """How much needs a person, as the page of that name lists it."""

    alerts: int
    connections: int
    organizations: int
    deliveries: int
    runs: int
    guards: int
    set_aside: int
    workflow_runs: int

    @property
    def total(self) -> int:
        """Of any kind."""
        return sum(astuple(self))


def open_alerts(session: Session, tenant_id: str) -> OpenAlerts:
    """Open alerts by severity, worst first."""
    suppressed = func.count().filter(Alert.status == "suppressed")
    statement = (
        select(Alert.severity, func.count(), suppressed)
        .where(Alert.tenant_id == tenant_id, text(OPEN_SQL))
        .group_by(Alert.severity)
    )
    found = {row[0]: (row[1], row[2]) for row in session.execute(statement)}
    counted: dict[str, int] = {one: found[one][0] for one in Severity if one in found}
    return OpenAlerts(counted, sum(row[1] for row in found.values()))


def noise(session: Session, tenant_id: str, today: date, days: int) -> Sequence[Day]:
    """Alerts and the tickets made for them, day by day, oldest first, quiet days included."""
    first = today - timedelta(days=days - 1)
    # Days of 24 hours from a midnight in UTC, which has no others: half as dear as date_trunc.
    day = func.date_bin(literal(timedelta(days=1)), Alert.triggered_at, literal(_midnight(first)))
    statement = (
        select(day, func.count(), func.count().filter(Alert.auto_ticket_created))
        .where(*_since(tenant_id, first))
        .group_by(day)
    )
    found = {row[0].astimezone(UTC).date(): row for row in session.execute(statement)}
    every = (first + timedelta(days=at) for at in range(days))
    return [Day(one, found[one][1], found[one][2]) if one in found else Day(one) for one in every]


def times_to_resolve(session: Session, tenant_id: str, since: date) -> Sequence[TimeToResolve]:
    """Median and mean by severity, worst first, of the alerts since then that are over."""
    lasted = Alert.resolved_at - Alert.triggered_at
    median = cast(func.percentile_cont(0.5).within_group(lasted), Interval)
    statement = (
        select(Alert.severity, func.count(), median, func.avg(lasted))
        .where(*_since(tenant_id, since), Alert.resolved_at.is_not(None))
        .group_by(Alert.severity)
    )
    found = {row[0]: TimeToResolve(*row) for row in session.execute(statement)}
    return [found[one.value] for one in Severity if one.value in found]


def top_conditions(session: Session, tenant_id: str, since: date, limit: int = 5) -> Sequence[TopCondition]:
    """The conditions that fired most often since then; one that fired once is none."""
    values = {"tenant": tenant_id, "since": _midnight(since), "limit": limit}
    return [TopCondition(**row._mapping) for row in session.execute(_TOP, values)]


# The newest alert of each comes from the same range of the index: what fires often fired lately.
_TOP = text(
    """
WITH noisy AS (
    SELECT integration_id, dedup_key, count(*) AS firings, max(triggered_at) AS last_at
    FROM rmm_alerts
    WHERE tenant_id = :tenant AND triggered_at >= :since AND resolved_at IS DISTINCT FROM triggered_at
    GROUP BY integration_id, dedup_key
    HAVING count(*) > 1
    ORDER BY firings DESC, last_at DESC, dedup_key
    LIMIT :limit)
SELECT l.firings, a.id AS alert_id, a.device_id, a.device_name, a.severity, a.ticket_id, l.last_at,
       coalesce(a.message, a.alert_class, a.activity_type, l.dedup_key) AS words
FROM noisy l
CROSS JOIN LATERAL (
    SELECT * FROM rmm_alerts n
    WHERE n.tenant_id = :tenant AND n.integration_id = l.integration_id AND n.triggered_at = l.last_at
      AND n.dedup_key = l.dedup_key
    ORDER BY n.id DESC LIMIT 1) a
ORDER BY l.firings DESC, l.last_at DESC, l.dedup_key
"""
)


def devices(session: Session, tenant_id: str) -> Devices:
    """Devices by status, and the stale ones among them."""
    here = (DeviceRow.tenant_id == tenant_id, DeviceRow.deleted_at.is_(None))
    stale = select(func.count()).where(*here, *unseen_for(STALE_AFTER)).scalar_subquery()
    statement = select(DeviceRow.status, func.count(), stale).where(*here).group_by(DeviceRow.status)
    rows = session.execute(statement).all()
    return Devices({row[0]: row[1] for row in rows}, rows[0][2] if rows else 0)


def stale_devices(session: Session, tenant_id: str, limit: int = 5) -> Sequence[AnyRow]:
    """The devices that were not seen for longest."""
    columns = (DeviceRow.id, DeviceRow.name, DeviceRow.status, DeviceRow.last_seen_at)
    statement = select(*columns).where(
        DeviceRow.tenant_id == tenant_id, DeviceRow.deleted_at.is_(None), *unseen_for(STALE_AFTER)
    )
    return session.execute(statement.order_by(DeviceRow.last_seen_at, DeviceRow.id).limit(limit)).all()


def attention(session: Session, tenant_id: str) -> Attention:
    """How much waits, counted by the small indexes of what waits."""
    return Attention(
        *session.execute(_ATTENTION, {"tenant": tenant_id, "troubled": list(TROUBLED_STATES)}).one()
    )


_ATTENTION = text(
    f"""
SELECT
    (SELECT count(*) FROM rmm_alerts WHERE tenant_id = :tenant AND attention IS NOT NULL),
    (SELECT count(*) FROM rmm_integrations WHERE tenant_id = :tenant AND state <> 'not_connected'
        AND (state = ANY(:troubled) OR setup_step IS NOT NULL)),
    (SELECT count(*) FROM rmm_organization_mappings WHERE tenant_id = :tenant AND last_error IS NOT NULL),
    (SELECT count(*) FROM rmm_webhook_deliveries
        WHERE tenant_id = :tenant AND state IN ('failed', 'quarantined')),
    (SELECT count(*) FROM rmm_job_runs WHERE tenant_id = :tenant AND {GIVEN_UP}),
    (SELECT count(*) FROM rmm_integrations
        WHERE tenant_id = :tenant AND reconcile_state @> '{{"mass": true}}'),
    (SELECT count(*) FROM rmm_set_aside_alerts WHERE tenant_id = :tenant AND dismissed_at IS NULL),
    (SELECT count(*) FROM rmm_workflow_runs WHERE tenant_id = :tenant AND state = 'unknown')
"""  # noqa: S608 - a constant
)


def _since(tenant_id: str, first: date) -> tuple[Any, ...]:
    """The alerts that fired since that day; one that was over before it was ever reported did not fire."""
    return (
        Alert.tenant_id == tenant_id,
        Alert.triggered_at >= _midnight(first),
        Alert.resolved_at.is_distinct_from(Alert.triggered_at),
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
