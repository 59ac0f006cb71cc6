"""Boards, the statuses on them, priorities and categories."""

from __future__ import annotations

from sqlalchemy import ForeignKeyConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from reference_psa.db import Id, Model, Ref, TenantId


class Board(Model):
    """A queue of tickets; one per tenant is the default."""

    __tablename__ = "boards"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        Index("uq_boards_default", "tenant_id", unique=True, postgresql_where=text("is_default")),
    )

    tenant_id: Mapped[TenantId]
    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(100))
    is_default: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int] = mapped_column(default=0)


class Status(Model):
    """A state a ticket can have on its board; the default one is a new ticket's."""

    __tablename__ = "ticket_statuses"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "board_id"], ["boards.tenant_id", "boards.id"]),
        Index(
            "uq_ticket_statuses_default",
            "tenant_id",
            "board_id",
            unique=True,
            postgresql_where=text("is_default"),
        ),
        Index(None, "tenant_id", "board_id", "position"),
    )

    tenant_id: Mapped[TenantId]
    id: Mapped[Id]
    board_id: Mapped[Ref]
    name: Mapped[str] = mapped_column(String(100))
    is_closed: Mapped[bool] = mapped_column(default=False)
    is_default: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(default=0)


class Priority(Model):
    """How urgent a ticket is; the lowest position is the most urgent."""

    __tablename__ = "priorities"
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),)

    tenant_id: Mapped[TenantId]
    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(50))
    position: Mapped[int] = mapped_column(default=0)


class Category(Model):
    """What a ticket is about; one with a parent is a subcategory of that."""

    __tablename__ = "categories"
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),)

    tenant_id: Mapped[TenantId]
    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(100))
    parent_id: Mapped[Ref | None]
    position: Mapped[int] = mapped_column(default=0)
