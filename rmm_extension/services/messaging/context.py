"""What a chat service's actions may ask of our side."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.messaging import Conversation, LinkedPerson
from rmm_extension.models import TeamsConversation
from rmm_extension.services.context import Rmm
from rmm_extension.services.unit import unit

from . import conversations, links


class Messaging:
    """One connection's people and conversations. Each look is a short transaction of its own."""

    def __init__(self, rmm: Rmm, tenant_id: str, integration_id: UUID) -> None:
        self._rmm, self._tenant_id, self._integration_id = rmm, tenant_id, integration_id

    def person(self, user_id: str) -> LinkedPerson | None:
        """The account linked with a user of the host, as long as the user is active there."""
        with unit(self._rmm) as session:
            found = links.of_user(session, self._tenant_id, self._integration_id, user_id)
            if found is None or found.person_id is None:
                return None
            if not links.is_active(self._rmm, session, self._tenant_id, user_id):
                return None
            return LinkedPerson(user_id=user_id, person_id=found.person_id)

    def personal_conversation(self, person_id: str) -> Conversation | None:
        """The newest living conversation between the bot and the person."""
        return self._one(
            lambda opened: conversations.personal(opened, self._tenant_id, self._integration_id, person_id)
        )

    def channel(self, channel_id: str) -> Conversation | None:
        """A living conversation in that channel or its team, if the bot was put there."""
        return self._one(
            lambda opened: conversations.of_channel(opened, self._tenant_id, self._integration_id, channel_id)
        )

    def newest(self) -> Conversation | None:
        """The conversation heard of last, living: its service URL is the newest known."""
        return self._one(lambda opened: conversations.newest(opened, self._tenant_id, self._integration_id))

    def is_dead(self, place: Conversation, reason: str) -> None:
        """The vendor says that the conversation is gone: it is not used before the bot is heard of there."""
        with unit(self._rmm) as session:
            conversations.mark_dead(session, self._tenant_id, self._integration_id, place, reason)

    def link(self, path: str) -> str:
        """The public address of a page of the host; the path where it is not known."""
        return f"{self._rmm.settings.public_url or ''}{path}"

    def _one(self, look: Callable[[Session], TeamsConversation | None]) -> Conversation | None:
        with unit(self._rmm) as session:
            found = look(session)
            return conversations.as_told(found) if found else None
