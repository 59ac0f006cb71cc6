"""Settings > Webhooks, the automation that makes an HTTP request, and the log of both."""

from __future__ import annotations

import secrets
from typing import Any

from simulators.levelio.control.blueprint import BadCommand, command, fields, flag, lab, query
from simulators.levelio.courier import parcel_for
from simulators.levelio.events import EVENT_TYPES, STEP_BODY, STEP_EVENTS
from simulators.levelio.models import HttpStep, Webhook


@query("/api/webhooks")
def list_webhooks() -> Any:
    """The webhooks. A secret is shown only when it is made."""
    return [
        {
            "number": one.number,
            "url": one.url,
            "event_types": one.event_types,
            "signed": one.secret is not None,
            "enabled": one.enabled,
        }
        for one in lab().webhooks.values()
    ]


@command("/api/webhooks")
def add_webhook() -> Any:
    """{"url", "event_types"?, "secret"?, "enabled"?}: all events and a secret of its own unless given.

    "event_types" is a list, or a text with spaces; the secret "none" leaves the webhook unsigned.
    """
    data = fields()
    given = data.get("secret") or f"lvlsec_{secrets.token_hex(20)}"
    with lab().lock:
        number = lab().next_number("Webhook")
        webhook = Webhook(number, _url(data), _types(data), None if given == "none" else given)
        webhook.enabled = flag(data.get("enabled", True))
        lab().webhooks[number] = webhook
        return {"secret": webhook.secret, "number": number, "url": webhook.url}


def _url(data: dict[str, Any]) -> str:
    url = str(data["url"])
    if not url.startswith(("http://", "https://")):
        raise BadCommand("url is an address")
    return url


def _types(data: dict[str, Any]) -> tuple[str, ...]:
    given = data.get("event_types") or EVENT_TYPES
    types = tuple(given.split() if isinstance(given, str) else given)
    if not set(types) <= set(EVENT_TYPES):
        raise BadCommand(f"event types: {', '.join(EVENT_TYPES)}")
    return types


def _edit(rows: dict[int, Any], number: int) -> Any:
    """Switch an entry on or off, give it another address, or remove it."""
    data = fields()
    with lab().lock:
        row = rows[number]
        if flag(data.get("remove", False)):
            del rows[number]
            return {"removed": True}
        row.enabled = flag(data.get("enabled", row.enabled))
        row.url = _url(data) if "url" in data else row.url
        return {"number": number, "url": row.url, "enabled": row.enabled}


@command("/api/webhooks/<int:number>")
def edit_webhook(number: int) -> Any:
    """{"enabled"?, "url"?, "remove"?}."""
    return _edit(lab().webhooks, number)


@command("/api/webhooks/<int:number>/secret")
def renew_secret(number: int) -> Any:
    """A new secret, shown now and never again; the old one does not sign any more."""
    with lab().lock:
        webhook = lab().webhooks[number]
        webhook.secret = f"lvlsec_{secrets.token_hex(20)}"
        return {"secret": webhook.secret, "number": number}


@query("/api/steps")
def list_steps() -> Any:
    """Automations that make an HTTP request when there is an alert."""
    return [vars(one) for one in lab().steps.values()]


@command("/api/steps")
def add_step() -> Any:
    """{"url", "headers"?, "header"? and "value"?, "body"?, "event"?}; its body has names in {{braces}}."""
    data = fields()
    headers = dict(data.get("headers") or {})
    if data.get("header"):
        headers[data["header"]] = data.get("value", "")
    event = data.get("event", "alert.triggered")
    if event not in STEP_EVENTS.values():
        raise BadCommand(f"event: {', '.join(STEP_EVENTS.values())}")
    with lab().lock:
        number = lab().next_number("AutomationStep")
        lab().steps[number] = HttpStep(number, event, _url(data), headers, data.get("body") or STEP_BODY)
    return {"number": number}


@command("/api/steps/<int:number>")
def edit_step(number: int) -> Any:
    """{"enabled"?, "url"?, "remove"?}."""
    return _edit(lab().steps, number)


@query("/api/deliveries")
def list_deliveries() -> Any:
    """What was sent, oldest first."""
    return list(lab().deliveries)


@command("/api/deliveries/retry")
def retry() -> Any:
    """{"event_id"?}: an earlier delivery (the latest) once more: the same event id, signed as of now."""
    wanted = fields().get("event_id")
    with lab().lock:
        kept = [one for one in lab().deliveries if wanted in (None, one["event_id"])]
        if not kept:
            raise BadCommand("nothing like that was sent")
        last = kept[-1]
        rows: dict[int, Any] = lab().webhooks if last["kind"] == "webhook" else lab().steps
        parcel = parcel_for(rows[last["number"]], last["event_id"], last["body"].encode())
    parcel.attempts = lab().settings.webhook_attempts
    entry = lab().courier.carry(parcel)
    return {"event_id": entry["event_id"], "status": entry["status"]}


@command("/api/deliveries/raw")
def send_raw() -> Any:
    """{"body", "headers"?}: any text to the first webhook, signed, with headers added or replaced."""
    data = fields()
    with lab().lock:
        if not lab().webhooks:
            raise BadCommand("no webhook is set")
        webhook = next(iter(lab().webhooks.values()))
        parcel = parcel_for(webhook, "raw", str(data.get("body", "not json")).encode())
    parcel.headers |= dict(data.get("headers") or {})
    parcel.attempts = lab().settings.webhook_attempts
    entry = lab().courier.carry(parcel)
    return {"status": entry["status"], "answer": entry["answer"]}
