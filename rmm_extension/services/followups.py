"""Handlers of outbox topics: what follows an alert, a closed ticket or a connection's trouble."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension.domain.labels import provider_label
from rmm_extension.host import SYSTEM_ACTOR, Actor
from rmm_extension.models import Alert, Integration

from . import outbox, runs
from .context import Rmm

_ALERT = (
    Alert.id,
    Alert.integration_id,
    Alert.external_id,
    Alert.external_device_id,
    Alert.asset_id,
    Alert.ticket_id,
    Alert.device_name,
    Alert.severity,
    Alert.message,
    Alert.source_type,
    Alert.alert_class,
    Alert.triggered_at,
    Alert.resolved_at,
    Alert.episode,
    Integration.provider,
)


def alert_followups(rmm: Rmm, session: Session, tenant_id: str, payload: dict[str, Any]) -> None:
    """Start the jobs and tell the events that one ingested alert asks for."""
    alert = session.execute(
        select(*_ALERT)
        .join(
            Integration,
            (Integration.tenant_id == Alert.tenant_id) & (Integration.id == Alert.integration_id),
        )
        .where(Alert.tenant_id == tenant_id, Alert.id == UUID(payload["alert_id"]))
    ).first()
    if alert is None:
        return
    system = SYSTEM_ACTOR(tenant_id)
    if payload.get("fetch_details"):
        _start_details(session, system, alert)
    if payload.get("refresh_device"):
        _start_refresh(session, system, alert.integration_id, payload["refresh_device"])
    if payload.get("webhook_received"):
        _event(session, tenant_id, "webhook_received", _about(alert, tenant_id))
    for name in payload.get("signals", ()):
        _event(session, tenant_id, name, _about(alert, tenant_id) | _times(name, alert))
    if payload.get("notify"):
        _notify(rmm, session, tenant_id, alert, payload["notify"])


def ticket_closed(rmm: Rmm, session: Session, tenant_id: str, payload: dict[str, Any]) -> None:
    """A person closed a ticket: have its alerts reset at the vendor, if it has any."""
    found = session.execute(
        select(Alert.integration_id)
        .where(
            Alert.tenant_id == tenant_id,
            Alert.ticket_id == payload["ticket_id"],
            Alert.status.in_(("active", "acknowledged")),
        )
        .distinct()
    ).scalars()
    actor = Actor(id=payload["actor_id"], name=payload["actor"], tenant_id=tenant_id)
    for integration_id in found.all():
        runs.try_start(
            session,
            actor,
            "alert_reset",
            integration_id=integration_id,
            subject={"ticket_id": payload["ticket_id"]},
            exclusive_key=f"alert_reset:{integration_id}:{payload['ticket_id']}",
        )


def organization_mapped(rmm: Rmm, session: Session, tenant_id: str, payload: dict[str, Any]) -> None:
    """An organization got its client: the alerts that waited for one are decided."""
    start_decisions(session, tenant_id, UUID(payload["integration_id"]))


def start_decisions(session: Session, tenant_id: str, integration_id: UUID) -> UUID | None:
    """Queue the run that decides what waits under Needs attention, unless it is queued already."""
    return runs.try_start(session, SYSTEM_ACTOR(tenant_id), "alert_decisions", integration_id=integration_id)


def connection_down(rmm: Rmm, session: Session, tenant_id: str, payload: dict[str, Any]) -> None:
    """Tell the administrators once that a connection is in trouble."""
    _tell_admins(
        rmm,
        session,
        tenant_id,
        payload,
        title=f"RMM connection {payload['name']} needs attention",
        body=f"{payload['message']} Alerts of this vendor may come late until it is mended.",
        level="error",
    )
    _event(session, tenant_id, "integration_failed", _integration(tenant_id, payload))


def connection_up(rmm: Rmm, session: Session, tenant_id: str, payload: dict[str, Any]) -> None:
    """Tell them once that it is well again."""
    _tell_admins(
        rmm,
        session,
        tenant_id,
        payload,
        title=f"RMM connection {payload['name']} works again",
        body="What was missed meanwhile is being fetched.",
        level="info",
    )


def _start_details(session: Session, system: Actor, alert: Any) -> None:
    runs.try_start(
        session,
        system,
        "alert_details",
        integration_id=alert.integration_id,
        subject={"alert_id": str(alert.id)},
        exclusive_key=f"alert_details:{alert.id}",
    )


def _start_refresh(session: Session, system: Actor, integration_id: UUID, external_id: str) -> None:
    runs.try_start(
        session,
        system,
        "device_refresh",
        integration_id=integration_id,
        subject={"external_id": external_id},
        exclusive_key=f"device_refresh:{integration_id}:{external_id}",
    )


def _about(alert: Any, tenant_id: str) -> dict[str, Any]:
    """The payload of an alert's event; what is absent is left out, never null."""
    found = {
        "tenantId": tenant_id,
        "integrationId": str(alert.integration_id),
        "provider": alert.provider,
        "alertId": str(alert.id),
        "externalAlertId": alert.external_id,
        "severity": alert.severity,
        "externalDeviceId": alert.external_device_id,
        "assetId": alert.asset_id,
        "ticketId": alert.ticket_id,
        "message": alert.message,
        "sourceType": alert.source_type,
        "alertClass": alert.alert_class,
    }
    return {key: value for key, value in found.items() if value is not None}


def _times(name: str, alert: Any) -> dict[str, str]:
    if name == "alert_resolved":
        return {"resolvedAt": alert.resolved_at.isoformat()} if alert.resolved_at else {}
    return {"triggeredAt": alert.triggered_at.isoformat()}


def _event(session: Session, tenant_id: str, name: str, payload: dict[str, Any]) -> None:
    outbox.put(session, tenant_id, "event", {"name": name, "payload": payload})


def _integration(tenant_id: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {
        "tenantId": tenant_id,
        "integrationId": payload["integration_id"],
        "error": {"message": payload["message"]},
    }


def _notify(rmm: Rmm, session: Session, tenant_id: str, alert: Any, user_ids: list[str]) -> None:
    if rmm.host.notifications is None:
        return
    device = alert.device_name or alert.external_device_id or "unknown device"
    link = rmm.host.urls.ticket(alert.ticket_id) if rmm.host.urls and alert.ticket_id else None
    rmm.host.notifications.send(
        session,
        tenant_id,
        user_ids,
        category="RMM Alerts",
        title=f"RMM Alert ({alert.severity}): {device}",
        body=alert.message or f"An alert of {provider_label(alert.provider)} opened a ticket.",
        link=link,
        level="error" if alert.severity == "critical" else "warning",
        idempotency_key=f"rmm-alert:{alert.id}:{alert.episode}",
    )


def _tell_admins(
    rmm: Rmm, session: Session, tenant_id: str, payload: dict[str, Any], *, title: str, body: str, level: str
) -> None:
    if rmm.host.notifications is None:
        return
    # The moment it was found out, not the row of now: that has moved on, perhaps to the next trouble.
    found_at = payload.get("at", "")
    rmm.host.notifications.send(
        session,
        tenant_id,
        (),
        category="RMM connections",
        title=title,
        body=body,
        link=f"{rmm.settings.url_prefix}/connections/{payload['integration_id']}",
        level=level,
        idempotency_key=f"rmm-connection:{payload['integration_id']}:{found_at}:{level}",
    )
