"""Webhooks of NinjaOne: the API webhook that we register, and notification channels that a person makes.

Both send one activity as JSON, a channel without what is expanded. Nothing is signed: a secret of ours stands
in a header. NinjaOne switches a webhook off that fails, so whatever does not concern us is answered well.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from rmm_extension.domain.errors import WebhookRejected
from rmm_extension.domain.signals import Told
from rmm_extension.domain.types import WebhookRequest
from rmm_extension.providers.capabilities import WebhookStep
from rmm_extension.providers.ninjaone.events import Nameless, of_activity

HEADER = "X-RMM-Webhook-Secret"
"""The header our webhook uses; Alga PSA's name for it is taken too."""
_HEADERS = (HEADER.lower(), "x-alga-webhook-secret")
_ALL = ("*",)
_TYPES = ("CONDITION", "SYSTEM", "MONITOR", "PATCH_MANAGEMENT", "SOFTWARE_PATCH_MANAGEMENT", "ANTIVIRUS")
_REASONS = {"seriesUid": "alert_id_missing", "id": "message_id_missing"}
_MARKS = frozenset({"activityType", "statusCode", "status"})
"""An activity has one of these at least."""
_BOM = b"\xef\xbb\xbf"


def activity_map() -> Mapping[str, Sequence[str]]:
    """What to subscribe to: activity type to status codes, as ``PUT /v2/webhook`` takes it.

    Whole types, sorted out on receipt: NinjaOne's documents do not say which type owns a code.
    """
    return dict.fromkeys(_TYPES, _ALL)


def verify(request: WebhookRequest, secrets: Sequence[str]) -> bool:
    """Whether a header holds one of the secrets. Every pair is compared, each in constant time."""
    given = [value.encode() for name in _HEADERS if (value := request.headers.get(name))]
    wanted = [secret.encode() for secret in secrets if secret]
    return bool(sum(hmac.compare_digest(one, other) for one in given for other in wanted))


def parse(request: WebhookRequest) -> Sequence[Told]:
    """What the delivery tells; nothing for an activity that does not concern us."""
    try:
        found = of_activity(_object(request.body), request.received_at)
    except Nameless as problem:
        raise WebhookRejected(_REASONS[problem.field], f"The body has no {problem.field}.") from None
    return () if found is None else (found,)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body.removeprefix(_BOM))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise WebhookRejected("not_json", "The body is not JSON.") from None
    if not isinstance(found, dict):
        raise WebhookRejected("wrong_shape", "The body is not a JSON object.")
    if not _MARKS & found.keys():
        raise WebhookRejected("wrong_shape", "The body is no activity of NinjaOne.")
    return found


def steps(url: str, secret: str) -> Sequence[WebhookStep]:
    """A notification channel made by hand: for whoever may not, or would not, have the webhook registered."""
    return (
        WebhookStep(
            "Add a notification channel",
            "In NinjaOne open Administration › Notification Channels, add a channel of the type Webhook named"
            " “PSA”, and paste this address.",
            url,
            is_secret=True,
        ),
        WebhookStep("Name of the header", "Add a header with this name.", HEADER),
        WebhookStep("Value of the header", "Paste this as its value.", secret, is_secret=True),
        WebhookStep(
            "Attach it to your conditions",
            "In each policy open the conditions that should make tickets and choose “PSA” under Notify, for"
            " when the condition triggers and for when it resets. Activities of devices (restarts, patches,"
            " software) are chosen in the policy's activities in the same way.",
        ),
    )
