"""What the host's own pages show."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension.models import CONNECTION_OF_DEVICE, Alert, DeviceRow, Integration

from .paging import AnyRow

SHOWN = 20
"""So many alerts stand in a panel."""


def alerts_of_ticket(
    session: Session, tenant_id: str, ticket_id: str, limit: int = SHOWN
) -> Sequence[AnyRow]:
    """The alerts behind a ticket, newest first."""
    columns = (
        Alert.id,
        Alert.device_id,
        Alert.asset_id,
        Alert.device_name,
        Alert.status,
        Alert.severity,
        Alert.title,
        Alert.message,
        Alert.alert_class,
        Alert.triggered_at,
        Alert.resolved_at,
    )
    statement = select(*columns).where(Alert.tenant_id == tenant_id, Alert.ticket_id == ticket_id)
    return session.execute(statement.order_by(Alert.triggered_at.desc()).limit(limit)).all()


def devices(session: Session, tenant_id: str, ids: Collection[UUID]) -> Sequence[AnyRow]:
    """These devices with their status and connection."""
    if not ids:
        return []
    statement = (
        select(
            DeviceRow.id,
            DeviceRow.name,
            DeviceRow.status,
            DeviceRow.last_seen_at,
            DeviceRow.facts,
            DeviceRow.asset_id,
            Integration.name.label("connection_name"),
            Integration.provider,
        )
        .join(Integration, CONNECTION_OF_DEVICE)
        .where(DeviceRow.tenant_id == tenant_id, DeviceRow.id.in_(list(ids)))
    )
    return session.execute(statement).all()
