"""Webhooks of Huntress, by the description of its eleven events. It has no call to register one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from rmm_extension.domain.errors import WebhookRejected
from rmm_extension.domain.signals import Told
from rmm_extension.domain.types import AlertEvent, AlertKind, WebhookRequest
from rmm_extension.domain.values import text
from rmm_extension.providers.capabilities import WebhookStep
from rmm_extension.providers.hooks import json_object
from rmm_extension.providers.huntress import signatures
from rmm_extension.providers.huntress.events import Nameless, Unreadable, of_escalation, of_incident
from rmm_extension.providers.huntress.plain import plain

_INCIDENT, _ESCALATION = "incident_report.", "escalation."
_COMMENT, _OVERDUE, _CLOSED = "incident_report.comment_added", "escalation.overdue", ".closed"


def parse(request: WebhookRequest) -> Sequence[Told]:
    """The alert of a delivery; nothing for an event that does not concern us."""
    body = json_object(request.body)
    event_type = text(body.get("event_type")) or ""
    try:
        found = _event(event_type, body, request)
    except Nameless:
        raise WebhookRejected("alert_id_missing", "The body has no id.") from None
    except Unreadable as problem:
        raise WebhookRejected("wrong_shape", f"The value of {problem.field} cannot be read.") from None
    if found is None and "." not in event_type:
        raise WebhookRejected("wrong_shape", "The body is no event of Huntress.")
    return () if found is None else (found,)


def steps(url: str) -> Sequence[WebhookStep]:
    """What an administrator of the Huntress account does."""
    return (
        WebhookStep(
            "Add a webhook in Huntress",
            "Sign in to Huntress as an account administrator, open Integrations › Webhooks, add an endpoint"
            " and paste this address.",
            url,
        ),
        WebhookStep(
            "Choose what is sent",
            "Tick Incident Reports and Escalations. Platform Actions and Account Notices are taken, and"
            " nothing follows from them.",
        ),
        WebhookStep(
            "Copy the signing secret",
            "Open the endpoint in Huntress, show its signing secret, which begins with whsec_, and paste it"
            " below.",
        ),
        WebhookStep(
            "Send a test",
            "Send a test event from the endpoint's page in Huntress, which shows whether it was taken.",
        ),
    )


def _event(event_type: str, body: Mapping[str, Any], request: WebhookRequest) -> AlertEvent | None:
    if event_type.startswith(_INCIDENT):
        found = of_incident(body, request.received_at)
    elif event_type.startswith(_ESCALATION):
        found = of_escalation(body, request.received_at)
    else:
        return None
    if found is not None and event_type.endswith(_CLOSED):
        found = msgspec.structs.replace(found, kind=AlertKind.RESET)
    note = _note(event_type, body)
    if found is None or note is None:
        return found
    return msgspec.structs.replace(found, note=note, note_id=request.headers.get(signatures.ID))


def _note(event_type: str, body: Mapping[str, Any]) -> str | None:
    """What somebody wrote. That an escalation is overdue is a note, too: its status may not say so."""
    if event_type == _COMMENT:
        return plain(body.get("comment"))
    if event_type == _OVERDUE:
        return plain(body.get("message")) or "Huntress says that the escalation is overdue."
    return None
