"""Reading an activity that Bot Connector sends to a bot.

By Microsoft's description of the events of conversations: the bot's own id among ``membersAdded`` or an
``installationUpdate`` tells that it was put there, and so on for taking it out.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import msgspec

from rmm_extension.domain.errors import WebhookRejected
from rmm_extension.domain.messaging import BotActivity, Conversation, ConversationKind
from rmm_extension.domain.values import text

CHANNEL = "msteams"
LONGEST = 4000
"""Characters of a message that are looked at."""
_MENTION = re.compile(r"<at[^>]*>.*?</at>", re.DOTALL)


class _Account(msgspec.Struct, rename="camel"):
    id: str = ""
    name: str | None = None
    aad_object_id: str | None = None


class _Place(msgspec.Struct, rename="camel"):
    id: str = ""
    name: str | None = None
    conversation_type: str | None = None
    tenant_id: str | None = None


class _Named(msgspec.Struct, rename="camel"):
    id: str | None = None
    name: str | None = None
    aad_group_id: str | None = None


class _Settings(msgspec.Struct, rename="camel"):
    selected_channel: _Named | None = None


class _ChannelData(msgspec.Struct, rename="camel"):
    tenant: _Named | None = None
    team: _Named | None = None
    channel: _Named | None = None
    settings: _Settings | None = None
    event_type: str | None = None


class Activity(msgspec.Struct, rename="camel"):
    """The parts of an activity that are used."""

    type: str
    channel_id: str
    service_url: str
    timestamp: datetime | None = None
    sender: _Account | None = msgspec.field(default=None, name="from")
    recipient: _Account | None = None
    conversation: _Place | None = None
    channel_data: _ChannelData | None = None
    members_added: list[_Account] | None = None
    members_removed: list[_Account] | None = None
    action: str | None = None
    text: str | None = None

    @property
    def directory_id(self) -> str:
        """The directory it comes from, in lower case; empty where it does not say."""
        data = self.channel_data
        tenant = data.tenant.id if data and data.tenant else None
        return ((self.conversation.tenant_id if self.conversation else None) or tenant or "").lower()


def decode(body: bytes) -> Activity:
    """The activity; raises ``WebhookRejected`` for what is none."""
    try:
        return msgspec.json.decode(body, type=Activity)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise WebhookRejected("no_activity", "The body is no activity of Bot Connector.") from None


def read(activity: Activity) -> BotActivity | None:
    """What it tells; ``None`` for one that is not used."""
    conversation = _conversation(activity)
    if conversation is None:
        return None
    installed, removed = _installed(activity), _removed(activity)
    words = _words(activity.text) if activity.type == "message" else None
    if not installed and not removed and words is None:
        return None
    return BotActivity(conversation=conversation, installed=installed, removed=removed, text=words)


def _conversation(activity: Activity) -> Conversation | None:
    place, bot = activity.conversation, activity.recipient
    if place is None or bot is None or not place.id or not bot.id:
        return None
    try:
        kind = ConversationKind(place.conversation_type or "personal")
    except ValueError:
        return None
    more = _person(activity) if kind is ConversationKind.PERSONAL else _team(activity, kind)
    return Conversation(
        # The thread of a channel is named behind the channel's own id.
        conversation_id=place.id.partition(";messageid=")[0],
        kind=kind,
        service_url=activity.service_url,
        bot_id=bot.id,
        directory_id=activity.directory_id,
        seen_at=activity.timestamp if activity.timestamp and activity.timestamp.tzinfo else None,
        **more,
    )


def _person(activity: Activity) -> dict[str, Any]:
    sender = activity.sender or _Account()
    return {
        "person_id": (text(sender.aad_object_id) or "").lower() or None,
        "person_name": text(sender.name),
    }


def _team(activity: Activity, kind: ConversationKind) -> dict[str, Any]:
    if kind is not ConversationKind.CHANNEL or activity.conversation is None:
        return {}
    data = activity.channel_data or _ChannelData()
    team = data.team or _Named()
    chosen = data.settings.selected_channel if data.settings else None
    channel = data.channel or chosen or _Named()
    return {
        "team_id": text(team.id),
        "team_group_id": text(team.aad_group_id),
        "team_name": text(team.name),
        "channel_id": text(channel.id) or activity.conversation.id.partition(";messageid=")[0],
        "channel_name": text(channel.name) or text(activity.conversation.name),
    }


def _installed(activity: Activity) -> bool:
    if activity.type == "installationUpdate":
        return activity.action in ("add", "add-upgrade")
    return activity.type == "conversationUpdate" and _is_about_bot(activity, activity.members_added)


def _removed(activity: Activity) -> bool:
    if activity.type == "installationUpdate":
        return activity.action in ("remove", "remove-upgrade")
    if activity.type != "conversationUpdate":
        return False
    is_deleted = activity.channel_data is not None and activity.channel_data.event_type == "teamDeleted"
    return is_deleted or _is_about_bot(activity, activity.members_removed)


def _is_about_bot(activity: Activity, members: list[_Account] | None) -> bool:
    bot = activity.recipient
    return bot is not None and any(one.id == bot.id for one in members or [])


def _words(message: str | None) -> str:
    """What was written, without mentions of the bot."""
    return " ".join(_MENTION.sub(" ", (message or "")[:LONGEST]).replace("\xa0", " ").split())
