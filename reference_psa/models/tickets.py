"""Tickets and everything that hangs on them.

What hangs on a ticket has no foreign key to it. PostgreSQL plans such a check once per connection; planned
while the table is small, it reads the whole table for every row, and a new installation's first busy day gets
slower with each ticket. These rows are only written by statements that read their ticket.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from reference_psa.db import Id, Model, Ref, TenantId, utcnow


class Ticket(Model):
    """A piece of work. It is open as long as ``closed_at`` is empty.

    ``closed_at`` stands on the row itself, not only in the status, so that a statement which waited for the
    row's lock judges the newest state.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "client_id"], ["clients.tenant_id", "clients.id"]),
        ForeignKeyConstraint(["tenant_id", "board_id"], ["boards.tenant_id", "boards.id"]),
        ForeignKeyConstraint(["tenant_id", "status_id"], ["ticket_statuses.tenant_id", "ticket_statuses.id"]),
        Index("uq_tickets_number", "tenant_id", "number", unique=True),
        Index("uq_tickets_idempotency_key", "idempotency_key", "tenant_id", unique=True),
        Index(None, "tenant_id", "client_id"),
        Index("ix_tickets_open", "tenant_id", "opened_at", postgresql_where=text("closed_at IS NULL")),
        {"postgresql_with": {"fillfactor": 85}},
    )

    tenant_id: Mapped[TenantId]
    id: Mapped[Id]
    number: Mapped[int]
    title: Mapped[str] = mapped_column(String(500))
    description: Mapped[str] = mapped_column(default="")
    client_id: Mapped[Ref]
    contact_id: Mapped[Ref | None]
    board_id: Mapped[Ref]
    status_id: Mapped[Ref]
    priority_id: Mapped[Ref | None]
    category_id: Mapped[Ref | None]
    subcategory_id: Mapped[Ref | None]
    assignee_id: Mapped[Ref | None]
    source: Mapped[str] = mapped_column(String(50), default="manual")
    source_reference: Mapped[str | None]
    idempotency_key: Mapped[str | None]
    created_by: Mapped[Ref | None]
    opened_at: Mapped[datetime] = mapped_column(default=utcnow)
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[Ref | None]

    @property
    def label(self) -> str:
        """The number as people say it."""
        return f"T-{self.number}"

    @property
    def is_open(self) -> bool:
        """Whether work is still to be done."""
        return self.closed_at is None


class StatusChange(Model):
    """One change of a ticket's status; ``user_id`` is empty when the system made it."""

    __tablename__ = "ticket_status_changes"
    __table_args__ = (Index(None, "tenant_id", "ticket_id"),)

    tenant_id: Mapped[TenantId]
    id: Mapped[Id]
    ticket_id: Mapped[Ref]
    from_status: Mapped[str]
    to_status: Mapped[str]
    user_id: Mapped[Ref | None]
    at: Mapped[datetime] = mapped_column(default=utcnow)


class Comment(Model):
    """A note for colleagues, or an answer the contact sees; ``user_id`` is empty for the system's notes."""

    __tablename__ = "comments"
    __table_args__ = (Index(None, "tenant_id", "ticket_id"),)

    tenant_id: Mapped[TenantId]
    id: Mapped[Id]
    ticket_id: Mapped[Ref]
    user_id: Mapped[Ref | None]
    body: Mapped[str]
    is_internal: Mapped[bool] = mapped_column(default=True)
    is_system_generated: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime] = mapped_column(default=utcnow)


class TimeEntry(Model):
    """Work booked on a ticket."""

    __tablename__ = "time_entries"
    __table_args__ = (Index(None, "tenant_id", "ticket_id"),)

    tenant_id: Mapped[TenantId]
    id: Mapped[Id]
    ticket_id: Mapped[Ref]
    user_id: Mapped[Ref]
    minutes: Mapped[int]
    note: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=utcnow)


class TicketAsset(Model):
    """Which assets a ticket is about."""

    __tablename__ = "ticket_assets"
    __table_args__ = (Index(None, "tenant_id", "asset_id"),)

    tenant_id: Mapped[TenantId]
    ticket_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    asset_id: Mapped[str] = mapped_column(String(36), primary_key=True)
