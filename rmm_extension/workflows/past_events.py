"""What a test can start from: things that are here, and what an event about one of them says.

The payload comes from the functions that the real events use, so that a test sees what a run will see.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from rmm_extension.domain.contracts.events import BY_NAME
from rmm_extension.domain.labels import provider_label
from rmm_extension.domain.values import one_line, read_uuid
from rmm_extension.domain.workflows import MANUAL, SUBJECTS
from rmm_extension.models import CONNECTION_OF_DEVICE, Alert, DeviceRow, Integration, JobRun
from rmm_extension.services import device_events, events, followups
from rmm_extension.services.context import Rmm
from rmm_extension.services.inventory import events as sync_events
from rmm_extension.services.queries.paging import AnySelect, contains
from rmm_extension.services.runs import label as run_label

SHOWN = 25
"""So many things are offered."""

_SYNCS = {
    "organization_sync": "organizations",
    "device_sync": "incremental",
    "alert_reconcile": "alerts",
    "software_sync": "software",
    "patch_sync": "patches",
}
"""Kinds of runs that tell events, and what these call them."""


@dataclass(frozen=True, slots=True)
class PastEvent:
    """Something that an event can be about; ``subject_id`` names it to :func:`payload`."""

    subject_id: str
    label: str
    at: datetime | None = None


def subject_of(event: str) -> str | None:
    """What an event is about: alert, device, ticket, sync or connection; ``None`` for a person's start."""
    if event == MANUAL:
        return None
    if event in ("TICKET_CLOSED", "RMM_DEVICE_SYNCED"):
        return "ticket" if event == "TICKET_CLOSED" else "device"
    if event.startswith("RMM_DEVICE_"):
        return "device"
    if event.startswith("RMM_SYNC_"):
        return "sync"
    return "connection" if event.startswith("INTEGRATION_") else "alert"


def choices(
    rmm: Rmm,
    session: Session,
    tenant_id: str,
    event: str,
    *,
    subject_type: str | None = None,
    text: str | None = None,
) -> Sequence[PastEvent]:
    """What a test of this trigger can be about, the newest first, at most :data:`SHOWN`.

    ``subject_type`` is where a manual workflow would be started from; ``text`` a part of the name.
    """
    about = (subject_type if event == MANUAL else subject_of(event)) or ""
    if about not in _SOURCES:
        return []
    return _SOURCES[about](rmm, session, tenant_id, event, text)


def payload(rmm: Rmm, session: Session, tenant_id: str, event: str, subject_id: str) -> dict[str, Any] | None:
    """What the event says of it as it is now; ``None`` where it is not here (any more), or never was."""
    about = subject_of(event)
    if about is None:
        return None
    said = _PAYLOADS[about](rmm, session, tenant_id, _signal(event), subject_id)
    return events.said(tenant_id, said) if said is not None else None


def _signal(event: str) -> str:
    return BY_NAME[event].signal


# --- Choices


def _alerts(rmm: Rmm, session: Session, tenant_id: str, event: str, text: str | None) -> list[PastEvent]:
    needed = {
        "RMM_ALERT_RESOLVED": Alert.resolved_at,
        "RMM_ALERT_ACKNOWLEDGED": Alert.acknowledged_at,
        "RMM_ALERT_TICKET_LINKED": Alert.ticket_id,
        "TICKET_CREATED": Alert.ticket_id,
    }.get(event)
    where = [Alert.tenant_id == tenant_id]
    if needed is not None:
        where.append(needed.is_not(None))
    if text:
        where.append(_any_like(text, Alert.title, Alert.message, Alert.device_name))
    statement = select(
        Alert.id, Alert.title, Alert.message, Alert.alert_class, Alert.device_name, Alert.triggered_at
    )
    rows = session.execute(
        statement.where(*where).order_by(Alert.triggered_at.desc(), Alert.id.desc()).limit(SHOWN)
    )
    return [
        PastEvent(
            str(row.id),
            _named(row.device_name, row.title or row.message or row.alert_class),
            row.triggered_at,
        )
        for row in rows
    ]


def _devices(rmm: Rmm, session: Session, tenant_id: str, event: str, text: str | None) -> list[PastEvent]:
    where = [DeviceRow.tenant_id == tenant_id]
    if event == "RMM_DEVICE_DELETED":
        where.append(DeviceRow.deleted_at.is_not(None))
    if text:
        where.append(_any_like(text, DeviceRow.name))
    statement = (
        select(DeviceRow.id, DeviceRow.name, DeviceRow.last_seen_at, Integration.name.label("connection"))
        .join(Integration, CONNECTION_OF_DEVICE)
        .where(*where)
    )
    rows = session.execute(statement.order_by(func.lower(DeviceRow.name), DeviceRow.id).limit(SHOWN))
    return [
        PastEvent(str(row.id), f"{row.name or 'Device without a name'}, {row.connection}", row.last_seen_at)
        for row in rows
    ]


def _tickets(rmm: Rmm, session: Session, tenant_id: str, event: str, text: str | None) -> list[PastEvent]:
    """Tickets that alerts are on: others are not known here."""
    newest = func.max(Alert.triggered_at)
    statement: AnySelect = select(Alert.ticket_id, newest).where(
        Alert.tenant_id == tenant_id, Alert.ticket_id.is_not(None)
    )
    rows = session.execute(statement.group_by(Alert.ticket_id).order_by(newest.desc()).limit(SHOWN * 4)).all()
    port = rmm.host.tickets
    states = port.get_many(session, tenant_id, {row[0] for row in rows}) if port and rows else {}
    found = [
        PastEvent(row[0], f"{state.number} {state.title}".strip(), row[1])
        for row in rows
        if (state := states.get(row[0])) is not None
    ]
    return [one for one in found if not text or text.casefold() in one.label.casefold()][:SHOWN]


def _assets(rmm: Rmm, session: Session, tenant_id: str, event: str, text: str | None) -> list[PastEvent]:
    where = [DeviceRow.tenant_id == tenant_id, DeviceRow.asset_id.is_not(None)]
    if text:
        where.append(_any_like(text, DeviceRow.name))
    seen = func.max(DeviceRow.last_seen_at)
    statement: AnySelect = select(DeviceRow.asset_id, seen).where(*where).group_by(DeviceRow.asset_id)
    rows = session.execute(statement.order_by(seen.desc().nulls_last()).limit(SHOWN)).all()
    port = rmm.host.assets
    names = port.get_many(session, tenant_id, {row[0] for row in rows}) if port and rows else {}
    return [PastEvent(row[0], names[row[0]].name, row[1]) for row in rows if row[0] in names]


def _syncs(rmm: Rmm, session: Session, tenant_id: str, event: str, text: str | None) -> list[PastEvent]:
    where = [
        JobRun.tenant_id == tenant_id,
        JobRun.kind.in_(_SYNCS),
        JobRun.integration_id.is_not(None),
        *([JobRun.status == "failed"] if event == "RMM_SYNC_FAILED" else []),
        *([JobRun.status == "succeeded"] if event == "RMM_SYNC_COMPLETED" else []),
    ]
    statement = (
        select(JobRun.id, JobRun.kind, JobRun.queued_at, Integration.name)
        .join(
            Integration,
            (Integration.tenant_id == JobRun.tenant_id) & (Integration.id == JobRun.integration_id),
        )
        .where(*where)
    )
    rows = session.execute(statement.order_by(JobRun.queued_at.desc(), JobRun.id.desc()).limit(SHOWN))
    found = [PastEvent(str(row.id), f"{run_label(row.kind)}, {row.name}", row.queued_at) for row in rows]
    return [one for one in found if not text or text.casefold() in one.label.casefold()]


def _connections(rmm: Rmm, session: Session, tenant_id: str, event: str, text: str | None) -> list[PastEvent]:
    where = [Integration.tenant_id == tenant_id, *([_any_like(text, Integration.name)] if text else [])]
    statement = select(Integration.id, Integration.name, Integration.provider, Integration.connected_at)
    rows = session.execute(statement.where(*where).order_by(func.lower(Integration.name)).limit(SHOWN))
    return [
        PastEvent(str(row.id), f"{row.name} ({provider_label(row.provider)})", row.connected_at)
        for row in rows
    ]


_SOURCES: Mapping[str, Callable[[Rmm, Session, str, str, str | None], list[PastEvent]]] = {
    "alert": _alerts,
    "device": _devices,
    "ticket": _tickets,
    "asset": _assets,
    "sync": _syncs,
    "connection": _connections,
}
assert set(SUBJECTS) <= set(_SOURCES)


# --- Payloads


def _alert_payload(
    rmm: Rmm, session: Session, tenant_id: str, signal: str, id_: str
) -> dict[str, Any] | None:
    alert_id = read_uuid(id_)
    return followups.alert_event(session, tenant_id, signal, alert_id) if alert_id else None


def _device_payload(
    rmm: Rmm, session: Session, tenant_id: str, signal: str, id_: str
) -> dict[str, Any] | None:
    device_id = read_uuid(id_)
    return device_events.device_event(session, tenant_id, signal, device_id) if device_id else None


def _ticket_payload(
    rmm: Rmm, session: Session, tenant_id: str, signal: str, id_: str
) -> dict[str, Any] | None:
    port = rmm.host.tickets
    if port is None or port.state(session, tenant_id, id_) is None:
        return None
    return followups.ticket_event(id_)


def _sync_payload(rmm: Rmm, session: Session, tenant_id: str, signal: str, id_: str) -> dict[str, Any] | None:
    run_id = read_uuid(id_)
    row = session.get(JobRun, (tenant_id, run_id)) if run_id else None
    if row is None or row.integration_id is None or row.kind not in _SYNCS:
        return None
    connection = session.get(Integration, (tenant_id, row.integration_id))
    if connection is None:
        return None
    actor_id = None if row.actor_id in (None, "system") else row.actor_id
    more: dict[str, Any] = {} if signal == "sync_started" else sync_events.items(row.counts)
    if signal == "sync_failed":
        more |= {"error": {"message": row.error or "It did not say why."}}
    kind = "full" if row.kind == "device_sync" and row.subject.get("full") else _SYNCS[row.kind]
    return sync_events.payload(connection.id, connection.provider, kind, actor_id, more)


def _connection_payload(
    rmm: Rmm, session: Session, tenant_id: str, signal: str, id_: str
) -> dict[str, Any] | None:
    connection_id = read_uuid(id_)
    row = session.get(Integration, (tenant_id, connection_id)) if connection_id else None
    if row is None:
        return None
    said: dict[str, Any] = {"integrationId": str(row.id), "provider": row.provider}
    if signal == "integration_failed":
        said |= {"error": {"message": row.last_error or "The connection does not work."}}
    return said


_PAYLOADS: Mapping[str, Callable[[Rmm, Session, str, str, str], dict[str, Any] | None]] = {
    "alert": _alert_payload,
    "device": _device_payload,
    "ticket": _ticket_payload,
    "sync": _sync_payload,
    "connection": _connection_payload,
}


def _any_like(text: str, *columns: Any) -> ColumnElement[bool]:
    pattern = contains(text)
    return or_(*(column.ilike(pattern) for column in columns))


def _named(device: str | None, text: str | None) -> str:
    shown = one_line(text or "Alert without text", 100)
    return f"{device}: {shown}" if device else shown
