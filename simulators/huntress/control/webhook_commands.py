"""Webhooks: the endpoints of the account, and deliveries on odd ways."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit

from simulators.common.courier import Parcel
from simulators.huntress import svix
from simulators.huntress.control.blueprint import BadCommand, command, fields, flag, lab, query
from simulators.huntress.enums import CATEGORIES
from simulators.huntress.events import test_payload
from simulators.huntress.models import Endpoint
from simulators.huntress.replies import ApiError, json_reply

MOST = 5
"""So many endpoints an account has at most."""


def endpoint_summary(one: Endpoint) -> dict[str, Any]:
    """The endpoint with its secret, as the console shows it to an administrator."""
    return {
        "id": one.id,
        "url": one.url,
        "secret": one.secrets[0],
        "categories": one.categories,
        "enabled": one.enabled,
    }


def _endpoint(endpoint_id: str) -> Endpoint:
    if endpoint_id not in lab().endpoints:
        raise ApiError(404, {"error": f"endpoint {endpoint_id} does not exist"})
    return lab().endpoints[endpoint_id]


def _categories(given: Any) -> list[str]:
    """Names of categories: a list, or a text with commas between; all when absent."""
    wanted = [one.strip() for one in given.split(",")] if isinstance(given, str) else given or CATEGORIES
    if unknown := set(wanted) - set(CATEGORIES):
        raise BadCommand(f"no category {sorted(unknown)}; there are {', '.join(CATEGORIES)}")
    return [one for one in CATEGORIES if one in wanted]


def _address(given: Any) -> str:
    """The real console takes https only; here http does too, for receivers on this machine."""
    if urlsplit(str(given)).scheme not in ("http", "https"):
        raise BadCommand("url is an address")
    return str(given)


@query("/api/webhooks")
def list_webhooks() -> Any:
    """The endpoints with their secrets."""
    return [endpoint_summary(one) for one in lab().endpoints.values()]


@command("/api/webhooks")
def add_webhook() -> Any:
    """{"url", "categories"?: of Incident Reports, Escalations, Platform Actions, Account Notices}."""
    data = fields()
    with lab().lock:
        if len(lab().endpoints) >= MOST:
            raise BadCommand(f"there are {MOST} endpoints already")
        made = Endpoint(
            id=f"ep_{secrets.token_hex(8)}",
            url=_address(data["url"]),
            secrets=[svix.new_secret()],
            categories=_categories(data.get("categories")),
        )
        lab().endpoints[made.id] = made
        return endpoint_summary(made)


@command("/api/webhooks/<endpoint_id>/edit")
def edit_webhook(endpoint_id: str) -> Any:
    """{"url"?, "categories"?, "enabled"?, "secret"?: a whsec_ of one's own, in place of the old}."""
    data = fields()
    with lab().lock:
        found = _endpoint(endpoint_id)
        found.url = _address(data.get("url", found.url))
        found.categories = _categories(data.get("categories", found.categories))
        found.enabled = flag(data.get("enabled", found.enabled))
        found.secrets = [str(data["secret"])] if data.get("secret") else found.secrets
        return endpoint_summary(found)


@command("/api/webhooks/<endpoint_id>/rotate")
def rotate_secret(endpoint_id: str) -> Any:
    """{"keep"?}: a new secret; the old one signs beside it unless told otherwise."""
    keep = flag(fields().get("keep", True))
    with lab().lock:
        found = _endpoint(endpoint_id)
        found.secrets = [svix.new_secret(), *(found.secrets[:1] if keep else [])]
        return endpoint_summary(found)


@command("/api/webhooks/<endpoint_id>/remove")
def remove_webhook(endpoint_id: str) -> Any:
    """The account has it no more."""
    with lab().lock:
        del lab().endpoints[_endpoint(endpoint_id).id]
    return {}


@command("/api/webhooks/<endpoint_id>/test")
def send_test(endpoint_id: str) -> Any:
    """Send an example now; what the receiver answered."""
    with lab().lock:
        found = _endpoint(endpoint_id)
        body = json_reply(test_payload(lab(), found)).get_data()
    return _outcome(lab().courier.carry(Parcel(found, svix.new_message_id(), found.url, body)))


def _outcome(entry: dict[str, Any]) -> dict[str, Any]:
    return {"svix_id": entry["svix_id"], "status": entry["status"], "answer": entry["answer"]}


@query("/api/deliveries")
def list_deliveries() -> Any:
    """Every try, oldest first: when, which message and endpoint, bytes, answer, when it is tried again."""
    return list(lab().deliveries)


@command("/api/deliveries/repeat")
def repeat() -> Any:
    """{"svix_id"?}: the bytes and headers of an earlier try (the latest) once more."""
    wanted = fields().get("svix_id")
    with lab().lock:
        kept = [one for one in lab().deliveries if wanted in (None, one["svix_id"])]
    if not kept:
        raise BadCommand("nothing like that was sent")
    last = kept[-1]
    parcel = Parcel(None, last["svix_id"], last["url"], last["body"].encode(), dict(last["headers"]))
    return _outcome(lab().courier.carry(parcel))


@command("/api/deliveries/raw")
def send_raw() -> Any:
    """{"endpoint"?, "body"?, "shift"?: seconds on the time that is signed, "secret"?: another to sign with,
    "signature"?: a text in place of it, "unsigned"?}: as an attacker or a faulty sender makes it."""
    data = fields()
    with lab().lock:
        if not lab().endpoints:
            raise BadCommand("no endpoint is set")
        to = (
            _endpoint(str(data["endpoint"])) if data.get("endpoint") else next(iter(lab().endpoints.values()))
        )
        body = str(data.get("body", "not json")).encode()
        message_id = svix.new_message_id()
        moment = int(lab().now() + float(data.get("shift", 0)))
        headers = svix.headers([str(data.get("secret") or to.secrets[0])], message_id, moment, body)
    if data.get("signature"):
        headers["svix-signature"] = str(data["signature"])
    if flag(data.get("unsigned", False)):
        headers = {}
    return _outcome(lab().courier.carry(Parcel(None, message_id, to.url, body, headers)))
