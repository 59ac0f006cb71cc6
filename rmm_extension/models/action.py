"""Actions on devices: what was asked of a vendor, by whom, and what came of it; the scripts it can run."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, TenantRow, utc_now


class ActionInvocation(TenantRow, Base):
    """One wish that the vendor does something.

    ``state``: queued, running, succeeded, failed, cancelled, requested (handed over, and nobody will say how
    it ended) or unknown (the worker ended while the vendor was asked). ``idempotency_key`` identifies the
    wish: the same one again is the first one. ``ticket_id`` is the ticket it was asked from, which gets a
    note; ``workflow_run_id`` the run of a workflow that is told how it ended. ``input`` is what pages show:
    without secrets. What was really given is ``sealed_input``, encrypted with the key ``sealed_key``, and
    only until it is over. ``message`` says in a sentence what came of it.
    """

    __tablename__ = "rmm_action_invocations"
    __table_args__ = (
        Index(
            "uq_rmm_action_invocations_key",
            "tenant_id",
            "idempotency_key",
            unique=True,
            postgresql_where=text("idempotency_key IS NOT NULL"),
        ),
        Index("ix_rmm_action_invocations_time", "tenant_id", text("created_at DESC"), text("id DESC")),
        Index(
            "ix_rmm_action_invocations_device",
            "tenant_id",
            "device_id",
            text("created_at DESC"),
            postgresql_where=text("device_id IS NOT NULL"),
        ),
        Index(
            "ix_rmm_action_invocations_ticket",
            "tenant_id",
            "ticket_id",
            text("created_at DESC"),
            postgresql_where=text("ticket_id IS NOT NULL"),
        ),
        # How many of a connection are under way for workflows.
        Index(
            "ix_rmm_action_invocations_workflow",
            "tenant_id",
            "integration_id",
            postgresql_where=text("workflow_run_id IS NOT NULL AND state IN ('queued', 'running')"),
        ),
        ForeignKeyConstraint(
            ["tenant_id", "integration_id"],
            ["rmm_integrations.tenant_id", "rmm_integrations.id"],
            ondelete="CASCADE",
        ),
    )

    integration_id: Mapped[UUID]
    device_id: Mapped[UUID | None]
    ticket_id: Mapped[str | None]
    workflow_run_id: Mapped[UUID | None]
    run_id: Mapped[UUID | None]
    idempotency_key: Mapped[str | None]
    action: Mapped[str]
    action_version: Mapped[int] = mapped_column(default=1)
    input: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(default="queued")
    sealed_input: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed_key: Mapped[str | None]
    output: Mapped[dict[str, Any] | None]
    error_code: Mapped[str | None]
    message: Mapped[str | None]
    actor_id: Mapped[str]
    actor_name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class ScriptRow(TenantRow, Base):
    """A script of a connection's library, as it was last listed; no ``platforms`` means all of them."""

    __tablename__ = "rmm_scripts"
    __table_args__ = (
        UniqueConstraint("tenant_id", "integration_id", "external_id"),
        ForeignKeyConstraint(
            ["tenant_id", "integration_id"],
            ["rmm_integrations.tenant_id", "rmm_integrations.id"],
            ondelete="CASCADE",
        ),
    )

    integration_id: Mapped[UUID]
    external_id: Mapped[str]
    name: Mapped[str]
    description: Mapped[str]
    category: Mapped[str]
    shell: Mapped[str]
    platforms: Mapped[list[str]] = mapped_column(ARRAY(Text()), default=list)
    default_timeout: Mapped[int | None]
    run_as_user: Mapped[bool]
    favorite: Mapped[bool]
