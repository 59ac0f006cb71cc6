"""The events the extension tells, with the contract of each payload. Strict: no unknown keys, no nulls.

A value that is absent is left out. Ids of the extension are UUIDs, those of the host and the vendor are text,
times are ISO 8601 with their zone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from rmm_extension.domain.types import AgentStatus, DeviceKind, Severity


def _text(*, required: bool = False) -> fields.String:
    return fields.String(required=required, validate=validate.Length(min=1))


def _time() -> fields.AwareDateTime:
    return fields.AwareDateTime(format="iso")


def _count() -> fields.Integer:
    return fields.Integer(required=True, strict=True, validate=validate.Range(min=0))


class _Strict(Schema):
    """What every event says: whose it is."""

    class Meta:
        unknown = RAISE

    tenantId = _text(required=True)  # noqa: N815 - the payload's own names


class ConnectionSchema(_Strict):
    """An event about one connection."""

    integrationId = fields.UUID(required=True)  # noqa: N815
    provider = _text(required=True)


class AlertSchema(ConnectionSchema):
    """An event about one alert, as it is when the event is told."""

    alertId = fields.UUID(required=True)  # noqa: N815
    externalAlertId = _text(required=True)  # noqa: N815
    severity = fields.String(required=True, validate=validate.OneOf([one.value for one in Severity]))
    externalDeviceId = _text()  # noqa: N815
    deviceId = fields.UUID()  # noqa: N815
    assetId = _text()  # noqa: N815
    ticketId = _text()  # noqa: N815
    message = fields.String()
    sourceType = _text()  # noqa: N815
    alertClass = _text()  # noqa: N815


class AlertTriggeredSchema(AlertSchema):
    """An alert that fires."""

    triggeredAt = _time()  # noqa: N815


class AlertResolvedSchema(AlertSchema):
    """An alert that is over."""

    resolvedAt = _time()  # noqa: N815


class AlertAcknowledgedSchema(AlertSchema):
    """An alert that somebody took on; ``acknowledgedBy`` only where it was a person here."""

    acknowledgedAt = _time()  # noqa: N815
    acknowledgedBy = _text()  # noqa: N815


class AlertTicketSchema(AlertTriggeredSchema):
    """An alert and its ticket."""

    ticketId = _text(required=True)  # noqa: N815


class TicketSchema(_Strict):
    """A ticket made from an alert; ``source`` is the vendor's key."""

    ticketId = _text(required=True)  # noqa: N815
    source = _text(required=True)
    integrationId = fields.UUID(required=True)  # noqa: N815
    alertId = fields.UUID(required=True)  # noqa: N815


class TicketClosedSchema(_Strict):
    """A ticket that was closed; ``closedBy`` only where it was a person."""

    ticketId = _text(required=True)  # noqa: N815
    closedBy = _text()  # noqa: N815


class DeviceSchema(ConnectionSchema):
    """An event about one device, as it is when the event is told."""

    deviceId = fields.UUID(required=True)  # noqa: N815
    externalDeviceId = _text(required=True)  # noqa: N815
    externalOrganizationId = _text(required=True)  # noqa: N815
    name = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf([one.value for one in DeviceKind]))
    status = fields.String(required=True, validate=validate.OneOf([one.value for one in AgentStatus]))
    assetId = _text()  # noqa: N815
    clientId = _text()  # noqa: N815
    lastSeenAt = _time()  # noqa: N815


class DeviceDeletedSchema(DeviceSchema):
    """A device that is proved gone; ``deletedAt`` is absent when it has come back before this was told."""

    deletedAt = _time()  # noqa: N815


class ErrorSchema(Schema):
    """What went wrong, as a sentence."""

    class Meta:
        unknown = RAISE

    message = _text(required=True)


class SyncSchema(ConnectionSchema):
    """A sync and who asked for it; ``actorUserId`` only for a person."""

    syncType = _text(required=True)  # noqa: N815
    actorType = fields.String(required=True, validate=validate.OneOf(["SYSTEM", "USER"]))  # noqa: N815
    actorUserId = _text()  # noqa: N815


class SyncCountsSchema(SyncSchema):
    """A sync with what it did."""

    itemsProcessed = _count()  # noqa: N815
    itemsCreated = _count()  # noqa: N815
    itemsUpdated = _count()  # noqa: N815
    itemsFailed = _count()  # noqa: N815


class SyncFailedSchema(SyncCountsSchema):
    """A sync with what it did until it failed."""

    error = fields.Nested(ErrorSchema, required=True)


class ConnectionFailedSchema(ConnectionSchema):
    """A connection in trouble."""

    error = fields.Nested(ErrorSchema, required=True)


@dataclass(frozen=True, slots=True)
class Event:
    """One kind of event: its name, the signal that carries it, its contract, and when it is told."""

    name: str
    signal: str
    schema: Schema
    sentence: str


_EVENTS = (
    Event(
        "RMM_ALERT_TRIGGERED",
        "alert_triggered",
        AlertTriggeredSchema(),
        "An alert fires: with a ticket, on an open one, or only recorded. A suppressed one is told when its"
        " window is over, a repeat never.",
    ),
    Event("RMM_ALERT_RESOLVED", "alert_resolved", AlertResolvedSchema(), "An alert that was told is over."),
    Event(
        "RMM_ALERT_ACKNOWLEDGED",
        "alert_acknowledged",
        AlertAcknowledgedSchema(),
        "A person here or the vendor took an alert on.",
    ),
    Event(
        "RMM_ALERT_TICKET_LINKED",
        "ticket_linked",
        AlertTicketSchema(),
        "An alert has a ticket now: made for it, open already, or opened again.",
    ),
    Event(
        "TICKET_CREATED",
        "ticket_created",
        TicketSchema(),
        "A ticket was made from an alert, by a rule or by hand.",
    ),
    Event(
        "TICKET_CLOSED",
        "ticket_closed",
        TicketClosedSchema(),
        "A ticket was closed: by a person, a workflow, or the end of its alert.",
    ),
    Event("RMM_DEVICE_CREATED", "device_created", DeviceSchema(), "A device was seen for the first time."),
    Event(
        "RMM_DEVICE_UPDATED",
        "device_updated",
        DeviceSchema(),
        "What the vendor says of a device has changed, its status included; being seen again is no change.",
    ),
    Event(
        "RMM_DEVICE_SYNCED",
        "device_synced",
        DeviceSchema(),
        "A device was fetched by itself, after a webhook or because somebody asked, changed or not.",
    ),
    Event(
        "RMM_DEVICE_DELETED",
        "device_deleted",
        DeviceDeletedSchema(),
        "A device was taken for gone, by the connection's policy or a person's word.",
    ),
    Event(
        "RMM_DEVICE_ONLINE", "device_online", DeviceSchema(), "A device that was not online is online now."
    ),
    Event(
        "RMM_DEVICE_OFFLINE",
        "device_offline",
        DeviceSchema(),
        "A device went offline or overdue that was neither.",
    ),
    Event("RMM_SYNC_STARTED", "sync_started", SyncSchema(), "A sync or a reconciliation began."),
    Event("RMM_SYNC_COMPLETED", "sync_finished", SyncCountsSchema(), "It ended well."),
    Event("RMM_SYNC_FAILED", "sync_failed", SyncFailedSchema(), "It was given up."),
    Event(
        "RMM_WEBHOOK_RECEIVED",
        "webhook_received",
        AlertSchema(),
        "A vendor's delivery changed an alert; repeats and suppressed alerts tell nothing.",
    ),
    Event(
        "INTEGRATION_CONNECTED", "integration_connected", ConnectionSchema(), "A connection works, or again."
    ),
    Event(
        "INTEGRATION_DISCONNECTED",
        "integration_disconnected",
        ConnectionSchema(),
        "A connection was taken away.",
    ),
    Event(
        "INTEGRATION_FAILED", "integration_failed", ConnectionFailedSchema(), "A connection needs a person."
    ),
)

CATALOGUE: Mapping[str, Event] = {event.signal: event for event in _EVENTS}
"""Every event by the name of its signal, which is also its name in the outbox."""

BY_NAME: Mapping[str, Event] = {event.name: event for event in _EVENTS}
"""Every event by the name that hosts and workflows know it by."""


def check(signal: str, payload: Mapping[str, Any]) -> None:
    """Hold a payload against its contract.

    Raises ``LookupError`` for an unknown name and ``marshmallow.ValidationError`` with all that is wrong.
    """
    if signal not in CATALOGUE:
        raise LookupError(f"There is no event {signal}.")
    CATALOGUE[signal].schema.load(dict(payload))
