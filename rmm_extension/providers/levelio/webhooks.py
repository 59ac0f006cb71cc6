"""Webhooks of Level: its own, which it signs, and an HTTP request that an automation sends.

Its own is signed with a secret that Level shows once: ``X-Level-Signature: sha256=<hex>`` is the HMAC-SHA256
of the body as it was sent. A delivery that fails is sent again with the same ``event_id``. An automation's
HTTP request bears the same secret in a header.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rmm_extension.domain.errors import ConfigError, WebhookRejected
from rmm_extension.domain.registrations import HEADER
from rmm_extension.domain.signals import Told
from rmm_extension.domain.types import AlertKind, WebhookRequest
from rmm_extension.domain.values import identifier, moment, text
from rmm_extension.providers.capabilities import WebhookStep
from rmm_extension.providers.hooks import any_equal, bears_secret, json_object
from rmm_extension.providers.levelio.events import (
    DEVICE_EVENTS,
    GROUP_EVENTS,
    Nameless,
    build,
    of_alert,
    of_device,
    of_group,
)

SIGNATURE = "x-level-signature"
ALERT_EVENTS = {"alert_active": False, "alert_resolved": True}
"""The events about alerts, and whether each says that the alert is over."""
FORM_KEYS = ("event", "alert_id", "device_id", "hostname", "name", "severity", "description")
"""What an automation's HTTP request tells."""
_FORM = (*FORM_KEYS, "group_id")
_UNNAMED = "Level alert"
# A placeholder that nobody filled in, such as {{alert.id}} or ${alert_id}.
_PLACEHOLDER = re.compile(r"\{\{.*\}\}|\$\{.*\}|\{%.*%\}|<[a-z_ ]+>", re.DOTALL | re.IGNORECASE)


def verify(request: WebhookRequest, secrets: Sequence[str]) -> bool:
    """Whether the body is signed with one of the secrets, each compared in constant time; without a
    signature, whether a header holds one of them. A wrong signature is made good by no header."""
    signature = request.headers.get(SIGNATURE)
    if signature is None:
        return bears_secret(request, secrets)
    given = signature.strip().lower().removeprefix("sha256=").encode()
    return any_equal([given], [_digest(secret, request.body) for secret in secrets if secret])


def _digest(secret: str, body: bytes) -> bytes:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()


def check_secret(value: str) -> str:
    """The secret in its one form, without the blanks around it."""
    found = value.strip()
    if not found:
        raise ConfigError("Paste the secret that Level showed when the webhook was saved there.")
    if not found.isprintable() or len(found.split()) > 1:
        raise ConfigError("A secret of Level is one line without blanks. Copy it again.")
    return found


def parse(request: WebhookRequest) -> Sequence[Told]:
    """What the delivery tells; nothing for an event that is not used."""
    body = json_object(request.body)
    try:
        found = _native(body, request.received_at) if "event_type" in body else _form(body, request)
    except Nameless as problem:
        raise WebhookRejected(f"{problem.field}_missing", f"The body has no {problem.field}.") from None
    return () if found is None else (found,)


def _native(body: Mapping[str, Any], now: datetime) -> Told | None:
    event, data = text(body.get("event_type")) or "", body.get("data")
    if event not in {*ALERT_EVENTS, *DEVICE_EVENTS, *GROUP_EVENTS}:
        return None
    if not isinstance(data, dict):
        raise WebhookRejected("wrong_shape", "The body has no object at data.")
    at = moment(body.get("occurred_at")) or now
    if event in ALERT_EVENTS:
        return of_alert(data, at, resolved=ALERT_EVENTS[event])
    message_id = text(body.get("event_id"))
    if message_id is None:
        raise Nameless("event_id")
    make = of_device if event in DEVICE_EVENTS else of_group
    return make(event, data, message_id, at)


def _form(body: Mapping[str, Any], request: WebhookRequest) -> Told:
    """An automation's HTTP request. It tells no time, and may lack the alert's id."""
    if not body.keys() & set(FORM_KEYS):
        raise WebhookRejected("wrong_shape", "The body is none of Level's.")
    # Whoever wrote the request may have put anything else into it, the secret too: that is not kept.
    told = {name: body[name] for name in _FORM if name in body and not _is_placeholder(body[name])}
    if identifier(told.get("device_id")) is None:
        raise Nameless("device_id")
    kind = AlertKind.RESET if "resolve" in (text(told.get("event")) or "").lower() else AlertKind.TRIGGERED
    row = {**told, "name": text(told.get("name")) or _UNNAMED, "device_hostname": told.get("hostname")}
    return build(row, identifier(told.get("alert_id")), kind, request.received_at)


def _is_placeholder(value: Any) -> bool:
    return isinstance(value, str) and _PLACEHOLDER.fullmatch(value.strip()) is not None


def steps(url: str, secret: str) -> Sequence[WebhookStep]:
    """The set-up in Level: its own webhook, or an automation where that is what is at hand."""
    return (
        WebhookStep(
            "Add a webhook",
            "In Level open Settings › Webhooks, add a webhook and paste this address as its URL.",
            url,
        ),
        WebhookStep(
            "Choose the events",
            "Choose alert_active and alert_resolved, and for devices and groups device_created,"
            " device_updated, device_deleted, group_created, group_updated and group_deleted.",
        ),
        WebhookStep(
            "Have it signed",
            "Give the webhook a secret, save it, and copy the secret: Level shows it once. Paste it into the"
            " field on this page. A webhook without a secret is refused.",
        ),
        WebhookStep(
            "Or: send it by an automation",
            "Where webhooks cannot be used, let an automation that an alert starts run the step HTTP request"
            " with the method POST, the address above and this header. Its value is the secret that is"
            " entered on this page. Webhooks of Level are better: they are signed, come again after a"
            " failure, and tell by themselves that an alert is over.",
            f"{HEADER}: {secret}" if secret else HEADER,
            is_secret=bool(secret),
        ),
        WebhookStep(
            "Body of the automation's request",
            "Put Level's variables between the quotes; leave out what it has no variable for, except for"
            " device_id. For the automation that an ended alert starts, write alert.resolved.",
            form_template(),
        ),
    )


def form_template() -> str:
    """The body of an automation's request, to be filled with Level's variables."""
    return json.dumps({**dict.fromkeys(FORM_KEYS, ""), "event": "alert.triggered"})
