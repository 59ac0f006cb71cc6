"""What the PSA tells its users, in the application and by e-mail."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, String, func, text
from sqlalchemy.orm import Mapped, mapped_column

from reference_psa.db import Id, Model, Ref, TenantId, utcnow


class Notification(Model):
    """A line behind the bell; the same key reaches a user once."""

    __tablename__ = "notifications"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"]),
        Index("uq_notifications_key", "tenant_id", "user_id", "idempotency_key", unique=True),
        Index("ix_notifications_unread", "tenant_id", "user_id", postgresql_where=text("read_at IS NULL")),
    )

    tenant_id: Mapped[TenantId]
    id: Mapped[Id]
    user_id: Mapped[Ref]
    category: Mapped[str] = mapped_column(String(100))
    subtype: Mapped[str] = mapped_column(default="")
    level: Mapped[str] = mapped_column(String(10))
    title: Mapped[str]
    body: Mapped[str] = mapped_column(default="")
    link: Mapped[str | None]
    idempotency_key: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    read_at: Mapped[datetime | None]


class Email(Model):
    """A mail to be sent; written with what caused it, sent after commit by ``flask psa send-mail``.

    One without a user goes to an address that somebody named.
    """

    __tablename__ = "email_outbox"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"]),
        Index("uq_email_outbox_key", "tenant_id", "user_id", "idempotency_key", unique=True),
        Index(
            "uq_email_outbox_address",
            "tenant_id",
            "idempotency_key",
            func.lower(text("recipient")),
            unique=True,
            postgresql_where=text("user_id IS NULL"),
        ),
        Index("ix_email_outbox_unsent", "created_at", postgresql_where=text("sent_at IS NULL")),
    )

    tenant_id: Mapped[TenantId]
    id: Mapped[Id]
    user_id: Mapped[Ref | None]
    recipient: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str]
    body: Mapped[str]
    html: Mapped[str | None]
    idempotency_key: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    sent_at: Mapped[datetime | None]
