"""The dispatch board."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from reference_psa.db import Id, Model, Ref, TenantId


class ScheduleEntry(Model):
    """Time a technician is booked, with or without a ticket."""

    __tablename__ = "schedule_entries"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"]),
        CheckConstraint("ends_at > starts_at", name="order"),
        Index(None, "tenant_id", "user_id", "starts_at"),
        Index(None, "tenant_id", "starts_at"),
    )

    tenant_id: Mapped[TenantId]
    id: Mapped[Id]
    user_id: Mapped[Ref]
    ticket_id: Mapped[Ref | None]
    title: Mapped[str] = mapped_column(String(255))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
