"""Handler of the outbox: events about many devices become events about one each, if somebody listens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension import signals
from rmm_extension.domain.values import iso
from rmm_extension.models import CONNECTION_OF_DEVICE, DeviceRow, Integration

from . import events, relay
from .context import Rmm

_DEVICE = (
    DeviceRow.id,
    DeviceRow.integration_id,
    DeviceRow.external_id,
    DeviceRow.external_organization_id,
    DeviceRow.name,
    DeviceRow.kind,
    DeviceRow.status,
    DeviceRow.asset_id,
    DeviceRow.client_id,
    DeviceRow.last_seen_at,
    DeviceRow.deleted_at,
    Integration.provider,
)


def fan_out(rmm: Rmm, session: Session, tenant_id: str, payload: dict[str, Any]) -> None:
    """Tell each device as it is now; two statements, whatever their number."""
    name = payload["name"]
    if is_heard(session, tenant_id, name):
        ids = [UUID(one) for one in payload["ids"]]
        found = [_payload(name, row) for row in _devices(session, tenant_id, ids)]
        events.tell_many(session, tenant_id, name, found)


def device_event(session: Session, tenant_id: str, name: str, device_id: UUID) -> dict[str, Any] | None:
    """What the event ``name`` says of a device as it is now; ``None`` for one that is not here."""
    rows = _devices(session, tenant_id, [device_id])
    return _payload(name, rows[0]) if rows else None


def is_heard(session: Session, tenant_id: str, name: str) -> bool:
    """Whether a consumer wants the event, or its signal has a receiver in this process, which sends it."""
    return bool(signals.ALL[name].receivers or relay.wanted_events(session, {(tenant_id, name)}))


def _devices(session: Session, tenant_id: str, ids: Sequence[UUID]) -> Sequence[Any]:
    return session.execute(
        select(*_DEVICE)
        .join(Integration, CONNECTION_OF_DEVICE)
        .where(DeviceRow.tenant_id == tenant_id, DeviceRow.id.in_(ids))
        .order_by(DeviceRow.id)
    ).all()


def _payload(name: str, row: Any) -> dict[str, Any]:
    said = {
        "integrationId": str(row.integration_id),
        "provider": row.provider,
        "deviceId": str(row.id),
        "externalDeviceId": row.external_id,
        "externalOrganizationId": row.external_organization_id,
        "name": row.name,
        "kind": row.kind,
        "status": row.status,
        "assetId": row.asset_id,
        "clientId": row.client_id,
        "lastSeenAt": iso(row.last_seen_at),
    }
    return said | {"deletedAt": iso(row.deleted_at)} if name == "device_deleted" else said
