"""Telling what happened: to the webhooks that asked for it, and by automations that make an HTTP request."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from simulators.levelio.lab import Lab, moment
from simulators.levelio.models import Alert, Device, Group
from simulators.levelio.rows import alert_row, device_row, group_row

EVENT_TYPES = (
    "alert_active",
    "alert_resolved",
    "device_created",
    "device_updated",
    "device_deleted",
    "group_created",
    "group_updated",
    "group_deleted",
)
STEP_EVENTS = {"alert_active": "alert.triggered", "alert_resolved": "alert.resolved"}
"""Events an automation can answer, as its template names them."""

STEP_BODY = (
    '{"event": "{{event}}", "alert_id": "{{alert_id}}", "device_id": "{{device_id}}", '
    '"hostname": "{{hostname}}", "name": "{{name}}", "severity": "{{severity}}", '
    '"description": "{{description}}"}'
)
"""The body of an automation's request unless another is given."""


def announce(lab: Lab, event_type: str, data: dict[str, Any]) -> str:
    """Hand an event to the courier once for each webhook that asked for it; its id."""
    event_id = lab.new_uuid()
    told = data if lab.settings.webhook_data == "whole" else {"id": data["id"]}
    body = msgspec.json.encode(
        {"event_type": event_type, "event_id": event_id, "occurred_at": moment(lab.now()), "data": told}
    )
    for webhook in lab.webhooks.values():
        if webhook.enabled and event_type in webhook.event_types:
            lab.courier.send(webhook, event_id, body)
    return event_id


def alert_event(lab: Lab, event_type: str, alert: Alert) -> str:
    """An alert became active or is resolved; automations are run, too."""
    event_id = announce(lab, event_type, alert_row(alert))
    for step in lab.steps.values():
        if step.enabled and step.event == STEP_EVENTS[event_type]:
            lab.courier.send(step, event_id, filled(step.body, alert, step.event))
    return event_id


def device_event(lab: Lab, event_type: str, device: Device) -> str:
    """Something about a device."""
    return announce(lab, event_type, device_row(device))


def group_event(lab: Lab, event_type: str, group: Group) -> str:
    """Something about a group."""
    return announce(lab, event_type, group_row(lab, group))


def filled(template: str, alert: Alert, event: str) -> bytes:
    """The template with the alert's values, each as the inside of a JSON string. Unknown names stay."""
    values = {
        "event": event,
        "alert_id": alert.id,
        "device_id": alert.device_id,
        "hostname": alert.device_hostname,
        "name": alert.name,
        "severity": alert.severity,
        "description": alert.description,
    }

    def value(found: re.Match[str]) -> str:
        if found[1] not in values:
            return found[0]
        return msgspec.json.encode(values[found[1]]).decode()[1:-1]

    return re.sub(r"\{\{\s*(\w+)\s*\}\}", value, template).encode()
