"""The actions of Microsoft Teams, what they take and what they give."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields, validates_schema

from rmm_extension.domain.contracts.actions import ActionModule, ActionSpec, Choice, says
from rmm_extension.domain.contracts.inputs import Json
from rmm_extension.domain.contracts.strict import Flag, Strict, Text
from rmm_extension.domain.labels import provider_label
from rmm_extension.providers.teams import messages
from rmm_extension.providers.teams.errors import KEY

MODULE_KEY = f"app:{KEY}"
LONGEST_MESSAGE = 20_000
CONVERSATION = "conversations"
"""The tab of the app that is the conversation with its bot: Teams reserves this name for it."""
CATEGORIES = {
    "assignment": ("assignmentCreated", "Assignment"),
    "customer_reply": ("customerReplyReceived", "Reply of a customer"),
    "approval_request": ("approvalRequested", "Request for approval"),
    "escalation": ("workEscalated", "Escalation"),
    "sla_risk": ("slaRiskDetected", "Risk for a service level"),
}
"""By word: the type of the activity in the app's manifest, and what a page says for it."""
_USER = says(
    "User", "The user here. Their account in Teams is linked on the connection's page.", picks="teams_user"
)
_MESSAGE = says("Message", "Plain text: Teams shows it as it is.")


def _card(value: Any) -> None:
    if wrong := list(messages.flaws(value)):
        raise ValidationError(wrong)


def _link(value: str) -> None:
    """A page here, or an address elsewhere."""
    if value.startswith("/") and not value.startswith("//"):
        return
    try:
        parts = urlsplit(value)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValidationError("Give an address that begins with https://, or with / for a page here.")


_CARD = says(
    "Adaptive Card",
    "JSON of an Adaptive Card, up to version 1.5; instead of the message, or below it.",
)


def _text(**options: Any) -> fields.String:
    return fields.String(required=True, **options)


class _Message(Strict):
    message = Text(LONGEST_MESSAGE, trimmed=False, metadata=_MESSAGE)
    card = Json(messages.LARGEST, validate=_card, metadata=_CARD)

    @validates_schema
    def _says_something(self, data: dict[str, Any], **_: Any) -> None:
        if not data.get("message") and not data.get("card"):
            raise ValidationError("Give a message, or a card.", "message")


class NotifyUser(Strict):
    """What stands in the user's activity feed."""

    user_id = Text(255, required=True, metadata=_USER)
    title = Text(150, required=True, metadata=says("Title", "What it is about."))
    message = Text(4000, trimmed=False, metadata=says("Message", "Teams shows the first 150 characters."))
    link = Text(
        2000,
        validate=_link,
        metadata=says("Link", "What it leads to: an address that begins with https://, or a path here."),
    )
    category = Choice(
        tuple((word, label) for word, (_, label) in CATEGORIES.items()),
        load_default="escalation",
        metadata=says("Kind"),
    )


class SendDirectMessage(_Message):
    """To whom, and what."""

    user_id = Text(255, required=True, metadata=_USER)


class PostToChannel(_Message):
    """Where, and what."""

    channel_id = Text(
        300,
        required=True,
        metadata=says(
            "Channel", "The id of the channel in Teams. The app must be in its team.", picks="teams_channel"
        ),
    )


class Notified(Strict):
    """That Teams took it on."""

    delivered = Flag(required=True)
    user_id = _text()
    activity_type = _text()


class Sent(Strict):
    """Where it was sent."""

    sent = Flag(required=True)
    user_id = _text()
    conversation_id = _text()


class Posted(Strict):
    """The thread that the post began, where Teams tells it."""

    posted = Flag(required=True)
    channel_id = _text()
    conversation_id = _text(allow_none=True)


def _spec(name: str, label: str, description: str, **more: Any) -> ActionSpec:
    return ActionSpec(
        id=f"{KEY}.{name}",
        module=MODULE_KEY,
        label=label,
        description=description,
        side_effects=True,
        category="Messages",
        permission="rmm.workflows.manage",
        on_device=False,
        **more,
    )


NOTIFY = _spec(
    "notify_user",
    "Notify user",
    "Puts a notification into the user's activity feed.",
    input=NotifyUser,
    output=Notified,
    icon="bell",
)
DIRECT = _spec(
    "send_dm",
    "Send direct message",
    "Sends a message of the bot to the user.",
    input=SendDirectMessage,
    output=Sent,
    icon="message",
)
POST = _spec(
    "post_to_channel",
    "Post to channel",
    "Begins a thread in a channel of a team that the app is in.",
    input=PostToChannel,
    output=Posted,
    icon="message",
)

MODULE = ActionModule(
    key=MODULE_KEY,
    label=provider_label(KEY),
    description="Notifications and messages to people and channels.",
    icon=KEY,
    default_action=NOTIFY.id,
    availability=f"integration:{KEY}",
    actions=(NOTIFY, DIRECT, POST),
)
