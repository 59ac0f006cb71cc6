"""The devices a person wants something done on, with what a page says of them before."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from rmm_extension.domain.platforms import platform_of
from rmm_extension.models import CONNECTION_OF_DEVICE, Alert, DeviceRow, Integration

_COLUMNS = (
    DeviceRow.id,
    DeviceRow.name,
    DeviceRow.status,
    DeviceRow.last_seen_at,
    DeviceRow.facts,
    DeviceRow.asset_id,
    DeviceRow.client_id,
    DeviceRow.deleted_at,
    DeviceRow.integration_id,
    Integration.name.label("connection_name"),
    Integration.provider,
    Integration.state.label("connection_state"),
)


@dataclass(frozen=True, slots=True)
class TargetRow:
    """A device and its connection as they were last told; ``platform`` is ``None`` where nobody said."""

    id: UUID
    name: str
    status: str
    last_seen_at: datetime | None
    facts: Mapping[str, Any]
    asset_id: str | None
    client_id: str | None
    deleted_at: datetime | None
    integration_id: UUID
    connection_name: str
    provider: str
    connection_state: str

    @property
    def platform(self) -> str | None:
        """``windows``, ``linux`` or ``darwin``."""
        return platform_of(self.facts)


def targets(session: Session, tenant_id: str, device_ids: Collection[UUID]) -> Sequence[TargetRow]:
    """These devices with their connections, by name."""
    if not device_ids:
        return []
    statement = (
        select(*_COLUMNS)
        .join(Integration, CONNECTION_OF_DEVICE)
        .where(DeviceRow.tenant_id == tenant_id, DeviceRow.id.in_(list(device_ids)))
    )
    return [TargetRow(*row) for row in session.execute(statement.order_by(DeviceRow.name, DeviceRow.id))]


def all_on_ticket(session: Session, tenant_id: str, ticket_id: str, device_ids: Collection[UUID]) -> bool:
    """Whether the ticket is about all of these devices: an alert on it names the device or its asset."""
    named = or_(
        Alert.device_id == DeviceRow.id,
        (Alert.asset_id == DeviceRow.asset_id) & DeviceRow.asset_id.is_not(None),
    )
    statement = (
        select(func.count(DeviceRow.id.distinct()))
        .join(Alert, (Alert.tenant_id == DeviceRow.tenant_id) & named)
        .where(
            DeviceRow.tenant_id == tenant_id,
            DeviceRow.id.in_(list(device_ids)),
            Alert.ticket_id == ticket_id,
        )
    )
    return session.scalar(statement) == len(set(device_ids))
