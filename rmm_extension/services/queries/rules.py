"""Rules with how often they were met, and what a connection's alerts look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ScalarSelect, func, literal, select
from sqlalchemy.orm import Session

from rmm_extension.models import Alert, AlertHistory, AlertRule

from .paging import AnyRow

HIT_DAYS = 30
HITS_CAP = 10_000
"""Hits are counted up to here and read “10,000+”."""
NEWEST = 5_000
"""So many of a connection's newest alerts are looked through for values."""


def rule_list(session: Session, tenant_id: str, integration_id: UUID) -> Sequence[AnyRow]:
    """The connection's rules in the order they are asked: one statement.

    Columns ``id, name, description, is_active, priority_order, conditions, actions, updated_at``, and
    ``hits`` (times the rule took an alert in 30 days, at most one more than ``HITS_CAP``) and
    ``last_hit_at``.
    """
    hits, last = _hits(tenant_id)
    statement = (
        select(
            AlertRule.id,
            AlertRule.name,
            AlertRule.description,
            AlertRule.is_active,
            AlertRule.priority_order,
            AlertRule.conditions,
            AlertRule.actions,
            AlertRule.updated_at,
            hits.label("hits"),
            last.label("last_hit_at"),
        )
        .where(AlertRule.tenant_id == tenant_id, AlertRule.integration_id == integration_id)
        .order_by(AlertRule.priority_order, AlertRule.id)
    )
    return session.execute(statement).all()


def rule(session: Session, tenant_id: str, rule_id: UUID) -> AlertRule | None:
    """One rule; ``None`` when there is no such rule in this tenant."""
    return session.scalar(select(AlertRule).where(AlertRule.tenant_id == tenant_id, AlertRule.id == rule_id))


@dataclass(frozen=True, slots=True)
class SeenValues:
    """What a connection's newest alerts brought, each alphabetically: choices for a rule's conditions."""

    activity_types: Sequence[str]
    alert_classes: Sequence[str]
    source_types: Sequence[str]
    severities: Sequence[str]


def seen_values(session: Session, tenant_id: str, integration_id: UUID) -> SeenValues:
    """The values of the newest alerts, by the time index: one statement."""
    newest = (
        select(Alert.activity_type, Alert.alert_class, Alert.source_type, Alert.severity)
        .where(Alert.tenant_id == tenant_id, Alert.integration_id == integration_id)
        .order_by(Alert.triggered_at.desc(), Alert.id.desc())
        .limit(NEWEST)
        .subquery()
    )
    row = session.execute(select(*(func.array_agg(column.distinct()) for column in newest.c))).one()
    return SeenValues(*(sorted(value for value in values or () if value) for values in row))


def recent_alerts(
    session: Session, tenant_id: str, integration_id: UUID, limit: int = 20
) -> Sequence[AnyRow]:
    """The newest alerts, to choose one for a preview.

    Columns ``id, device_name, message, severity, triggered_at``.
    """
    columns = (Alert.id, Alert.device_name, Alert.message, Alert.severity, Alert.triggered_at)
    statement = select(*columns).where(Alert.tenant_id == tenant_id, Alert.integration_id == integration_id)
    return session.execute(statement.order_by(Alert.triggered_at.desc(), Alert.id.desc()).limit(limit)).all()


def _hits(tenant_id: str) -> tuple[ScalarSelect[int], ScalarSelect[datetime]]:
    met = (AlertHistory.tenant_id == tenant_id, AlertHistory.rule_id == AlertRule.id)
    since = func.now() - func.make_interval(0, 0, 0, HIT_DAYS)
    few = (
        select(literal(1)).where(*met, AlertHistory.at >= since).limit(HITS_CAP + 1).correlate(AlertRule)
    ).subquery()
    hits = select(func.count()).select_from(few).scalar_subquery()
    last = select(func.max(AlertHistory.at)).where(*met).correlate(AlertRule).scalar_subquery()
    return hits, last
