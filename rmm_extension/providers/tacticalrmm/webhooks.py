"""Webhooks of Tactical RMM 1.5.1: alert template, REST action, our shared secret in a header.

The server signs nothing, never repeats a delivery and sends no delivery id.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rmm_extension.domain.errors import WebhookRejected
from rmm_extension.domain.registrations import HEADER
from rmm_extension.domain.types import AlertEvent, AlertKind, WebhookRequest
from rmm_extension.domain.values import moment
from rmm_extension.providers.capabilities import WebhookStep
from rmm_extension.providers.hooks import bears_secret
from rmm_extension.providers.tacticalrmm.alerts import ALERT_TYPES, Facts, build_event
from rmm_extension.providers.tacticalrmm.contracts import TEMPLATE_KEYS, load_body

_VARIABLES = {
    "alert_id": "{{alert.id}}",
    "alert_type": "{{alert.alert_type}}",
    "severity": "{{alert.severity}}",
    "agent_id": "{{agent.agent_id}}",
    "client_id": "{{client.id}}",
    "site_id": "{{site.id}}",
    "check_id": "{{alert.assigned_check.id}}",
    "task_id": "{{alert.assigned_task.id}}",
    "alert_time": "{{alert.alert_time}}",
    "resolved_on": "{{alert.resolved_on}}",
}


def verify(request: WebhookRequest, secrets: Sequence[str]) -> bool:
    """Whether a header holds one of the secrets."""
    return bears_secret(request, secrets)


def parse(request: WebhookRequest) -> Sequence[AlertEvent]:
    """The event of a delivery; none for the test button."""
    fields, raw = load_body(request.body)
    alert_type = fields["alert_type"].lower() if fields["alert_type"] else None
    if alert_type and _is_a_test(alert_type, fields):
        return ()
    if not fields["agent_id"]:
        raise WebhookRejected("agent_id_missing", "The body has no agent_id.")
    return (_event(fields, alert_type, raw, request),)


def _is_a_test(alert_type: str, fields: dict[str, Any]) -> bool:
    """Whether the test button sent it.

    It has no alert: the alert's id is the agent's, and what an agent does not have is the agent's name, which
    then stands for the alert's type and severity alike, even where the agent is named like a type.
    """
    return alert_type not in ALERT_TYPES or alert_type == str(fields["severity"]).lower()


def _event(
    fields: dict[str, Any], alert_type: str | None, raw: dict[str, Any], request: WebhookRequest
) -> AlertEvent:
    facts = Facts(
        alert_id=fields["alert_id"],
        alert_type=alert_type,
        severity=fields["severity"],
        agent_id=fields["agent_id"],
        organization_id=fields["client_id"],
        device_name=fields["hostname"] or fields["agent_hostname"],
        check_id=fields["check_id"],
        task_id=fields["task_id"],
        event=fields["event"],
        message=fields["message"],
    )
    kind = _kind(fields)
    told = fields["resolved_on"] if kind is AlertKind.RESET else fields["alert_time"]
    return build_event(facts, kind, moment(told) or request.received_at, raw)


def _kind(fields: dict[str, Any]) -> AlertKind:
    """Reset when the event says so, or when there is no event and the alert has a time of resolution."""
    event = fields["event"]
    resolved = "resolve" in event.lower() if event else fields["resolved_on"] is not None
    return AlertKind.RESET if resolved else AlertKind.TRIGGERED


def body_template(event: str) -> str:
    """The body to paste: ids only, because a quote in a name would break the JSON."""
    values = {"event": event, **_VARIABLES}
    return json.dumps({key: values[key] for key in TEMPLATE_KEYS})


def headers_template(secret: str) -> str:
    """The headers to paste. Without the content type the server sends none."""
    return json.dumps({"Content-Type": "application/json", HEADER: secret})


def steps(url: str, secret: str) -> Sequence[WebhookStep]:
    """The set-up in Tactical RMM, in its own words."""
    return (
        WebhookStep(
            "Add the action for failures",
            "In Tactical RMM open Settings › URL Actions, add one named “PSA failure”, choose the type REST"
            " and the method POST, and paste this address as its URL pattern.",
            url,
            is_secret=True,
        ),
        WebhookStep(
            "Headers of the failure action", "Paste into Headers.", headers_template(secret), is_secret=True
        ),
        WebhookStep(
            "Body of the failure action",
            "Paste into Body. It carries ids only on purpose: a quote in a name would break the JSON. The"
            " texts are fetched through the API.",
            body_template("failure"),
        ),
        WebhookStep(
            "Add the action for resolved alerts",
            "Add a second URL action named “PSA resolved” with the same type, method and address.",
            url,
            is_secret=True,
        ),
        WebhookStep(
            "Headers of the resolved action", "Paste into Headers.", headers_template(secret), is_secret=True
        ),
        WebhookStep("Body of the resolved action", "Paste into Body.", body_template("resolved")),
        WebhookStep(
            "Use both in an alert template",
            "Open Settings › Alerts Manager and add or edit a template: as failure action choose the type"
            " REST and “PSA failure”, as resolved action “PSA resolved”, and leave the switches for agents,"
            " checks and tasks on.",
        ),
        WebhookStep(
            "Apply the template",
            "Apply it to the whole server, or to the clients, sites or policies that should make tickets."
            " Info alerts are sent only when the server's settings turn them on, and agents in maintenance"
            " send none.",
        ),
    )
