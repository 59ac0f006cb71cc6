"""``/v2/webhook``: the one webhook of an API application (NinjaOne's OpenAPI 2.0.9, ``configureWebhook``).

A PUT replaces what was there, whoever set it; only a System Administrator may. It shows in NinjaOne as an
entry without a name under Administration › Notification Channels, and editing it there breaks it.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import msgspec

from rmm_extension.domain.errors import PermissionMissing, ProviderError
from rmm_extension.domain.registrations import Subscription, WebhookRegistration
from rmm_extension.providers.ninjaone import webhooks
from rmm_extension.providers.ninjaone.client import NinjaOneClient
from rmm_extension.providers.ninjaone.errors import AdministratorNeeded

PATH = "/v2/webhook"
EXPAND = ("device", "organization", "location")
"""References that deliveries are to bring along, so that none has to be asked for."""
_WORDS = {
    "CONDITION": "Conditions: triggered, reset and acknowledged",
    "SYSTEM": "Devices: added, changed, removed, restarted, people who sign in and out, hardware",
    "MONITOR": "Monitors: what changed on a device",
    "PATCH_MANAGEMENT": "Patches of the operating system: scanned, installed, failed",
    "SOFTWARE_PATCH_MANAGEMENT": "Patches of software: scanned, installed, failed",
    "ANTIVIRUS": "Antivirus",
}
"""What an activity type tells, for people; another one is named as NinjaOne names it."""


class NotRemoved(PermissionMissing):
    """NinjaOne keeps what it has."""


def scope(client_id: str, base_url: str) -> str:
    """What NinjaOne keeps one webhook for: an API application of one of its servers."""
    return f"{client_id}@{(urlsplit(base_url).netloc or base_url).lower()}"


def subscription() -> Subscription:
    """What is subscribed; its version follows from the request itself, so that no release forgets it."""
    wanted = _wanted()
    return Subscription(
        version=sha256(msgspec.json.encode(wanted, order="deterministic")).hexdigest()[:16],
        words=tuple(_WORDS.get(kind, kind) for kind in wanted["activities"]),
    )


def register(client: NinjaOneClient, registration: WebhookRegistration) -> None:
    """Have deliveries sent. Raises ``PermissionMissing`` for who is no System Administrator."""
    body: dict[str, Any] = {
        "url": registration.url,
        **_wanted(),
        "headers": [{"name": registration.header, "value": registration.secret}],
    }
    if registration.organization_ids is not None:
        body["organizationIds"] = [int(one) for one in registration.organization_ids if one.isdecimal()]
    client.also_hide(registration.secret, registration.url.rpartition("/")[2])
    try:
        client.write("PUT", PATH, json=body).require_json()
    except AdministratorNeeded as error:
        raise AdministratorNeeded(
            "NinjaOne lets only a System Administrator register a webhook. Sign in again as one, in the"
            " browser, or set a notification channel up by hand.",
            **_of(error),
        ) from None


def unregister(client: NinjaOneClient) -> None:
    """Have nothing sent any more. Raises ``PermissionMissing`` where NinjaOne keeps what it has."""
    try:
        client.write("DELETE", PATH).require_json()
    except AdministratorNeeded as error:
        raise NotRemoved(
            "NinjaOne did not remove it: the sign-in is no System Administrator's any more, or another"
            " product has its webhook there now. Remove it by hand, under Administration › Notification"
            " Channels.",
            **_of(error),
        ) from None


def _wanted() -> dict[str, Any]:
    activities = {kind: list(codes) for kind, codes in webhooks.activity_map().items()}
    return {"activities": activities, "expand": list(EXPAND)}


def _of(error: ProviderError) -> dict[str, Any]:
    return {"provider": error.provider, "status": error.status, "request_id": error.request_id}
