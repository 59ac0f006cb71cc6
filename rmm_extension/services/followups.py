"""Handlers of outbox topics: what follows an alert, a closed ticket or a connection's trouble."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from rmm_extension.domain.values import iso
from rmm_extension.host import SYSTEM_ACTOR, Actor
from rmm_extension.models import Alert, Integration, utc_now

from . import events, notices, outbox, runs
from .context import Rmm
from .inventory import refresh

WITH_TEXT = "alert_events"
"""The topic of events that wait for the text of their alert."""
_WAITING = text(
    f"DELETE FROM rmm_outbox WHERE tenant_id = :tenant AND topic = '{WITH_TEXT}'"  # noqa: S608
    " AND payload ->> 'alert_id' = :alert RETURNING payload"
)
"""Its constants stand in it as they do in the index, which is found by them alone."""
RESET_AGAIN = timedelta(seconds=30)
"""So long a reset that is under way for the same ticket is waited for."""

_ALERT = (
    Alert.id,
    Alert.integration_id,
    Alert.external_id,
    Alert.external_device_id,
    Alert.device_id,
    Alert.asset_id,
    Alert.ticket_id,
    Alert.device_name,
    Alert.severity,
    Alert.message,
    Alert.source_type,
    Alert.alert_class,
    Alert.triggered_at,
    Alert.acknowledged_at,
    Alert.acknowledged_by,
    Alert.resolved_at,
    Integration.provider,
)


def alert_followups(rmm: Rmm, session: Session, tenant_id: str, payload: dict[str, Any]) -> None:
    """Start the jobs and tell the events that one ingested alert asks for."""
    alert = _alert(session, tenant_id, UUID(payload["alert_id"]))
    if alert is None:
        return
    system = SYSTEM_ACTOR(tenant_id)
    if payload.get("fetch_details") or payload.get("fetch_whole"):
        _start_details(session, system, alert, is_partial=bool(payload.get("fetch_whole")))
    if payload.get("refresh_device"):
        work = refresh.refresh_work(alert.integration_id, payload["refresh_device"])
        runs.try_start_all(session, system, refresh.KIND, [work])
    ticket_id = payload.get("ticket_id") or alert.ticket_id
    if payload.get("webhook_received"):
        events.tell(session, tenant_id, "webhook_received", _payload("webhook_received", alert, ticket_id))
    names = payload.get("signals", ())
    if names and payload.get("fetch_details") and alert.message is None:
        _tell_with_text(rmm, session, tenant_id, alert, ticket_id, names)
    elif names:
        tell_waiting(session, tenant_id, alert.id)
        _tell(session, tenant_id, alert, ticket_id, names)
    if payload.get("notify"):
        notices.tell_users(rmm, session, tenant_id, alert, ticket_id, payload["notify"])


def alert_events(rmm: Rmm, session: Session, tenant_id: str, payload: dict[str, Any]) -> None:
    """Tell the events of an alert whose text was waited for, in vain if it has none yet."""
    alert = _alert(session, tenant_id, UUID(payload["alert_id"]))
    if alert is not None:
        _tell(session, tenant_id, alert, payload.get("ticket_id") or alert.ticket_id, payload["names"])


def tell_waiting(session: Session, tenant_id: str, alert_id: UUID) -> None:
    """Tell now what waits for this alert's text: it is here, will not come, or something newer is told."""
    found = session.scalars(_WAITING, {"tenant": tenant_id, "alert": str(alert_id)}).all()
    alert = _alert(session, tenant_id, alert_id) if found else None
    if alert is not None:
        for payload in found:
            _tell(session, tenant_id, alert, payload.get("ticket_id") or alert.ticket_id, payload["names"])


def _tell_with_text(
    rmm: Rmm, session: Session, tenant_id: str, alert: Any, ticket_id: str | None, names: Sequence[str]
) -> None:
    """Have the events told with the text of the alert, which is being fetched, or without it in the end.

    Who listens wants to know what it is about: a workflow is chosen by it.
    """
    told = {"alert_id": str(alert.id), "ticket_id": ticket_id, "names": list(names)}
    wait = timedelta(seconds=rmm.settings.detail_wait)
    outbox.put(session, tenant_id, WITH_TEXT, told, due_at=utc_now() + wait)


def _tell(session: Session, tenant_id: str, alert: Any, ticket_id: str | None, names: Sequence[str]) -> None:
    for name in names:
        events.tell(session, tenant_id, name, _payload(name, alert, ticket_id))


def alert_event(session: Session, tenant_id: str, name: str, alert_id: UUID) -> dict[str, Any] | None:
    """What the event ``name`` says of an alert as it is now; ``None`` for one that is not here."""
    alert = _alert(session, tenant_id, alert_id)
    return _payload(name, alert, alert.ticket_id) if alert is not None else None


def ticket_closed(rmm: Rmm, session: Session, tenant_id: str, payload: dict[str, Any]) -> None:
    """A person closed a ticket: tell it, and have its alerts reset at the vendor, if it has any.

    Where a reset for this ticket is under way, it may have looked before the ticket was reopened and closed
    once more: another one follows it. ``integration_id`` in the payload narrows to its connection.
    """
    only = payload.get("integration_id")
    actor = Actor(id=payload["actor_id"], name=payload["actor"], tenant_id=tenant_id)
    if only is None:
        is_person = actor.id != SYSTEM_ACTOR(tenant_id).id
        said = ticket_event(payload["ticket_id"], closed_by=actor.name if is_person else None)
        events.tell(session, tenant_id, "ticket_closed", said)
    found = session.execute(
        select(Alert.integration_id)
        .where(
            Alert.tenant_id == tenant_id,
            Alert.ticket_id == payload["ticket_id"],
            Alert.status.in_(("active", "acknowledged")),
            *([Alert.integration_id == UUID(only)] if only else ()),
        )
        .distinct()
    ).scalars()
    for integration_id in found.all():
        if _start_reset(session, actor, integration_id, payload["ticket_id"]) is None:
            again = {**payload, "integration_id": str(integration_id)}
            outbox.put(session, tenant_id, "ticket_closed", again, due_at=utc_now() + RESET_AGAIN)


def ticket_event(ticket_id: str, *, closed_by: str | None = None) -> dict[str, Any]:
    """What is told of a ticket that was closed."""
    return {"ticketId": ticket_id, "closedBy": closed_by}


def organization_mapped(rmm: Rmm, session: Session, tenant_id: str, payload: dict[str, Any]) -> None:
    """An organization got its client: the alerts that waited for one are decided."""
    start_decisions(session, tenant_id, UUID(payload["integration_id"]))


def routing_saved(rmm: Rmm, session: Session, tenant_id: str, payload: dict[str, Any]) -> None:
    """A connection's routing is whole: the alerts that waited for that are decided."""
    start_decisions(session, tenant_id, UUID(payload["integration_id"]))


def start_decisions(session: Session, tenant_id: str, integration_id: UUID) -> UUID | None:
    """Queue the run that decides what waits under Needs attention, unless it is queued already."""
    return runs.try_start(session, SYSTEM_ACTOR(tenant_id), "alert_decisions", integration_id=integration_id)


def connection_down(rmm: Rmm, session: Session, tenant_id: str, payload: dict[str, Any]) -> None:
    """Tell the administrators once that a connection is in trouble."""
    body = f"{payload['message']} Alerts of this vendor may come late until it is mended."
    notices.tell_admins(rmm, session, tenant_id, payload, is_down=True, body=body)
    of_connection = (Integration.tenant_id == tenant_id, Integration.id == UUID(payload["integration_id"]))
    provider = session.scalar(select(Integration.provider).where(*of_connection))
    if provider is not None:
        said = {"integrationId": payload["integration_id"], "provider": provider}
        error = {"message": payload["message"] or "The connection does not work."}
        events.tell(session, tenant_id, "integration_failed", {**said, "error": error})


def connection_up(rmm: Rmm, session: Session, tenant_id: str, payload: dict[str, Any]) -> None:
    """Tell them once that it is well again."""
    body = "What was missed meanwhile is being fetched."
    notices.tell_admins(rmm, session, tenant_id, payload, is_down=False, body=body)


def _alert(session: Session, tenant_id: str, alert_id: UUID) -> Any:
    connection = (Integration.tenant_id == Alert.tenant_id) & (Integration.id == Alert.integration_id)
    return session.execute(
        select(*_ALERT)
        .join(Integration, connection)
        .where(Alert.tenant_id == tenant_id, Alert.id == alert_id)
    ).first()


def _start_reset(session: Session, actor: Actor, integration_id: UUID, ticket_id: str) -> UUID | None:
    return runs.try_start(
        session,
        actor,
        "alert_reset",
        integration_id=integration_id,
        subject={"ticket_id": ticket_id},
        exclusive_key=f"alert_reset:{integration_id}:{ticket_id}",
    )


def _start_details(session: Session, system: Actor, alert: Any, *, is_partial: bool) -> None:
    runs.try_start(
        session,
        system,
        "alert_details",
        integration_id=alert.integration_id,
        subject={"alert_id": str(alert.id), **({"is_partial": True} if is_partial else {})},
        exclusive_key=f"alert_details:{alert.id}",
    )


def _payload(name: str, alert: Any, ticket_id: str | None) -> dict[str, Any]:
    """What an alert's event says: the alert as it is now, and the time that the event is about."""
    if name == "ticket_closed":
        return ticket_event(ticket_id or "")
    if name == "ticket_created":
        return {
            "ticketId": ticket_id,
            "source": alert.provider,
            "integrationId": str(alert.integration_id),
            "alertId": str(alert.id),
        }
    return _about(alert, ticket_id) | _times(name, alert)


def _about(alert: Any, ticket_id: str | None) -> dict[str, Any]:
    return {
        "integrationId": str(alert.integration_id),
        "provider": alert.provider,
        "alertId": str(alert.id),
        "externalAlertId": alert.external_id,
        "severity": alert.severity,
        "externalDeviceId": alert.external_device_id,
        "deviceId": str(alert.device_id) if alert.device_id else None,
        "assetId": alert.asset_id,
        "ticketId": ticket_id,
        "message": alert.message,
        "sourceType": alert.source_type,
        "alertClass": alert.alert_class,
    }


def _times(name: str, alert: Any) -> dict[str, str | None]:
    if name == "webhook_received":
        return {}
    if name == "alert_resolved":
        return {"resolvedAt": iso(alert.resolved_at)}
    if name == "alert_acknowledged":
        return {"acknowledgedAt": iso(alert.acknowledged_at), "acknowledgedBy": alert.acknowledged_by}
    return {"triggeredAt": iso(alert.triggered_at)}
