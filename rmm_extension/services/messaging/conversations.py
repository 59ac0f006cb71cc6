"""The conversations the bot is in: kept from what the vendor tells, dead when it says they are gone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from rmm_extension.domain.messaging import Conversation, ConversationKind
from rmm_extension.models import TeamsConversation, new_id, utc_now
from rmm_extension.services.lease import PLAIN

_NAMED = ("person_name", "team_group_id", "team_name", "channel_name")
"""Names that not every message tells: one that does not leaves them as they are."""
_TOLD = ("kind", "service_url", "bot_id", "directory_id", "person_id", "team_id", "channel_id")
_REASON = 500


def keep(session: Session, tenant_id: str, integration_id: UUID, told: Conversation) -> None:
    """Note a conversation that was heard of: it lives, and its service URL is the one to use now.

    What was told before something that is known already, or before it died, changes nothing.
    """
    now = utc_now()
    values: dict[str, Any] = {name: getattr(told, name) for name in (*_TOLD, *_NAMED)}
    fresh = {**values, "kind": told.kind.value, "seen_at": _told_at(told)}
    known = {
        "tenant_id": tenant_id,
        "integration_id": integration_id,
        "conversation_id": told.conversation_id,
    }
    statement = insert(TeamsConversation).values(**known, **fresh, id=new_id(), installed_at=now)
    changed: dict[str, Any] = {name: statement.excluded[name] for name in fresh if name not in _NAMED}
    for name in _NAMED:
        changed[name] = func.coalesce(statement.excluded[name], getattr(TeamsConversation, name))
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "integration_id", "conversation_id"],
            set_={**changed, "dead_at": None, "dead_reason": None},
            where=and_(
                TeamsConversation.seen_at <= statement.excluded.seen_at,
                func.coalesce(TeamsConversation.dead_at < statement.excluded.seen_at, true()),
            ),
        ),
        execution_options=PLAIN,
    )


def forget(session: Session, tenant_id: str, integration_id: UUID, told: Conversation) -> None:
    """The bot was taken out: this conversation is dropped, and with a team all of the team's.

    One that was heard of later stays: the bot was put there anew.
    """
    gone = TeamsConversation.conversation_id == told.conversation_id
    if told.kind is ConversationKind.CHANNEL and told.team_id:
        gone = or_(gone, TeamsConversation.team_id == told.team_id)
    session.execute(
        delete(TeamsConversation).where(
            *_of(tenant_id, integration_id), gone, TeamsConversation.seen_at <= _told_at(told)
        ),
        execution_options=PLAIN,
    )


def mark_dead(
    session: Session, tenant_id: str, integration_id: UUID, place: Conversation, reason: str
) -> None:
    """The vendor says that it is gone; it is not used before the bot is heard of there again.

    One that was heard of since ``place`` was read lives: the vendor tells but once that its bot is back.
    """
    session.execute(
        update(TeamsConversation)
        .where(
            *_of(tenant_id, integration_id),
            TeamsConversation.conversation_id == place.conversation_id,
            TeamsConversation.seen_at <= _told_at(place),
        )
        .values(dead_at=func.now(), dead_reason=reason.replace("\x00", "")[:_REASON]),
        execution_options=PLAIN,
    )


def personal(
    session: Session, tenant_id: str, integration_id: UUID, person_id: str
) -> TeamsConversation | None:
    """The newest living conversation with this person."""
    statement = _living(tenant_id, integration_id).where(
        TeamsConversation.kind == ConversationKind.PERSONAL, TeamsConversation.person_id == person_id
    )
    return session.scalars(statement.limit(1)).first()


def of_channel(
    session: Session, tenant_id: str, integration_id: UUID, channel_id: str
) -> TeamsConversation | None:
    """A living conversation in that channel; else one of the team that has this id, as a team is named by
    its first channel."""
    statement = _living(tenant_id, integration_id).where(
        TeamsConversation.kind == ConversationKind.CHANNEL,
        or_(
            TeamsConversation.channel_id == channel_id,
            TeamsConversation.conversation_id == channel_id,
            TeamsConversation.team_id == channel_id,
        ),
    )
    exact = (func.coalesce(TeamsConversation.channel_id, "") == channel_id).desc()
    newest = TeamsConversation.seen_at.desc()
    return session.scalars(statement.order_by(None).order_by(exact, newest).limit(1)).first()


def newest(session: Session, tenant_id: str, integration_id: UUID) -> TeamsConversation | None:
    """The living conversation that was heard of last."""
    return session.scalars(_living(tenant_id, integration_id).limit(1)).first()


def all_of(session: Session, tenant_id: str, integration_id: UUID, limit: int) -> Sequence[TeamsConversation]:
    """The connection's conversations, dead ones too, those heard of last first."""
    statement = select(TeamsConversation).where(*_of(tenant_id, integration_id))
    order = (TeamsConversation.seen_at.desc(), TeamsConversation.id.desc())
    return session.scalars(statement.order_by(*order).limit(limit)).all()


def as_told(row: TeamsConversation) -> Conversation:
    """The row as providers see it."""
    return Conversation(
        conversation_id=row.conversation_id,
        kind=ConversationKind(row.kind),
        seen_at=row.seen_at,
        **{name: getattr(row, name) for name in (*_TOLD[1:], *_NAMED)},
    )


def _told_at(told: Conversation) -> datetime:
    """By the vendor's clock, which may not be ahead of ours: nothing would be later then."""
    now = utc_now()
    return min(told.seen_at or now, now)


def _living(tenant_id: str, integration_id: UUID) -> Select[TeamsConversation]:
    statement = select(TeamsConversation).where(
        *_of(tenant_id, integration_id), TeamsConversation.dead_at.is_(None)
    )
    return statement.order_by(TeamsConversation.seen_at.desc(), TeamsConversation.id.desc())


def _of(tenant_id: str, integration_id: UUID) -> list[ColumnElement[bool]]:
    return [TeamsConversation.tenant_id == tenant_id, TeamsConversation.integration_id == integration_id]
