"""A chat service's bot: where it was put, which user is whom there, and the keys its vendor signs with."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, TenantRow, Timestamps, utc_now


class TeamsConversation(TenantRow, Base):
    """A conversation the bot is in. ``dead_at``: the vendor said that it is gone.

    ``person_id`` is the object id of the person in the vendor's directory ``directory_id``.
    """

    __tablename__ = "rmm_teams_conversations"
    __table_args__ = (
        UniqueConstraint("tenant_id", "integration_id", "conversation_id"),
        Index(None, "tenant_id", "integration_id", "seen_at"),
        Index(None, "tenant_id", "integration_id", "person_id"),
        ForeignKeyConstraint(
            ["tenant_id", "integration_id"],
            ["rmm_integrations.tenant_id", "rmm_integrations.id"],
            ondelete="CASCADE",
        ),
    )

    integration_id: Mapped[UUID]
    conversation_id: Mapped[str]
    kind: Mapped[str]
    service_url: Mapped[str]
    bot_id: Mapped[str]
    directory_id: Mapped[str]
    person_id: Mapped[str | None]
    person_name: Mapped[str | None]
    team_id: Mapped[str | None]
    team_group_id: Mapped[str | None]
    team_name: Mapped[str | None]
    channel_id: Mapped[str | None]
    channel_name: Mapped[str | None]
    installed_at: Mapped[datetime] = mapped_column(default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    dead_at: Mapped[datetime | None]
    dead_reason: Mapped[str | None]


class TeamsUserLink(TenantRow, Timestamps, Base):
    """A user of the host and their account; ``person_id`` is empty while only a code was given out.

    ``code_hash`` is the hash of a one-time code that the user sends to the bot before ``code_until``.
    """

    __tablename__ = "rmm_teams_user_links"
    __table_args__ = (
        UniqueConstraint("tenant_id", "integration_id", "user_id"),
        Index(
            "uq_rmm_teams_user_links_person",
            "tenant_id",
            "integration_id",
            "person_id",
            unique=True,
            postgresql_where=text("person_id IS NOT NULL"),
        ),
        Index(
            "uq_rmm_teams_user_links_code",
            "tenant_id",
            "integration_id",
            "code_hash",
            unique=True,
            postgresql_where=text("code_hash IS NOT NULL"),
        ),
        ForeignKeyConstraint(
            ["tenant_id", "integration_id"],
            ["rmm_integrations.tenant_id", "rmm_integrations.id"],
            ondelete="CASCADE",
        ),
    )

    integration_id: Mapped[UUID]
    user_id: Mapped[str]
    person_id: Mapped[str | None]
    person_name: Mapped[str | None]
    linked_by: Mapped[str] = mapped_column(default="")
    linked_at: Mapped[datetime | None]
    code_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    code_until: Mapped[datetime | None]


class SigningKeys(TenantRow, Base):
    """The public keys that the vendor of a connection signs its messages with, as last fetched.

    ``wanted_at`` is when they were asked for last; none were fetched yet where ``fetched_at`` is empty.
    """

    __tablename__ = "rmm_signing_keys"
    __table_args__ = (
        UniqueConstraint("tenant_id", "integration_id"),
        ForeignKeyConstraint(
            ["tenant_id", "integration_id"],
            ["rmm_integrations.tenant_id", "rmm_integrations.id"],
            ondelete="CASCADE",
        ),
    )

    integration_id: Mapped[UUID]
    keys: Mapped[list[Any]] = mapped_column(default=list)
    fetched_at: Mapped[datetime | None]
    wanted_at: Mapped[datetime | None]
