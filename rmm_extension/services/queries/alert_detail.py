"""One alert with its story."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rmm_extension.models import (
    Alert,
    AlertCondition,
    AlertHistory,
    AlertRule,
    DeviceRow,
    Integration,
    MaintenanceWindow,
)

from .paging import AnyRow, AnySelect

NEW_EPISODE = "new_episode"
"""The step of a history row with which an alert that was over begins anew."""


@dataclass(frozen=True, slots=True)
class Episode:
    """What happened from one firing until the next that came after the alert was over, newest first."""

    number: int
    rows: Sequence[AnyRow]


@dataclass(frozen=True, slots=True)
class AlertDetail:
    """One alert with everything its page tells."""

    alert: Alert
    connection: AnyRow | None
    device: DeviceRow | None
    occurrences: int | None
    rule_name: str | None
    window: MaintenanceWindow | None
    episodes: Sequence[Episode]


def alert_detail(session: Session, tenant_id: str, alert_id: UUID, limit: int = 200) -> AlertDetail | None:
    """The alert with its connection, device and history (newest first), or ``None``."""
    alert = session.scalar(select(Alert).where(Alert.tenant_id == tenant_id, Alert.id == alert_id))
    if alert is None:
        return None
    around = session.execute(_around(alert)).one()
    return AlertDetail(
        alert=alert,
        connection=around if around.connection_name is not None else None,
        device=_device(session, alert),
        occurrences=around.occurrence_count,
        rule_name=around.rule_name,
        window=around.MaintenanceWindow,
        episodes=by_episode(session.execute(_history(tenant_id, [alert_id], limit)).all(), alert.episode),
    )


def by_episode(history: Sequence[AnyRow], newest: int) -> list[Episode]:
    """A history, newest first, cut behind each row that began an episode."""
    found: list[list[AnyRow]] = [[]]
    for row in history:
        found[-1].append(row)
        if any(isinstance(step, dict) and step.get("code") == NEW_EPISODE for step in row.steps):
            found.append([])
    return [Episode(newest - place, rows) for place, rows in enumerate(found) if rows]


def _around(alert: Alert) -> AnySelect:
    here = select(func.now().label("at")).subquery()
    return (
        select(
            Integration.name.label("connection_name"),
            Integration.provider,
            Integration.state,
            AlertCondition.occurrence_count,
            AlertRule.name.label("rule_name"),
            MaintenanceWindow,
        )
        .select_from(here)
        .outerjoin(
            Integration,
            (Integration.tenant_id == alert.tenant_id) & (Integration.id == alert.integration_id),
        )
        .outerjoin(
            AlertCondition,
            (AlertCondition.tenant_id == alert.tenant_id)
            & (AlertCondition.integration_id == alert.integration_id)
            & (AlertCondition.dedup_key == alert.dedup_key),
        )
        .outerjoin(
            AlertRule, (AlertRule.tenant_id == alert.tenant_id) & (AlertRule.id == alert.matched_rule_id)
        )
        .outerjoin(
            MaintenanceWindow,
            (MaintenanceWindow.tenant_id == alert.tenant_id)
            & (MaintenanceWindow.id == alert.suppressed_by_window_id),
        )
    )


def _device(session: Session, alert: Alert) -> DeviceRow | None:
    if alert.device_id is None:
        return None
    return session.scalar(
        select(DeviceRow).where(DeviceRow.tenant_id == alert.tenant_id, DeviceRow.id == alert.device_id)
    )


def _history(tenant_id: str, alert_ids: Sequence[UUID], limit: int) -> AnySelect:
    columns = (
        AlertHistory.id,
        AlertHistory.alert_id,
        AlertHistory.at,
        AlertHistory.occurred_at,
        AlertHistory.channel,
        AlertHistory.kind,
        AlertHistory.outcome,
        AlertHistory.actor,
        AlertHistory.steps,
    )
    mine = (
        AlertHistory.alert_id == alert_ids[0] if len(alert_ids) == 1 else AlertHistory.alert_id.in_(alert_ids)
    )
    statement = select(*columns).where(AlertHistory.tenant_id == tenant_id, mine)
    return statement.order_by(AlertHistory.id.desc()).limit(limit)


def history_of(
    session: Session, tenant_id: str, alert_ids: Sequence[UUID], limit: int = 100
) -> Sequence[AnyRow]:
    """What was decided about these alerts, newest first."""
    return session.execute(_history(tenant_id, alert_ids, limit)).all() if alert_ids else []
