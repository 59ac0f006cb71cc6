"""What pages show of a chat service's bot: where it is, and who is linked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import HostCapabilityMissing
from rmm_extension.domain.messaging import ConversationKind
from rmm_extension.host import User
from rmm_extension.models import SigningKeys, TeamsConversation, TeamsUserLink, utc_now
from rmm_extension.services.context import Rmm
from rmm_extension.services.messaging import conversations, links

SHOWN = 200


@dataclass(frozen=True, slots=True)
class Standing:
    """The living conversations by kind, when one was heard of last, and how many users are linked."""

    people: int = 0
    channels: int = 0
    linked: int = 0
    heard_at: datetime | None = None

    @property
    def is_installed(self) -> bool:
        """Whether anybody can be reached."""
        return self.people + self.channels > 0


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the host with the account that is theirs, if one is linked, and the code that waits."""

    user: User
    account: str | None
    linked_by: str
    linked_at: datetime | None
    code_until: datetime | None
    is_reachable: bool


def standing(session: Session, tenant_id: str, integration_id: UUID) -> Standing:
    """The numbers of one connection."""
    personal = TeamsConversation.kind == ConversationKind.PERSONAL
    people, channels, heard_at = session.execute(
        select(
            func.count().filter(personal), func.count().filter(~personal), func.max(TeamsConversation.seen_at)
        ).where(
            TeamsConversation.tenant_id == tenant_id,
            TeamsConversation.integration_id == integration_id,
            TeamsConversation.dead_at.is_(None),
        )
    ).one()
    linked = session.scalar(
        select(func.count()).where(
            TeamsUserLink.tenant_id == tenant_id,
            TeamsUserLink.integration_id == integration_id,
            TeamsUserLink.person_id.is_not(None),
        )
    )
    return Standing(people, channels, linked or 0, heard_at)


def places(session: Session, tenant_id: str, integration_id: UUID) -> Sequence[TeamsConversation]:
    """Where the bot was put, those heard of last first, at most :data:`SHOWN` and one more."""
    return conversations.all_of(session, tenant_id, integration_id, SHOWN + 1)


def keys_of(session: Session, tenant_id: str, integration_id: UUID) -> SigningKeys | None:
    """What is kept of the vendor's keys."""
    return session.scalar(
        select(SigningKeys).where(
            SigningKeys.tenant_id == tenant_id, SigningKeys.integration_id == integration_id
        )
    )


def people(rmm: Rmm, session: Session, tenant_id: str, integration_id: UUID) -> Sequence[Person]:
    """Every active user, by name, then those that are linked and no longer active.

    Raises ``HostCapabilityMissing`` where the host has no users to link.
    """
    if rmm.host.users is None:
        raise HostCapabilityMissing("Users cannot be linked: the host mounted the extension without users.")
    linked = {one.user_id: one for one in links.all_of(session, tenant_id, integration_id)}
    active = rmm.host.users.active(session, tenant_id)
    gone = linked.keys() - {user.id for user in active}
    former = rmm.host.users.get_many(session, tenant_id, gone) if gone else {}
    others = [former.get(user_id) or User(user_id, "A user who is gone", is_active=False) for user_id in gone]
    reachable = _reachable(session, tenant_id, integration_id)
    users = [*active, *sorted(others, key=lambda one: (one.name, one.id))]
    return [_person(user, linked.get(user.id), reachable) for user in users]


def _person(user: User, row: TeamsUserLink | None, reachable: set[str | None]) -> Person:
    if row is None:
        return Person(user, None, "", None, None, is_reachable=False)
    waits = row.code_until is not None and row.code_until > utc_now()
    account = (row.person_name or row.person_id) if row.person_id else None
    return Person(
        user,
        account,
        row.linked_by,
        row.linked_at,
        row.code_until if waits else None,
        is_reachable=bool(row.person_id) and row.person_id in reachable,
    )


def _reachable(session: Session, tenant_id: str, integration_id: UUID) -> set[str | None]:
    """The accounts with a living personal conversation."""
    return set(
        session.scalars(
            select(TeamsConversation.person_id).where(
                TeamsConversation.tenant_id == tenant_id,
                TeamsConversation.integration_id == integration_id,
                TeamsConversation.kind == ConversationKind.PERSONAL,
                TeamsConversation.dead_at.is_(None),
            )
        )
    )
