"""The dispatch board."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from reference_psa.db import Id, Model, Ref, TenantId, utcnow

SCHEDULED, CANCELLED = "scheduled", "cancelled"


class ScheduleEntry(Model):
    """Time for which technicians are booked, with or without a ticket.

    One that was called off stays, so that calendars which have it learn so: ``sequence`` counts its changes.
    """

    __tablename__ = "schedule_entries"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="order"),
        Index(None, "tenant_id", "starts_at"),
        Index("uq_schedule_entries_idempotency_key", "tenant_id", "idempotency_key", unique=True),
    )

    tenant_id: Mapped[TenantId]
    id: Mapped[Id]
    ticket_id: Mapped[Ref | None]
    title: Mapped[str] = mapped_column(String(255))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(20), default=SCHEDULED)
    notes: Mapped[str | None]
    idempotency_key: Mapped[str | None]
    created_by: Mapped[Ref | None]
    changed_at: Mapped[datetime] = mapped_column(default=utcnow)
    sequence: Mapped[int] = mapped_column(default=0)


class ScheduledUser(Model):
    """Who an entry is for."""

    __tablename__ = "schedule_entry_users"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "entry_id"], ["schedule_entries.tenant_id", "schedule_entries.id"]
        ),
        ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"]),
        Index(None, "tenant_id", "user_id"),
    )

    tenant_id: Mapped[TenantId]
    entry_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(36), primary_key=True)


class ScheduleConflict(Model):
    """Somebody was booked although they had ``other_id`` then, and whoever booked knew."""

    __tablename__ = "schedule_conflicts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "entry_id"], ["schedule_entries.tenant_id", "schedule_entries.id"]
        ),
        ForeignKeyConstraint(
            ["tenant_id", "other_id"], ["schedule_entries.tenant_id", "schedule_entries.id"]
        ),
    )

    tenant_id: Mapped[TenantId]
    entry_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    other_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), default="overlap")
