"""What the simulated services hold: plain rows, changed only under the lab's lock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

JsonRow = dict[str, Any]


@dataclass
class Bot:
    """An app registration with its Azure Bot. ``secrets`` all count; ``roles`` are consented to in Graph."""

    app_id: str
    name: str
    secrets: list[str]
    is_multi_tenant: bool = False
    endpoint: str | None = None
    roles: list[str] = field(default_factory=lambda: ["TeamsActivity.Send"])
    is_registered: bool = True
    is_blocked: bool = False

    @property
    def account(self) -> str:
        """Its id in conversations."""
        return f"28:{self.app_id}"


@dataclass
class Person:
    """Somebody of the directory; ``apps`` are installed for them, ``blocked`` those that they muted."""

    number: int
    name: str
    mail: str
    apps: set[str] = field(default_factory=set)
    blocked: set[str] = field(default_factory=set)

    @property
    def object_id(self) -> str:
        """Their id in the directory."""
        return f"5e1f0000-0000-4000-9000-{self.number:012d}"

    @property
    def account(self) -> str:
        """Their id in conversations."""
        return f"29:1sim{self.number:04d}"

    def conversation_with(self, bot: Bot) -> str:
        """The id of the conversation between them and the bot."""
        return f"a:1sim{self.number:04d}-{bot.app_id[-4:]}"


@dataclass
class Channel:
    """A channel of a team; the general one has the team's id."""

    id: str
    name: str


@dataclass
class Team:
    """A team with its channels; ``apps`` are installed in it."""

    number: int
    name: str
    channels: list[Channel] = field(default_factory=list)
    apps: set[str] = field(default_factory=set)

    @property
    def id(self) -> str:
        """Its id in Teams, which is its general channel's."""
        return f"19:sim{self.number:04d}general@thread.tacv2"

    @property
    def group_id(self) -> str:
        """Its id in the directory."""
        return f"5e1f0000-0000-4000-a000-{self.number:012d}"


@dataclass
class Message:
    """What a bot wrote, and where. ``conversation_id`` is the thread's for a post in a channel."""

    number: int
    at: str
    app_id: str
    conversation_id: str
    where: str
    activity: JsonRow
    person: int | None = None
    team: int | None = None


@dataclass
class Notification:
    """An entry of somebody's activity feed."""

    number: int
    at: str
    app_id: str
    person: int
    body: JsonRow


@dataclass
class Token:
    """An access token that was given out."""

    app_id: str
    scope: str
    directory_id: str
    until: float
