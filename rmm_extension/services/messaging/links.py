"""Which user of the host is which account at the chat service: linked by an administrator, or by a code that
the user sends to the bot."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import ConfigError, Conflict, HostCapabilityMissing
from rmm_extension.domain.labels import provider_label
from rmm_extension.domain.messaging import Conversation, ConversationKind
from rmm_extension.host import Actor
from rmm_extension.models import Integration, TeamsConversation, TeamsUserLink, utc_now
from rmm_extension.services import audit, connections
from rmm_extension.services.context import Rmm

CODE_LASTS = timedelta(minutes=15)
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Letters and digits that nobody takes for each other."""
_HALF = 5
_CODE = re.compile(rf"\b([{_ALPHABET}]{{{_HALF}}})[- ]?([{_ALPHABET}]{{{_HALF}}})\b")
"""Ten of 32 characters: 50 bits, for a quarter of an hour and for people of the connected directory alone."""
_LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code, in clear this once."""

    text: str
    until: datetime


def of_user(session: Session, tenant_id: str, integration_id: UUID, user_id: str) -> TeamsUserLink | None:
    """The user's link, or the code given out for it."""
    return session.scalar(select(TeamsUserLink).where(*_mine(tenant_id, integration_id, user_id)))


def of_person(session: Session, tenant_id: str, integration_id: UUID, person_id: str) -> TeamsUserLink | None:
    """The link of this account."""
    return session.scalar(
        select(TeamsUserLink).where(*_of(tenant_id, integration_id), TeamsUserLink.person_id == person_id)
    )


def all_of(session: Session, tenant_id: str, integration_id: UUID) -> Sequence[TeamsUserLink]:
    """The connection's links, and the codes that wait."""
    return session.scalars(select(TeamsUserLink).where(*_of(tenant_id, integration_id))).all()


def link(
    rmm: Rmm, session: Session, actor: Actor, integration_id: UUID, user_id: str, person_id: str
) -> TeamsUserLink:
    """Link a user with an account that the bot has met; raises ``Conflict`` where it is another user's."""
    row = connections.get(session, actor.tenant_id, integration_id, lock=True)
    name = name_of(rmm, session, actor.tenant_id, user_id)
    if name is None:
        raise ConfigError("This user does not exist (any more).")
    met = _met(session, row, person_id)
    if met is None:
        where = provider_label(row.provider)
        raise ConfigError(f"The bot has not met this account. Have the person open the app in {where}.")
    other = of_person(session, actor.tenant_id, integration_id, person_id)
    if other is not None and other.user_id != user_id:
        raise Conflict(
            f"{met.person_name or 'This account'} is linked with another user. Unlink that one first."
        )
    return _write(session, actor, row, user_id, name, met)


def unlink(rmm: Rmm, session: Session, actor: Actor, integration_id: UUID, user_id: str) -> str:
    """Forget the user's account and any code; the user's name. ``Conflict`` where there is neither."""
    row = connections.get(session, actor.tenant_id, integration_id, lock=True)
    gone = session.scalar(
        delete(TeamsUserLink)
        .where(*_mine(actor.tenant_id, integration_id, user_id))
        .returning(TeamsUserLink.user_id)
    )
    if gone is None:
        raise Conflict("This user was not linked (any more).")
    name = name_of(rmm, session, actor.tenant_id, user_id) or user_id
    _note(session, actor, row, "messaging.user_unlinked", user_id, name)
    return name


def make_code(session: Session, actor: Actor, integration_id: UUID) -> Code:
    """A code for the actor's own account, in place of an earlier one; only its hash is kept."""
    row = connections.get(session, actor.tenant_id, integration_id, lock=True)
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(2 * _HALF))
    until = utc_now() + CODE_LASTS
    found = of_user(session, actor.tenant_id, integration_id, actor.id) or _new(session, row, actor.id)
    found.code_hash, found.code_until = _hash(letters), until
    return Code(f"{letters[:_HALF]}-{letters[_HALF:]}", until)


def redeem(
    rmm: Rmm, session: Session, row: Integration, told: Conversation, text: str
) -> TeamsUserLink | None:
    """Link whoever wrote a code to the bot with the user who has it; ``None`` where it is no living code.

    Both sides are proven: the user was signed in here for the code, the account wrote it there. So a link
    that the account had before gives way.
    """
    code = code_in(text)
    if code is None or told.kind is not ConversationKind.PERSONAL or not told.person_id:
        return None
    connections.get(session, row.tenant_id, row.id, lock=True)
    found = session.scalar(
        select(TeamsUserLink).where(
            *_of(row.tenant_id, row.id),
            TeamsUserLink.code_hash == _hash(code),
            TeamsUserLink.code_until > utc_now(),
        )
    )
    if found is None:
        return None
    session.execute(
        delete(TeamsUserLink).where(
            *_of(row.tenant_id, row.id),
            TeamsUserLink.person_id == told.person_id,
            TeamsUserLink.id != found.id,
        )
    )
    name = name_of(rmm, session, row.tenant_id, found.user_id) or found.user_id
    actor = Actor(id=found.user_id, name=name, tenant_id=row.tenant_id)
    return _write(session, actor, row, found.user_id, name, Met(told.person_id, told.person_name))


def name_of(rmm: Rmm, session: Session, tenant_id: str, user_id: str) -> str | None:
    """The user's name in the host; ``None`` where there is no such user."""
    if rmm.host.users is None:
        raise HostCapabilityMissing("Users cannot be linked: the host mounted the extension without users.")
    found = rmm.host.users.get_many(session, tenant_id, [user_id]).get(user_id)
    return found.name if found else None


def is_active(rmm: Rmm, session: Session, tenant_id: str, user_id: str) -> bool:
    """Whether the host still lets the user work: who left is told nothing, though the account may live."""
    if rmm.host.users is None:
        return True
    found = rmm.host.users.get_many(session, tenant_id, [user_id]).get(user_id)
    return found is not None and found.is_active


def code_in(text: str) -> str | None:
    """The code that a message to the bot may be, without its hyphen."""
    found = _CODE.search(text.upper()) if len(text) <= _LONGEST_TEXT else None
    return "".join(found.groups()) if found else None


@dataclass(frozen=True, slots=True)
class Met:
    """An account that the bot has met."""

    person_id: str
    person_name: str | None


def people(session: Session, tenant_id: str, integration_id: UUID) -> Sequence[Met]:
    """The accounts that the bot has a personal conversation with, by name."""
    newest = distinct_on(TeamsConversation.person_id)
    statement = (
        select(TeamsConversation.person_id, TeamsConversation.person_name)
        .ext(newest)
        .where(
            TeamsConversation.tenant_id == tenant_id,
            TeamsConversation.integration_id == integration_id,
            TeamsConversation.kind == ConversationKind.PERSONAL,
            TeamsConversation.person_id.is_not(None),
        )
        .order_by(TeamsConversation.person_id, TeamsConversation.seen_at.desc())
    )
    found = [Met(row.person_id, row.person_name) for row in session.execute(statement)]
    return sorted(found, key=lambda one: ((one.person_name or one.person_id).casefold(), one.person_id))


def _met(session: Session, row: Integration, person_id: str) -> Met | None:
    name = session.execute(
        select(TeamsConversation.person_name)
        .where(
            TeamsConversation.tenant_id == row.tenant_id,
            TeamsConversation.integration_id == row.id,
            TeamsConversation.kind == ConversationKind.PERSONAL,
            TeamsConversation.person_id == person_id,
        )
        .order_by(TeamsConversation.seen_at.desc())
        .limit(1)
    ).first()
    return Met(person_id, name.person_name) if name else None


def _write(
    session: Session, actor: Actor, row: Integration, user_id: str, user_name: str, met: Met
) -> TeamsUserLink:
    found = of_user(session, row.tenant_id, row.id, user_id) or _new(session, row, user_id)
    found.person_id, found.person_name = met.person_id, met.person_name
    found.linked_by, found.linked_at = actor.name, utc_now()
    found.code_hash = found.code_until = None
    changes = {"account": met.person_name or met.person_id}
    _note(session, actor, row, "messaging.user_linked", user_id, user_name, changes)
    session.flush()
    return found


def _new(session: Session, row: Integration, user_id: str) -> TeamsUserLink:
    made = TeamsUserLink(tenant_id=row.tenant_id, integration_id=row.id, user_id=user_id)
    session.add(made)
    return made


def _note(
    session: Session,
    actor: Actor,
    row: Integration,
    action: str,
    user_id: str,
    user_name: str,
    changes: dict[str, str] | None = None,
) -> None:
    audit.record(
        session,
        actor,
        action,
        subject_type="user",
        subject_id=user_id,
        subject_name=user_name,
        integration_id=row.id,
        changes=dict(changes) if changes else None,
    )


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


def _mine(tenant_id: str, integration_id: UUID, user_id: str) -> list[ColumnElement[bool]]:
    return [*_of(tenant_id, integration_id), TeamsUserLink.user_id == user_id]


def _of(tenant_id: str, integration_id: UUID) -> list[ColumnElement[bool]]:
    return [TeamsUserLink.tenant_id == tenant_id, TeamsUserLink.integration_id == integration_id]
