"""A made-up chat service whose messages name the key they are signed with, and a connection to its bot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from werkzeug.test import TestResponse

from rmm_extension.domain.actions import ActionContext, ErrorCode, Order, Outcome, failed, succeeded
from rmm_extension.domain.contracts.actions import ActionModule, ActionSpec, says
from rmm_extension.domain.contracts.strict import Strict, Text
from rmm_extension.domain.errors import ProviderError, WebhookRejected
from rmm_extension.domain.messaging import BotActivity, Conversation, ConversationKind, KeyUnknown
from rmm_extension.domain.types import Check, Connection
from rmm_extension.models import utc_now
from rmm_extension.providers.contract import AuthMode, Field, Manifest, Provider
from rmm_extension.services import connections
from rmm_extension.services.messaging import Messaging, endpoint, open_endpoint
from tests.harness.signing import install
from tests.harness.world import World

KEY = "chat"
DIRECTORY = "b28fdbfd-2b78-4f93-b0f8-8881793f0f8f"
PERSON, COLLEAGUE = "eddfa9d4-346e-4cce-a18f-fa6261ad776b", "0b1c2d3e-346e-4cce-a18f-fa6261ad7700"
TEAM, CHANNEL = "19:team@thread.tacv2", "19:channel@thread.tacv2"
SERVICE = "https://smba.trafficmanager.net/amer/"


class GreetInput(Strict):
    """Whom to greet."""

    user_id = Text(100, required=True, metadata=says("User"))


class GreetOutput(Strict):
    """Where."""

    conversation_id = Text(1000, required=True)


MODULE = ActionModule(
    key="app:chat",
    label="Chat",
    description="A chat service.",
    icon="script",
    default_action="chat.greet",
    availability="integration:chat",
    actions=(
        ActionSpec(
            id="chat.greet",
            module="app:chat",
            label="Greet",
            description="Greets a user.",
            input=GreetInput,
            output=GreetOutput,
            side_effects=True,
            category="Chat",
            icon="script",
            on_device=False,
        ),
    ),
)


class ChatService(Provider):
    """Signs with the keys of ``vendor_keys``; ``asked`` counts how often these were asked for."""

    manifest = Manifest(
        key=KEY,
        label="Chat service",
        description="A chat service.",
        auth_modes=(
            AuthMode("app", "App", "An app.", (Field("app_id", "App"), Field("key", "Key", secret=True))),
        ),
        category="communication",
        addon="teams",
    )
    vendor_keys: ClassVar[list[dict[str, Any]]] = []
    trouble: ClassVar[ProviderError | None] = None
    asked: ClassVar[int] = 0

    def check(self, connection: Connection) -> Iterator[Check]:
        """Always well."""
        yield Check(name="App", state="ok", message="The app is known.")

    def signing_keys(self) -> list[dict[str, Any]]:
        """Those of now, or the trouble."""
        type(self).asked += 1
        if self.trouble is not None:
            raise self.trouble
        return list(self.vendor_keys)

    def verify_bot_message(
        self,
        connection: Connection,
        headers: Mapping[str, str],
        body: bytes,
        keys: Sequence[Mapping[str, Any]],
    ) -> BotActivity | None:
        """By the key's name alone; a message that is signed otherwise is refused."""
        assert not connection.secrets
        kid = headers.get("authorization", "").removeprefix("Bearer ")
        if kid == "forged":
            raise WebhookRejected("signature", "The signature does not fit.")
        if kid not in {key["kid"] for key in keys}:
            raise KeyUnknown("The key is not known.")
        return None if body == b"{}" else msgspec.json.decode(body, type=BotActivity)

    def action_module(self) -> ActionModule:
        """With one action."""
        return MODULE

    def perform_action(self, connection: Connection, order: Order, context: ActionContext) -> Outcome:
        """Looks the user's account up, and says where a message would go."""
        person = context.messaging.person(order.input["user_id"])
        if person is None:
            return failed(ErrorCode.USER_NOT_LINKED)
        place = context.messaging.personal_conversation(person.person_id)
        if place is None:
            return failed(ErrorCode.NO_CONVERSATION)
        return succeeded("Done.", {"conversation_id": place.conversation_id})


@dataclass
class Bot:
    """A connection to the chat service, as its vendor sees it."""

    world: World
    integration_id: UUID
    url: str = ""
    kid: str = "k1"

    @classmethod
    def connect(cls, world: World, name: str = "Chat", *, kid: str = "k1") -> Bot:
        """Install the chat service, connect to it, and open the address for its messages."""
        ChatService.vendor_keys = [{"kid": kid}]
        ChatService.trouble, ChatService.asked = None, 0
        install(world.app, ChatService)
        given = Connection(
            tenant_id=world.tenant,
            integration_id="",
            provider=KEY,
            instance_url="",
            auth_mode="app",
            secrets={"key": "secret-0123456789"},
            settings={"app_id": "app-1"},
        )
        with world.unit() as session:
            row = connections.create(world.rmm, session, world.admin, name, given, catch_all=False)
            row.setup_step = None
            made = cls(world, row.id, kid=kid)
        made.open()
        return made

    def open(self) -> None:
        """Open the address."""
        with self.world.unit() as session:
            open_endpoint(self.world.rmm, session, self.world.admin, self.integration_id)
            session.flush()
            row = connections.get(session, self.world.tenant, self.integration_id)
            found = endpoint(self.world.rmm, session, row)
        assert found is not None
        self.url = found.url

    @property
    def path(self) -> str:
        """The path of the address."""
        return "/" + self.url.split("/", 3)[3]

    @property
    def messaging(self) -> Messaging:
        """What actions are given."""
        return Messaging(self.world.rmm, self.world.tenant, self.integration_id)

    def say(
        self, told: Conversation | None = None, *, kid: str = "", path: str = "", **more: Any
    ) -> TestResponse:
        """Send a message of the vendor's to our address."""
        activity = BotActivity(conversation=told or personal(), **more)
        return self.send(msgspec.json.encode(activity), kid=kid, path=path)

    def send(self, body: bytes, *, kid: str = "", path: str = "") -> TestResponse:
        """Send a body."""
        headers = {"Authorization": f"Bearer {kid or self.kid}"}
        return self.world.http.post(path or self.path, data=body, headers=headers)

    def rows(self) -> list[dict[str, Any]]:
        """The conversations that are kept, by id."""
        return self.world.rows("SELECT * FROM rmm_teams_conversations ORDER BY conversation_id")

    def keys(self) -> dict[str, Any]:
        """What is kept of the vendor's keys."""
        (row,) = self.world.rows("SELECT * FROM rmm_signing_keys")
        return row


def personal(person_id: str = PERSON, **more: Any) -> Conversation:
    """The conversation between the bot and a person."""
    given: dict[str, Any] = {
        "conversation_id": f"a:{person_id}",
        "kind": ConversationKind.PERSONAL,
        "service_url": SERVICE,
        "bot_id": "28:app-1",
        "directory_id": DIRECTORY,
        "person_id": person_id,
        "person_name": "Megan Bowen",
        "seen_at": utc_now(),
    }
    return Conversation(**{**given, **more})


def channel(channel_id: str = CHANNEL, **more: Any) -> Conversation:
    """A channel of a team that the bot was put into."""
    given: dict[str, Any] = {
        "conversation_id": channel_id,
        "kind": ConversationKind.CHANNEL,
        "service_url": SERVICE,
        "bot_id": "28:app-1",
        "directory_id": DIRECTORY,
        "team_id": TEAM,
        "team_name": "Service desk",
        "channel_id": channel_id,
        "channel_name": "Escalations",
        "seen_at": utc_now(),
    }
    return Conversation(**{**given, **more})
