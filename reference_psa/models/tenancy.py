"""Tenants, what they booked, and the counter of their ticket numbers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from reference_psa.db import Model, utcnow

EDITIONS = ("community", "enterprise")
FIRST_NUMBER = 1000


class Tenant(Model):
    """One managed-service provider that uses this PSA.

    ``email_enabled`` and ``muted_subtypes`` decide what is mailed to its users at all.
    """

    __tablename__ = "tenants"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    edition: Mapped[str] = mapped_column(String(20), default="community")
    is_active: Mapped[bool] = mapped_column(default=True)
    email_enabled: Mapped[bool] = mapped_column(default=True)
    muted_subtypes: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class TicketCounter(Model):
    """The number of the tenant's newest ticket: a row, so that numbers have no gaps."""

    __tablename__ = "ticket_counters"
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    tenant_id: Mapped[str] = mapped_column(String(36), ForeignKey("tenants.id"), primary_key=True)
    last_number: Mapped[int] = mapped_column(default=FIRST_NUMBER)


class AddOn(Model):
    """Something a tenant booked beside its edition."""

    __tablename__ = "addons"

    tenant_id: Mapped[str] = mapped_column(String(36), ForeignKey("tenants.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(50), primary_key=True)
    expires_at: Mapped[datetime | None]
