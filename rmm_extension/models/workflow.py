"""Workflows: what they are, their published versions, their runs, and each step of a run."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, TenantRow, Timestamps, utc_now

UNFINISHED_RUNS_SQL = "state IN ('queued', 'running', 'waiting', 'unknown')"


class Workflow(TenantRow, Timestamps, Base):
    """One workflow: the ``draft`` as it is being edited, and what is published of it.

    ``revision`` moves with every change of the draft, so that of two people who save at once one is told.
    ``state``: draft, published or paused. ``trigger`` is the event of the published version, by which events
    find it. ``publisher_id`` is whose rights its triggered runs have.
    """

    __tablename__ = "rmm_workflows"
    __table_args__ = (
        Index(
            "ix_rmm_workflows_trigger",
            "tenant_id",
            "trigger",
            postgresql_where=text("state = 'published'"),
        ),
        Index("ix_rmm_workflows_name", "tenant_id", text("lower(name)"), "id"),
    )

    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="draft")
    draft: Mapped[dict[str, Any]] = mapped_column(default=dict)
    revision: Mapped[int] = mapped_column(default=1)
    recipe: Mapped[str | None]
    trigger: Mapped[str | None]
    published_version: Mapped[int | None]
    published_revision: Mapped[int | None]
    published_at: Mapped[datetime | None]
    publisher_id: Mapped[str | None]
    publisher_name: Mapped[str | None]
    created_by: Mapped[str] = mapped_column(default="")
    updated_by: Mapped[str] = mapped_column(default="")


class WorkflowVersion(TenantRow, Base):
    """What a run does: a document that never changes. A test of a draft makes one with number 0."""

    __tablename__ = "rmm_workflow_versions"
    __table_args__ = (
        Index(
            "uq_rmm_workflow_versions_number",
            "tenant_id",
            "workflow_id",
            "number",
            unique=True,
            postgresql_where=text("number > 0"),
        ),
        ForeignKeyConstraint(
            ["tenant_id", "workflow_id"],
            ["rmm_workflows.tenant_id", "rmm_workflows.id"],
            ondelete="CASCADE",
        ),
    )

    workflow_id: Mapped[UUID]
    number: Mapped[int]
    document: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    created_by: Mapped[str] = mapped_column(default="")


class WorkflowRun(TenantRow, Base):
    """One run of a version.

    ``source``: event, manual or test; ``simulated``: steps that change something are only worked out.
    ``event_key`` is what may start a workflow only once (the event's row, a form's key); ``guard_key`` what
    the run is about (an alert's condition, a device, a ticket), by which loops are seen. ``context`` is what
    expressions see beside earlier steps. ``position`` is the step that is next. The ids are those of what it
    is about, for the pages of these.
    """

    __tablename__ = "rmm_workflow_runs"
    __table_args__ = (
        UniqueConstraint("tenant_id", "workflow_id", "event_key"),
        Index("ix_rmm_workflow_runs_time", "tenant_id", text("queued_at DESC"), text("id DESC")),
        Index(
            "ix_rmm_workflow_runs_workflow",
            "tenant_id",
            "workflow_id",
            text("queued_at DESC"),
            text("id DESC"),
        ),
        Index("ix_rmm_workflow_runs_guard", "tenant_id", "workflow_id", "guard_key", text("queued_at DESC")),
        Index(
            "ix_rmm_workflow_runs_unfinished",
            "tenant_id",
            "state",
            "queued_at",
            "id",
            postgresql_where=text(UNFINISHED_RUNS_SQL),
        ),
        Index(
            "ix_rmm_workflow_runs_alert",
            "tenant_id",
            "alert_id",
            text("queued_at DESC"),
            postgresql_where=text("alert_id IS NOT NULL"),
        ),
        Index(
            "ix_rmm_workflow_runs_ticket",
            "tenant_id",
            "ticket_id",
            text("queued_at DESC"),
            postgresql_where=text("ticket_id IS NOT NULL"),
        ),
        Index(
            "ix_rmm_workflow_runs_asset",
            "tenant_id",
            "asset_id",
            text("queued_at DESC"),
            postgresql_where=text("asset_id IS NOT NULL"),
        ),
        Index(
            "ix_rmm_workflow_runs_device",
            "tenant_id",
            "device_id",
            text("queued_at DESC"),
            postgresql_where=text("device_id IS NOT NULL"),
        ),
        ForeignKeyConstraint(
            ["tenant_id", "workflow_id"],
            ["rmm_workflows.tenant_id", "rmm_workflows.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["tenant_id", "version_id"],
            ["rmm_workflow_versions.tenant_id", "rmm_workflow_versions.id"],
            ondelete="CASCADE",
        ),
    )

    workflow_id: Mapped[UUID]
    version_id: Mapped[UUID]
    source: Mapped[str]
    simulated: Mapped[bool] = mapped_column(default=False)
    event: Mapped[str]
    event_key: Mapped[str]
    guard_key: Mapped[str | None]
    context: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(default="queued")
    position: Mapped[int] = mapped_column(default=0)
    integration_id: Mapped[UUID | None]
    alert_id: Mapped[UUID | None]
    device_id: Mapped[UUID | None]
    ticket_id: Mapped[str | None]
    asset_id: Mapped[str | None]
    actor_id: Mapped[str]
    actor_name: Mapped[str]
    error_code: Mapped[str | None]
    message: Mapped[str | None]
    queued_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class WorkflowInvocation(TenantRow, Base):
    """One step of a run; there is one row for each step and ``attempt`` (a person may have one done again).

    ``input`` is what pages show, without secrets; ``output`` what later steps see. ``invocation_id`` is the
    vendor's action, where it is one.
    """

    __tablename__ = "rmm_workflow_invocations"
    __table_args__ = (
        UniqueConstraint("tenant_id", "run_id", "step_id", "attempt"),
        Index(
            "ix_rmm_workflow_invocations_action",
            "tenant_id",
            "invocation_id",
            postgresql_where=text("invocation_id IS NOT NULL"),
        ),
        ForeignKeyConstraint(
            ["tenant_id", "run_id"],
            ["rmm_workflow_runs.tenant_id", "rmm_workflow_runs.id"],
            ondelete="CASCADE",
        ),
    )

    run_id: Mapped[UUID]
    step_id: Mapped[str]
    position: Mapped[int]
    attempt: Mapped[int] = mapped_column(default=1)
    action: Mapped[str]
    action_version: Mapped[int] = mapped_column(default=1)
    integration_id: Mapped[UUID | None]
    device_id: Mapped[UUID | None]
    invocation_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(default="queued")
    input: Mapped[dict[str, Any]] = mapped_column(default=dict)
    output: Mapped[dict[str, Any] | None]
    error_code: Mapped[str | None]
    message: Mapped[str | None]
    decided_by: Mapped[str | None]
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]
