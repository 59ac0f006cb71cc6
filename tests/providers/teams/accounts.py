"""Connections to a bot that does not exist, what Microsoft answers, and our side as an action sees it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import responses

from rmm_extension.domain.actions import Order, Outcome
from rmm_extension.domain.contracts.actions import load_input
from rmm_extension.domain.messaging import Conversation, ConversationKind, LinkedPerson
from rmm_extension.domain.types import Connection
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.teams import Teams
from rmm_extension.providers.teams.action_specs import MODULE
from tests.providers.ours import Ours

LOGIN, GRAPH, OPENID = (
    "https://login.microsoftonline.com",
    "https://graph.microsoft.com",
    "https://login.botframework.com",
)
SERVICE = "https://smba.trafficmanager.net/amer/"
APP_ID = "1b2c3d4e-0000-4000-8000-0000000000a1"
DIRECTORY = "1b2c3d4e-0000-4000-8000-0000000000d1"
PERSON = "1b2c3d4e-0000-4000-9000-000000000003"
CHANNEL = "19:0b7f@thread.tacv2"
SECRET = "SECRET-client-secret-0123456789"
TOKEN = "SECRET-token-of-the-bot-0123456789"


def provider() -> Teams:
    """The provider, which calls Microsoft's own hosts."""
    return Teams(Runtime())


def connection(mode: str = "single_tenant", **settings: Any) -> Connection:
    """A connection that has everything."""
    return Connection(
        tenant_id="t",
        integration_id="1",
        provider="teams",
        instance_url="",
        auth_mode=mode,
        secrets={"client_secret": SECRET},
        settings={"app_id": APP_ID, "directory_id": DIRECTORY, **settings},
    )


def says(url: str, body: Any, status: int = 200, *, method: str = "POST", **options: Any) -> None:
    """Answer this address so."""
    text = body if isinstance(body, str) else json.dumps(body)
    kind = "text/html" if text.startswith("<") else "application/json"
    responses.add(method, url, body=text, status=status, content_type=kind, **options)


def gives_token(directory: str = DIRECTORY, value: str = TOKEN, seconds: int = 3600) -> None:
    """Let Entra give a token."""
    answer = {"token_type": "Bearer", "expires_in": seconds, "access_token": value}
    says(f"{LOGIN}/{directory}/oauth2/v2.0/token", answer)


def refuses(url: str, status: int, code: str, message: str = "No.", **options: Any) -> None:
    """Let Bot Connector or Graph refuse."""
    says(url, {"error": {"code": code, "message": message}}, status, **options)


def sent(number: int = -1) -> dict[str, Any]:
    """The JSON of a request that was made."""
    found: dict[str, Any] = json.loads(responses.calls[number].request.body or b"{}")
    return found


def personal(**changes: Any) -> Conversation:
    """A conversation between the bot and the person."""
    given: dict[str, Any] = {
        "conversation_id": "a:1p0",
        "kind": ConversationKind.PERSONAL,
        "service_url": SERVICE,
        "bot_id": f"28:{APP_ID}",
        "directory_id": DIRECTORY,
        "person_id": PERSON,
    }
    return Conversation(**(given | changes))


def in_channel(**changes: Any) -> Conversation:
    """A conversation in a team's channel."""
    here = dict.fromkeys(("conversation_id", "channel_id", "team_id"), CHANNEL)
    return personal(**{"kind": ConversationKind.CHANNEL, "person_id": None, **here, **changes})


@dataclass
class Messaging:
    """Who is linked and where the bot is; what was told dead is kept in ``dead``."""

    people: dict[str, str] = field(default_factory=dict)
    places: list[Conversation] = field(default_factory=list)
    dead: list[tuple[str, str]] = field(default_factory=list)

    def person(self, user_id: str) -> LinkedPerson | None:
        found = self.people.get(user_id)
        return LinkedPerson(user_id=user_id, person_id=found) if found else None

    def personal_conversation(self, person_id: str) -> Conversation | None:
        return next((one for one in self.places if one.person_id == person_id), None)

    def channel(self, channel_id: str) -> Conversation | None:
        return next((one for one in self.places if channel_id in (one.channel_id, one.team_id)), None)

    def newest(self) -> Conversation | None:
        return self.places[-1] if self.places else None

    def is_dead(self, place: Conversation, reason: str) -> None:
        self.dead.append((place.conversation_id, reason))

    def link(self, path: str) -> str:
        return f"https://psa.example.com{path}"


@dataclass
class Side(Ours):
    """Our side, with what a chat service is told of it."""

    chat: Messaging = field(default_factory=Messaging)

    @property
    def messaging(self) -> Messaging:
        """Who is linked, and where the bot is."""
        return self.chat


def side(*places: Conversation) -> Side:
    """Our side: the user u1 is linked, and the bot is in these places."""
    return Side(chat=Messaging({"u1": PERSON}, list(places)))


def perform(
    name: str, wish: dict[str, Any], ours: Side, *, by: Teams | None = None, on: Connection | None = None
) -> Outcome:
    """Do an action of Teams, with its input checked as it is when it is asked for."""
    spec = next(one for one in MODULE.actions if one.id == f"teams.{name}")
    order = Order(action=spec.id, input=load_input(spec, wish))
    return (by or provider()).perform_action(on or connection(), order, ours)
