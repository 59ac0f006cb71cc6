"""Webhooks of NinjaOne: the API webhook that we register, and notification channels that a person makes.

Both send one activity as JSON, a channel without what is expanded. Nothing is signed: a secret of ours stands
in a header. NinjaOne switches a webhook off that fails, so whatever does not concern us is answered well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rmm_extension.domain.errors import WebhookRejected
from rmm_extension.domain.registrations import HEADER as HEADER
from rmm_extension.domain.signals import Told
from rmm_extension.domain.types import WebhookRequest
from rmm_extension.providers.capabilities import WebhookStep
from rmm_extension.providers.hooks import bears_secret, json_object
from rmm_extension.providers.ninjaone.events import Nameless, of_activity

_ALL = ("*",)
_TYPES = ("CONDITION", "SYSTEM", "MONITOR", "PATCH_MANAGEMENT", "SOFTWARE_PATCH_MANAGEMENT", "ANTIVIRUS")
_REASONS = {"seriesUid": "alert_id_missing", "id": "message_id_missing"}
_MARKS = frozenset({"activityType", "statusCode", "status"})
"""An activity has one of these at least."""


def activity_map() -> Mapping[str, Sequence[str]]:
    """What to subscribe to: activity type to status codes, as ``PUT /v2/webhook`` takes it.

    Whole types, sorted out on receipt: NinjaOne's documents do not say which type owns a code.
    """
    return dict.fromkeys(_TYPES, _ALL)


def verify(request: WebhookRequest, secrets: Sequence[str]) -> bool:
    """Whether a header holds one of the secrets."""
    return bears_secret(request, secrets)


def parse(request: WebhookRequest) -> Sequence[Told]:
    """What the delivery tells; nothing for an activity that does not concern us."""
    try:
        found = of_activity(_object(request.body), request.received_at)
    except Nameless as problem:
        raise WebhookRejected(_REASONS[problem.field], f"The body has no {problem.field}.") from None
    return () if found is None else (found,)


def _object(body: bytes) -> dict[str, Any]:
    found = json_object(body)
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
