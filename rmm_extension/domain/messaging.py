"""What a chat service's actions are told of our side: whom it can reach, and where."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from .errors import WebhookRejected


class KeyUnknown(WebhookRejected):
    """A message names a signing key that is not among those known: they may have been renewed since."""

    def __init__(self, message: str) -> None:
        super().__init__("unknown_key", message)


class ConversationKind(StrEnum):
    """Between the bot and one person, in a channel of a team, or in a group."""

    PERSONAL = "personal"
    CHANNEL = "channel"
    GROUP = "groupChat"


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A place the bot was put into; ids and ``service_url`` are the vendor's own.

    ``directory_id`` is the vendor's tenant, ``person_id`` the object id of the person (personal ones),
    ``team_id`` and ``channel_id`` where it stands in a team.
    """

    conversation_id: str
    kind: ConversationKind
    service_url: str
    bot_id: str
    directory_id: str
    person_id: str | None = None
    person_name: str | None = None
    team_id: str | None = None
    team_group_id: str | None = None
    team_name: str | None = None
    channel_id: str | None = None
    channel_name: str | None = None
    seen_at: datetime | None = None


class AppPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Whose app it is, and the public address of the installation that its bot answers for."""

    organization: str
    website: str


class AppPackage(msgspec.Struct, frozen=True):
    """A file that an administrator uploads at the vendor, so that its people can install the bot."""

    name: str
    content: bytes


class LinkedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """A user of the host and the account in the vendor's directory that is theirs."""

    user_id: str
    person_id: str


class BotActivity(msgspec.Struct, frozen=True, kw_only=True):
    """What an inbound message of a bot's vendor says, read by the provider.

    ``installed`` / ``removed``: the bot was put into, or taken out of, this conversation. ``text`` is what
    a person wrote to it. ``raw`` is never kept.
    """

    conversation: Conversation
    installed: bool = False
    removed: bool = False
    text: str | None = None
    raw: dict[str, Any] = {}


class MessagingContext(Protocol):
    """What actions of a chat service may ask of our side; each call is a short transaction of its own."""

    def person(self, user_id: str) -> LinkedPerson | None:
        """The account linked with a user of the host."""

    def personal_conversation(self, person_id: str) -> Conversation | None:
        """The newest living conversation between the bot and the person."""

    def channel(self, channel_id: str) -> Conversation | None:
        """A living conversation in that channel or its team, if the bot was put there."""

    def newest(self) -> Conversation | None:
        """The conversation heard of last, living: its service URL is the newest known."""

    def is_dead(self, place: Conversation, reason: str) -> None:
        """The vendor says that the conversation is gone: it is not used before the bot is put there anew.

        One that was heard of while the vendor was asked lives: the bot may have been put there meanwhile.
        """

    def link(self, path: str) -> str:
        """The public address of a page of the host, for links in messages; the path where it is not known."""
