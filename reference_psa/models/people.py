"""The MSP's own users, and its clients with their contacts."""

from __future__ import annotations

from datetime import datetime

from flask_login import UserMixin
from sqlalchemy import ForeignKeyConstraint, Index, String, func, text
from sqlalchemy.orm import Mapped, mapped_column

from reference_psa.db import Id, Model, Ref, TenantId, utcnow


class User(UserMixin, Model):
    """A person who works for the tenant; the e-mail address signs in and is unique across tenants.

    ``calendar_hash`` is the SHA-256 of the secret in the address of the person's calendar.
    """

    __tablename__ = "users"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        Index("uq_users_email", func.lower(text("email")), unique=True),
        Index("uq_users_calendar_hash", "calendar_hash", unique=True),
    )

    tenant_id: Mapped[TenantId]
    id: Mapped[Id]
    email: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(255))
    password_hash: Mapped[str]
    role: Mapped[str] = mapped_column(String(20))
    is_enabled: Mapped[bool] = mapped_column(default=True)
    email_notifications: Mapped[bool] = mapped_column(default=True)
    email_level: Mapped[str] = mapped_column(String(10), default="warning")
    muted_subtypes: Mapped[list[str]] = mapped_column(default=list)
    calendar_hash: Mapped[str | None] = mapped_column(String(64))

    @property
    def is_active(self) -> bool:
        """Whether the person may sign in."""
        return self.is_enabled

    def get_id(self) -> str:
        """What the session cookie keeps: the whole key, so that loading never crosses tenants."""
        return f"{self.tenant_id}/{self.id}"


class Client(Model):
    """A company the tenant looks after."""

    __tablename__ = "clients"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        Index("uq_clients_tenant_id_name", "tenant_id", func.lower(text("name")), unique=True),
    )

    tenant_id: Mapped[TenantId]
    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(255))
    website: Mapped[str | None] = mapped_column(String(255))
    phone: Mapped[str | None] = mapped_column(String(50))
    primary_contact_id: Mapped[Ref | None]
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Contact(Model):
    """A person at a client."""

    __tablename__ = "contacts"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "client_id"], ["clients.tenant_id", "clients.id"]),
        Index(None, "tenant_id", "client_id"),
    )

    tenant_id: Mapped[TenantId]
    id: Mapped[Id]
    client_id: Mapped[Ref]
    name: Mapped[str] = mapped_column(String(255))
    email: Mapped[str | None] = mapped_column(String(255))
    phone: Mapped[str | None] = mapped_column(String(50))
    is_active: Mapped[bool] = mapped_column(default=True)
