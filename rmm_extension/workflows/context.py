"""What a run is about, and what its expressions see of it: the things as they were when the run began."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension.domain.values import iso, read_uuid
from rmm_extension.models import Alert, DeviceRow, Integration
from rmm_extension.services.actions.invocations import target
from rmm_extension.services.context import Rmm


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The ids of what a run is about, as far as they are known."""

    integration_id: UUID | None = None
    alert_id: UUID | None = None
    device_id: UUID | None = None
    external_device_id: str | None = None
    ticket_id: str | None = None
    asset_id: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """What a run is about: the rows' ids, what it is told apart by from others about something else, and the
    objects that expressions see."""

    about: About
    guard_key: str | None
    objects: Mapping[str, Any]


def about_event(payload: Mapping[str, Any]) -> About:
    """What an event is about, by the ids it carries."""
    return About(
        integration_id=read_uuid(payload.get("integrationId")),
        alert_id=read_uuid(payload.get("alertId")),
        device_id=read_uuid(payload.get("deviceId")),
        external_device_id=payload.get("externalDeviceId"),
        ticket_id=payload.get("ticketId"),
        asset_id=payload.get("assetId"),
    )


def about_subject(subject_type: str, subject_id: str) -> About:
    """What a person started a workflow from; raises ``LookupError`` for an id that cannot be one."""
    if subject_type == "ticket":
        return About(ticket_id=subject_id)
    if subject_type == "asset":
        return About(asset_id=subject_id)
    known = read_uuid(subject_id)
    if known is None or subject_type not in ("alert", "device"):
        raise LookupError("There is no such thing to start it from.")
    return About(alert_id=known) if subject_type == "alert" else About(device_id=known)


def look(rmm: Rmm, session: Session, tenant_id: str, about: About) -> Scene:
    """Everything that belongs to it, each with its ``id``, or ``None`` where there is none."""
    alert = _alert(session, tenant_id, about)
    ticket_id = about.ticket_id or (alert.ticket_id if alert else None)
    asset_id = about.asset_id or (alert.asset_id if alert else None)
    device = _device(session, tenant_id, about, alert, asset_id)
    asset_id = asset_id or (device.asset_id if device else None)
    connection = _connection(session, tenant_id, about, alert, device)
    ticket = _ticket(rmm, session, tenant_id, ticket_id)
    asset = _asset(rmm, session, tenant_id, asset_id)
    owners = [one["client_id"] for one in (ticket, asset) if one]
    owners += [one.client_id for one in (alert, device) if one]
    objects = {
        "alert": _alert_object(alert, connection),
        "device": _device_object(device),
        "ticket": ticket,
        "asset": asset,
        "client": _client(rmm, session, tenant_id, next((one for one in owners if one), None)),
        "connection": _connection_object(connection),
    }
    found = About(
        integration_id=connection.id if connection else about.integration_id,
        alert_id=alert.id if alert else None,
        device_id=device.id if device else None,
        ticket_id=ticket_id,
        asset_id=asset_id,
    )
    return Scene(found, _guard_key(found, alert), objects)


def _guard_key(about: About, alert: Alert | None) -> str | None:
    """What two runs are about the same thing by. The alert's condition first: each time round, a loop over
    tickets and alerts makes another ticket, and perhaps another alert, of the same condition."""
    if alert is not None:
        return f"alert:{alert.integration_id}:{alert.dedup_key}"
    for kind, value in (
        ("device", about.device_id),
        ("ticket", about.ticket_id),
        ("asset", about.asset_id),
        ("connection", about.integration_id),
    ):
        if value is not None:
            return f"{kind}:{value}"
    return None


def _alert(session: Session, tenant_id: str, about: About) -> Alert | None:
    """The alert, or the newest one of the ticket."""
    if about.alert_id is not None:
        return session.get(Alert, (tenant_id, about.alert_id))
    if about.ticket_id is None:
        return None
    of_ticket = select(Alert).where(Alert.tenant_id == tenant_id, Alert.ticket_id == about.ticket_id)
    return session.scalar(of_ticket.order_by(Alert.triggered_at.desc(), Alert.id.desc()).limit(1))


def _device(
    session: Session, tenant_id: str, about: About, alert: Alert | None, asset_id: str | None
) -> DeviceRow | None:
    """The device by its own id or the vendor's; else the asset's that was seen last."""
    device_id = about.device_id or (alert.device_id if alert else None)
    if device_id is not None:
        return session.get(DeviceRow, (tenant_id, device_id))
    external_id = about.external_device_id or (alert.external_device_id if alert else None)
    integration_id = about.integration_id or (alert.integration_id if alert else None)
    if external_id is not None and integration_id is not None:
        return session.scalar(
            select(DeviceRow).where(
                DeviceRow.tenant_id == tenant_id,
                DeviceRow.integration_id == integration_id,
                DeviceRow.external_id == external_id,
            )
        )
    if asset_id is None:
        return None
    of_asset = (DeviceRow.tenant_id == tenant_id, DeviceRow.asset_id == asset_id)
    alive = select(DeviceRow).where(*of_asset, DeviceRow.deleted_at.is_(None))
    return session.scalar(alive.order_by(DeviceRow.last_seen_at.desc().nulls_last(), DeviceRow.id).limit(1))


def _connection(
    session: Session, tenant_id: str, about: About, alert: Alert | None, device: DeviceRow | None
) -> Integration | None:
    known = about.integration_id or next((one.integration_id for one in (alert, device) if one), None)
    return session.get(Integration, (tenant_id, known)) if known else None


def _ticket(rmm: Rmm, session: Session, tenant_id: str, ticket_id: str | None) -> dict[str, Any] | None:
    port = rmm.host.tickets
    if port is None or ticket_id is None:
        return None
    found = port.get_many(session, tenant_id, [ticket_id]).get(ticket_id)
    if found is None:
        return None
    return {
        "id": found.id,
        "number": found.number,
        "title": found.title,
        "status": found.status_name,
        "is_open": found.is_open,
        "client_id": found.client_id,
    }


def _asset(rmm: Rmm, session: Session, tenant_id: str, asset_id: str | None) -> dict[str, Any] | None:
    port = rmm.host.assets
    if port is None or asset_id is None:
        return None
    found = port.get_many(session, tenant_id, [asset_id]).get(asset_id)
    return {"id": found.id, "name": found.name, "client_id": found.client_id} if found else None


def _client(rmm: Rmm, session: Session, tenant_id: str, client_id: str | None) -> dict[str, Any] | None:
    if client_id is None:
        return None
    found = rmm.host.clients.get_many(session, tenant_id, [client_id]).get(client_id)
    return {"id": found.id, "name": found.name} if found else None


def _alert_object(row: Alert | None, connection: Integration | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        "id": str(row.id),
        "external_id": row.external_id,
        "provider": connection.provider if connection else None,
        "status": row.status,
        "severity": row.severity,
        "title": row.title or row.alert_class or row.activity_type,
        "message": row.message,
        "report": row.report,
        "alert_class": row.alert_class,
        "source_type": row.source_type,
        "vendor_status": row.vendor_status,
        "device_name": row.device_name,
        "external_device_id": row.external_device_id,
        "ticket_id": row.ticket_id,
        "triggered_at": iso(row.triggered_at),
        "acknowledged_at": iso(row.acknowledged_at),
        "resolved_at": iso(row.resolved_at),
    }


def _device_object(row: DeviceRow | None) -> dict[str, Any] | None:
    if row is None:
        return None
    known = target(row)
    return {
        "id": str(row.id),
        "external_id": row.external_id,
        "name": row.name,
        "kind": row.kind,
        "status": row.status,
        "serial": row.serial,
        "platform": known.platform,
        "os_name": known.os_name,
        "last_seen_at": iso(row.last_seen_at),
        "current_user": row.facts.get("current_user") or None,
        "needs_reboot": row.needs_reboot,
        "patches_pending": row.patches_pending,
        "asset_id": row.asset_id,
        "client_id": row.client_id,
        "connection_id": str(row.integration_id),
    }


def _connection_object(row: Integration | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {"id": str(row.id), "name": row.name, "provider": row.provider, "state": row.state}
