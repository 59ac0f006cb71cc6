"""How a connection does: its channels, what they lost, what waits, what went wrong lately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, ScalarSelect, and_, func, literal_column, or_, select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from rmm_extension.domain.values import moment
from rmm_extension.models import (
    OPEN_SQL,
    Alert,
    AlertHistory,
    AlertRule,
    Integration,
    JobRun,
    OrganizationMapping,
    Secret,
    SetAsideAlert,
    Signal,
    WebhookDelivery,
)
from rmm_extension.services.webhook_access import SECRET as WEBHOOK_SECRET

from .attention import NO_CLIENT

DAYS = 7
"""How far back health looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What is known of a connection's channels. Times and counts of the last :data:`DAYS` days, except for
    what waits now: deliveries, alerts, organizations."""

    last_webhook_at: datetime | None
    lost: int
    to_retry: int
    put_aside: int
    set_aside: int
    rules: int
    organizations: int
    unmapped: int
    alerts_without_client: int
    signed_in_since: datetime | None
    has_webhook_secret: bool
    throttled_at: datetime | None
    throttled_until: datetime | None


def health(session: Session, row: Integration) -> Health:
    """Everything the health of one connection is judged by, in one statement."""
    found = session.execute(
        select(
            _last_webhook(row).label("last_webhook_at"),
            _last_delivery(row).label("last_delivery_at"),
            _last_signal(row).label("last_signal_at"),
            _count(Alert, row, Alert.webhook_lost == true(), Alert.triggered_at >= _since()).label("lost"),
            _count(WebhookDelivery, row, WebhookDelivery.state == "failed").label("to_retry"),
            _count(WebhookDelivery, row, WebhookDelivery.state == "quarantined").label("put_aside"),
            _count(SetAsideAlert, row, SetAsideAlert.dismissed_at.is_(None)).label("set_aside"),
            _count(AlertRule, row, AlertRule.is_active == true()).label("rules"),
            _count(OrganizationMapping, row).label("organizations"),
            _count(OrganizationMapping, row, OrganizationMapping.client_id.is_(None)).label("unmapped"),
            _count(Alert, row, Alert.attention == NO_CLIENT, _open()).label("alerts_without_client"),
            _newest_secret(row).label("signed_in_since"),
            _has_webhook_secret(row).label("has_webhook_secret"),
            _throttled(row, JobRun.counts.op("?")("throttled"), JobRun.queued_at).label("throttled_at"),
            _throttled(row, JobRun.error_kind == "rate_limited", JobRun.due_at).label("throttled_until"),
        )
    ).one()
    latest = [at for at in (found.last_webhook_at, found.last_delivery_at, found.last_signal_at) if at]
    return Health(
        last_webhook_at=max(latest, default=None),
        **{name: getattr(found, name) for name in Health.__slots__ if name != "last_webhook_at"},
    )


def troubles(session: Session, row: Integration, limit: int = 5) -> Sequence[JobRun]:
    """The connection's newest runs that failed, or wait to be tried again."""
    statement = select(JobRun).where(
        JobRun.tenant_id == row.tenant_id,
        JobRun.integration_id == row.id,
        JobRun.queued_at >= _since(),
        or_(JobRun.status == "failed", JobRun.error.is_not(None)),
    )
    return session.scalars(statement.order_by(JobRun.queued_at.desc()).limit(limit)).all()


SYNCS = ("organization_sync", "device_sync", "software_sync", "patch_sync", "activity_sync")
"""Runs that can fail for long while the connection is well: polls alone speak for it where they are on."""


def failing(session: Session, row: Integration) -> Sequence[JobRun]:
    """The newest run of each kind of sync that failed, where none succeeded since."""
    since = aliased(JobRun)
    succeeded = select(since.id).where(
        since.tenant_id == row.tenant_id,
        since.exclusive_key == JobRun.exclusive_key,
        since.status == "succeeded",
        since.queued_at > JobRun.queued_at,
    )
    statement = select(JobRun).where(
        JobRun.tenant_id == row.tenant_id,
        JobRun.integration_id == row.id,
        JobRun.status == "failed",
        JobRun.queued_at >= _since(),
        JobRun.kind.in_(SYNCS),
        ~succeeded.exists(),
    )
    newest = statement.ext(distinct_on(JobRun.kind)).order_by(JobRun.kind, JobRun.queued_at.desc())
    return session.scalars(newest).all()


@dataclass(frozen=True, slots=True)
class VanishGuard:
    """A connection whose vendor left most of the open alerts out of a list: nothing is reset until a second
    list says the same. ``suspects`` of ``open`` alerts were missing at ``since``."""

    integration_id: UUID
    provider: str
    name: str
    since: datetime | None
    suspects: int
    open: int


def vanish_guards(session: Session, tenant_id: str) -> Sequence[VanishGuard]:
    """The tenant's connections on which most alerts are in doubt, by name."""
    statement = (
        select(Integration.id, Integration.provider, Integration.name, Integration.reconcile_state)
        .where(Integration.tenant_id == tenant_id, Integration.reconcile_state.contains({"mass": True}))
        .order_by(Integration.name)
    )
    return [vanish_guard(*row) for row in session.execute(statement)]


def vanish_guard(integration_id: UUID, provider: str, name: str, state: dict[str, object]) -> VanishGuard:
    """What a connection's stored state says."""
    suspects, since, open_then = state.get("suspects"), state.get("since"), state.get("open")
    return VanishGuard(
        integration_id=integration_id,
        provider=provider,
        name=name,
        since=moment(since) if isinstance(since, str) else None,
        suspects=len(suspects) if isinstance(suspects, list) else 0,
        open=open_then if isinstance(open_then, int) else 0,
    )


_Counted = type[Alert | AlertRule | OrganizationMapping | SetAsideAlert | WebhookDelivery]


def _open() -> ColumnElement[bool]:
    return literal_column(OPEN_SQL.replace("status", "rmm_alerts.status"), Boolean)


def _since() -> ColumnElement[datetime]:
    return func.now() - timedelta(days=DAYS)


def _of(row: Integration, model: Any) -> ColumnElement[bool]:
    return and_(model.tenant_id == row.tenant_id, model.integration_id == row.id)


def _count(model: _Counted, row: Integration, *conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    counted = select(func.count()).select_from(model)
    return counted.where(_of(row, model), *conditions).scalar_subquery()


def _last_webhook(row: Integration) -> ScalarSelect[datetime]:
    webhook = AlertHistory.channel == literal_column("'webhook'")
    newest = select(AlertHistory.at).where(_of(row, AlertHistory), webhook, AlertHistory.at >= _since())
    return newest.order_by(AlertHistory.at.desc()).limit(1).scalar_subquery()


def _last_signal(row: Integration) -> ScalarSelect[datetime]:
    webhook = Signal.channel == literal_column("'webhook'")
    newest = select(Signal.received_at).where(_of(row, Signal), webhook, Signal.received_at >= _since())
    return newest.order_by(Signal.received_at.desc()).limit(1).scalar_subquery()


def _last_delivery(row: Integration) -> ScalarSelect[datetime]:
    received = WebhookDelivery.received_at
    newest = select(func.max(received)).where(_of(row, WebhookDelivery), received >= _since())
    return newest.scalar_subquery()


def _newest_secret(row: Integration) -> ScalarSelect[datetime]:
    newest = select(func.max(Secret.updated_at)).where(_of(row, Secret), Secret.name.not_like("webhook%"))
    return newest.scalar_subquery()


def _has_webhook_secret(row: Integration) -> ColumnElement[bool]:
    return select(Secret.id).where(_of(row, Secret), Secret.name == WEBHOOK_SECRET).exists()


def _throttled(row: Integration, condition: ColumnElement[bool], at: Any) -> ScalarSelect[datetime]:
    newest = select(func.max(at)).where(_of(row, JobRun), condition, JobRun.queued_at >= _since())
    return newest.scalar_subquery()
