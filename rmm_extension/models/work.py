"""Work to do and work done: runs, outbox, deliveries that need another look, audit."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, TenantRow, utc_now


class JobRun(TenantRow, Base):
    """One piece of work: what RQ carries is only this row's id.

    ``status``: queued, running, succeeded, failed or cancelled. A worker takes the lease by moving
    ``attempt`` from the value it was handed to the next; it holds it while ``heartbeat_at`` is young.
    ``due_at`` is the earliest time of the next attempt, ``exclusive_key`` what two unfinished runs may not
    share, ``cursor`` what a resumed run continues from.
    """

    __tablename__ = "rmm_job_runs"
    __table_args__ = (
        Index(
            "uq_rmm_job_runs_exclusive",
            "tenant_id",
            "exclusive_key",
            unique=True,
            postgresql_where=text("status IN ('queued', 'running') AND exclusive_key IS NOT NULL"),
        ),
        Index("ix_rmm_job_runs_time", "tenant_id", text("queued_at DESC"), text("id DESC")),
        Index(
            "ix_rmm_job_runs_unfinished",
            "tenant_id",
            "due_at",
            postgresql_where=text("status IN ('queued', 'running')"),
        ),
        Index("ix_rmm_job_runs_integration", "tenant_id", "integration_id", text("queued_at DESC")),
        Index("ix_rmm_job_runs_failed", "tenant_id", "queued_at", postgresql_where=text("status = 'failed'")),
        Index(
            "ix_rmm_job_runs_done",
            "tenant_id",
            "exclusive_key",
            "queued_at",
            postgresql_where=text("status = 'succeeded' AND exclusive_key IS NOT NULL"),
        ),
        # The tick asks every time whether a tenant has been cleaned since last night.
        Index(
            "ix_rmm_job_runs_retention", "tenant_id", "queued_at", postgresql_where=text("kind = 'retention'")
        ),
    )

    kind: Mapped[str]
    queue: Mapped[str]
    integration_id: Mapped[UUID | None]
    subject: Mapped[dict[str, Any]] = mapped_column(default=dict)
    exclusive_key: Mapped[str | None]
    status: Mapped[str] = mapped_column(default="queued")
    attempt: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(default=utc_now)
    enqueued_at: Mapped[datetime | None]
    queued_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    actor_id: Mapped[str | None]
    actor_name: Mapped[str | None]
    doing: Mapped[str | None]
    done_count: Mapped[int] = mapped_column(default=0)
    total_count: Mapped[int | None]
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    cursor: Mapped[dict[str, Any]] = mapped_column(default=dict)
    errors: Mapped[list[Any]] = mapped_column(default=list)
    error_kind: Mapped[str | None]
    error: Mapped[str | None]


class Outbox(TenantRow, Base):
    """Something to tell or to do after the transaction that wrote it; deleted once done."""

    __tablename__ = "rmm_outbox"
    __table_args__ = (
        Index(None, "tenant_id", "due_at", "id"),
        # Events that wait for the text of their alert are looked for with each event of one.
        Index(
            "ix_rmm_outbox_alert_events",
            "tenant_id",
            text("(payload ->> 'alert_id')"),
            postgresql_where=text("topic = 'alert_events'"),
        ),
        {"postgresql_with": {"fillfactor": 70}},
    )

    topic: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    due_at: Mapped[datetime] = mapped_column(default=utc_now)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]


class WebhookDelivery(TenantRow, Base):
    """A delivery that was not simply processed: ``state`` is failed (retried), quarantined or processed.

    ``outcome`` and ``alert_id`` say what a later try made of it. ``duration_ms`` is the time from its arrival
    until it was stored.
    """

    __tablename__ = "rmm_webhook_deliveries"
    __table_args__ = (
        Index(None, "tenant_id", "received_at"),
        Index(None, "tenant_id", "integration_id", "received_at"),
        Index(
            "ix_rmm_webhook_deliveries_due",
            "tenant_id",
            "due_at",
            postgresql_where=text("state = 'failed'"),
        ),
        Index(
            "ix_rmm_webhook_deliveries_alert",
            "tenant_id",
            "alert_id",
            postgresql_where=text("alert_id IS NOT NULL"),
        ),
    )

    integration_id: Mapped[UUID]
    provider: Mapped[str]
    received_at: Mapped[datetime]
    state: Mapped[str]
    reason: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    headers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None]
    processed_at: Mapped[datetime | None]
    duration_ms: Mapped[float | None]
    outcome: Mapped[str | None]
    alert_id: Mapped[UUID | None]
    replayed_by: Mapped[str | None]


class Audit(TenantRow, Base):
    """Who changed which configuration, or acted on which device, and when. Never holds a secret."""

    __tablename__ = "rmm_audit"
    __table_args__ = (
        Index("ix_rmm_audit_time", "tenant_id", text("at DESC"), text("id DESC")),
        Index(
            "ix_rmm_audit_device",
            "tenant_id",
            "subject_id",
            text("at DESC"),
            postgresql_where=text("subject_type = 'device'"),
        ),
    )

    at: Mapped[datetime] = mapped_column(default=utc_now)
    actor_id: Mapped[str]
    actor_name: Mapped[str]
    action: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[str]
    subject_name: Mapped[str] = mapped_column(default="")
    integration_id: Mapped[UUID | None]
    changes: Mapped[dict[str, Any]] = mapped_column(default=dict)
