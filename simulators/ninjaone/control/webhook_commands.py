"""Webhooks: who gets them, and on which odd ways."""

from __future__ import annotations

from typing import Any

from simulators.ninjaone.control.blueprint import BadCommand, command, fields, flag, lab, query
from simulators.ninjaone.courier import parcel_for
from simulators.ninjaone.models import Subscription


@query("/api/webhooks")
def list_webhooks() -> Any:
    """Webhooks of applications and notification channels, with the values of their headers."""
    return [
        {
            "owner": one.owner,
            "channel": one.channel,
            "url": one.url,
            "activities": one.activities,
            "expand": one.expand,
            "headers": dict(one.headers),
            "organization_ids": one.organization_ids,
            "enabled": one.enabled,
            "failures": one.failures,
        }
        for one in lab().subscriptions
    ]


@command("/api/channels")
def set_channel() -> Any:
    """{"url", "headers"?, "name"?}: a notification channel for conditions; an empty url removes it."""
    data = fields()
    name = data.get("name", "Webhook channel")
    with lab().lock:
        kept = [one for one in lab().subscriptions if not (one.channel and one.owner == name)]
        lab().subscriptions = kept
        if data.get("url"):
            headers = list(dict(data.get("headers") or {}).items())
            everything = {"CONDITION": ["*"]}
            lab().subscriptions.append(
                Subscription(name, data["url"], everything, headers=headers, channel=True)
            )
    return {"channels": sum(one.channel for one in lab().subscriptions)}


@command("/api/webhooks/edit")
def edit_webhook() -> Any:
    """{"owner"?, "enabled"?, "url"?, "remove"?}: what a person does in the console to an entry."""
    data = fields()
    with lab().lock:
        found = [one for one in lab().subscriptions if data.get("owner") in (None, one.owner)]
        if flag(data.get("remove", False)):
            lab().subscriptions = [one for one in lab().subscriptions if one not in found]
        for one in found:
            one.enabled = flag(data.get("enabled", one.enabled))
            one.url = data.get("url", one.url)
    return {"changed": len(found)}


@query("/api/deliveries")
def list_deliveries() -> Any:
    """What was sent, oldest first."""
    return list(lab().deliveries)


@command("/api/deliveries/repeat")
def repeat() -> Any:
    """{"activity_id"?}: the bytes of an earlier delivery (the latest) once more."""
    data = fields()
    with lab().lock:
        wanted = [one for one in lab().deliveries if str(one["activity_id"]) == str(data.get("activity_id"))]
        kept = wanted if data.get("activity_id") else list(lab().deliveries)
        if not kept:
            raise BadCommand("nothing like that was sent")
        last = kept[-1]
        owners = [one for one in lab().subscriptions if one.owner == last["owner"]]
    to = (
        owners[0]
        if owners
        else Subscription(last["owner"], last["url"], {}, headers=list(last["headers"].items()))
    )
    entry = lab().courier.carry(parcel_for(to, last["activity_id"], last["body"].encode()))
    return {"activity_id": entry["activity_id"], "status": entry["status"]}


@command("/api/deliveries/raw")
def send_raw() -> Any:
    """{"body"}: any text to the webhook, with its headers."""
    body = str(fields().get("body", "not json"))
    with lab().lock:
        if not lab().subscriptions:
            raise BadCommand("no webhook is set")
        to = lab().subscriptions[0]
    entry = lab().courier.carry(parcel_for(to, 0, body.encode()))
    return {"status": entry["status"], "answer": entry["answer"]}
