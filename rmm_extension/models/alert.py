"""Alerts, the conditions they share, and the history of every decision."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, TenantRow, Timestamps

OPEN_SQL = "status IN ('active', 'acknowledged', 'suppressed')"
"""The open states as the partial indexes spell them: queries must repeat it to use these."""

SYNTHESIZED_SQL = f"synthesized AND {OPEN_SQL}"
"""Open alerts under an id of ours: few, and each real alert asks for its own."""

WINDOW_SQL = f"suppressed_by_window_id IS NOT NULL AND {OPEN_SQL}"
"""Open alerts that a maintenance window keeps from being decided, acknowledged ones included."""
ASSETLESS_SQL = f"asset_id IS NULL AND external_device_id IS NOT NULL AND {OPEN_SQL}"
"""Open alerts of devices that were not known when they came, or were no asset yet."""


COUNTED = ["status", "severity", "integration_id", "client_id"]
"""What open alerts are counted by: it stands in their index, so that counting reads no rows."""


def _by_time(name: str, *columns: str, where: str | None = None, include: list[str] | None = None) -> Index:
    """An index in the order of the list. A filter whose value may be rare needs one of its own: without it,
    the list would walk through all alerts to find none."""
    place = (text("triggered_at DESC"), text("id DESC"))
    partial = text(where) if where else None
    return Index(
        name, "tenant_id", *columns, *place, postgresql_where=partial, postgresql_include=include or []
    )


class Alert(TenantRow, Timestamps, Base):
    """The current state of one alert of a vendor.

    ``last_event_at`` is the vendor's time of the newest event taken: older events never move the state.
    ``attention`` says, in words, why a person or a retry is needed. ``rule_actions`` is a snapshot of the
    matched rule. ``details_due_at`` is set while the text is awaited before a decision. ``generated_title``
    and ``generated_description`` are what we wrote into the ticket, to complete it only where untouched.
    ``resolved_here`` marks an alert a person resolved here while the vendor may still list it.
    ``hold_until`` is set while the matched rule waits whether the alert lasts long enough for a ticket.
    ``webhook_lost`` marks an alert that a webhook should have brought or ended, and did not. ``title`` and
    ``report`` are the vendor's own words for a ticket, ``vendor_status`` is its word for the alert's state.
    """

    __tablename__ = "rmm_alerts"
    __table_args__ = (
        UniqueConstraint("tenant_id", "integration_id", "external_id"),
        _by_time("ix_rmm_alerts_time"),
        _by_time("ix_rmm_alerts_open", where=OPEN_SQL, include=COUNTED),
        _by_time("ix_rmm_alerts_client", "client_id"),
        _by_time("ix_rmm_alerts_integration", "integration_id"),
        _by_time("ix_rmm_alerts_severity", "severity"),
        _by_time("ix_rmm_alerts_device_time", "device_id", where="device_id IS NOT NULL"),
        _by_time("ix_rmm_alerts_rule", "matched_rule_id", where="matched_rule_id IS NOT NULL"),
        _by_time(
            "ix_rmm_alerts_window", "suppressed_by_window_id", where="suppressed_by_window_id IS NOT NULL"
        ),
        _by_time("ix_rmm_alerts_auto_resolved", where="status = 'auto_resolved'"),
        _by_time("ix_rmm_alerts_lost", where="webhook_lost"),
        Index(
            "ix_rmm_alerts_ticket",
            "tenant_id",
            "ticket_id",
            postgresql_where=text("ticket_id IS NOT NULL"),
        ),
        Index("ix_rmm_alerts_device", "tenant_id", "device_id", "status", postgresql_where=text(OPEN_SQL)),
        Index(
            "ix_rmm_alerts_assetless",
            "tenant_id",
            "integration_id",
            "external_device_id",
            postgresql_where=text(ASSETLESS_SQL),
        ),
        Index("ix_rmm_alerts_attention", "tenant_id", "id", postgresql_where=text("attention IS NOT NULL")),
        Index(
            "ix_rmm_alerts_details",
            "tenant_id",
            "details_due_at",
            postgresql_where=text("details_due_at IS NOT NULL"),
        ),
        Index(
            "ix_rmm_alerts_hold", "tenant_id", "hold_until", postgresql_where=text("hold_until IS NOT NULL")
        ),
        Index(
            "ix_rmm_alerts_suppressed",
            "tenant_id",
            "integration_id",
            postgresql_where=text(WINDOW_SQL),
        ),
        Index(
            "ix_rmm_alerts_synthesized",
            "tenant_id",
            "integration_id",
            "external_id",
            postgresql_where=text(SYNTHESIZED_SQL),
        ),
        ForeignKeyConstraint(
            ["tenant_id", "integration_id"],
            ["rmm_integrations.tenant_id", "rmm_integrations.id"],
            ondelete="CASCADE",
        ),
    )

    integration_id: Mapped[UUID]
    external_id: Mapped[str]
    synthesized: Mapped[bool] = mapped_column(default=False)
    external_device_id: Mapped[str | None]
    external_organization_id: Mapped[str | None]
    device_id: Mapped[UUID | None]
    asset_id: Mapped[str | None]
    client_id: Mapped[str | None]
    device_name: Mapped[str | None]
    status: Mapped[str]
    severity: Mapped[str]
    alert_class: Mapped[str | None]
    activity_type: Mapped[str | None]
    source_type: Mapped[str | None]
    dedup_key: Mapped[str]
    message: Mapped[str | None]
    title: Mapped[str | None]
    report: Mapped[str | None]
    vendor_status: Mapped[str | None]
    ticket_id: Mapped[str | None]
    auto_ticket_created: Mapped[bool] = mapped_column(default=False)
    generated_title: Mapped[str | None]
    generated_description: Mapped[str | None]
    matched_rule_id: Mapped[UUID | None]
    rule_actions: Mapped[dict[str, Any] | None]
    suppressed_by_window_id: Mapped[UUID | None]
    attention: Mapped[str | None]
    attention_at: Mapped[datetime | None]
    details_due_at: Mapped[datetime | None]
    hold_until: Mapped[datetime | None]
    webhook_lost: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    first_channel: Mapped[str]
    episode: Mapped[int] = mapped_column(default=1)
    triggered_at: Mapped[datetime]
    last_event_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None]
    resolved_here: Mapped[bool] = mapped_column(default=False)
    raw: Mapped[dict[str, Any]] = mapped_column(default=dict)


class AlertCondition(TenantRow, Base):
    """One dedup key of one connection: the lock, the open ticket and the exact count of firings.

    Nothing that changes here stands in an index, so that counting is a HOT update.
    """

    __tablename__ = "rmm_alert_conditions"
    __table_args__ = (
        UniqueConstraint("tenant_id", "integration_id", "dedup_key"),
        ForeignKeyConstraint(
            ["tenant_id", "integration_id"],
            ["rmm_integrations.tenant_id", "rmm_integrations.id"],
            ondelete="CASCADE",
        ),
        {"postgresql_with": {"fillfactor": 70}},
    )

    integration_id: Mapped[UUID]
    dedup_key: Mapped[str]
    ticket_id: Mapped[str | None]
    occurrence_count: Mapped[int] = mapped_column(default=0)
    last_occurrence_at: Mapped[datetime | None]


class AlertHistory(TenantRow, Base):
    """What one event did to one alert: append-only.

    ``steps`` is a list of ``{"code": …, …}`` in the order of the decisions; pages turn codes into sentences.
    ``rule_id`` is the rule that took the alert in this event: a rule's hits are counted here, so a decision
    that only comes to the same rule once more has none. ``duration_ms`` is the time from the delivery's
    arrival until this row was written; only a webhook's events have it.
    """

    __tablename__ = "rmm_alert_events"
    __table_args__ = (
        Index(None, "tenant_id", "alert_id", "id"),
        Index(None, "tenant_id", "at"),
        Index(None, "tenant_id", "integration_id", "at"),
        Index(
            "ix_rmm_alert_events_rule",
            "tenant_id",
            "rule_id",
            "at",
            postgresql_where=text("rule_id IS NOT NULL"),
        ),
        # The log of deliveries: by outcome, so that a rare one is found as fast as all of them together.
        Index(
            "ix_rmm_alert_events_webhook",
            "tenant_id",
            "outcome",
            text("at DESC"),
            text("id DESC"),
            postgresql_where=text("channel = 'webhook'"),
        ),
    )

    alert_id: Mapped[UUID]
    integration_id: Mapped[UUID]
    at: Mapped[datetime]
    occurred_at: Mapped[datetime]
    channel: Mapped[str]
    kind: Mapped[str]
    outcome: Mapped[str]
    rule_id: Mapped[UUID | None]
    actor: Mapped[str | None]
    duration_ms: Mapped[float | None]
    steps: Mapped[list[Any]] = mapped_column(default=list)


class AlertRule(TenantRow, Timestamps, Base):
    """One rule of a connection; lower ``priority_order`` is asked first, the first match wins."""

    __tablename__ = "rmm_alert_rules"
    __table_args__ = (
        Index(None, "tenant_id", "integration_id", "priority_order"),
        ForeignKeyConstraint(
            ["tenant_id", "integration_id"],
            ["rmm_integrations.tenant_id", "rmm_integrations.id"],
            ondelete="CASCADE",
        ),
    )

    integration_id: Mapped[UUID]
    name: Mapped[str]
    description: Mapped[str | None]
    is_active: Mapped[bool] = mapped_column(default=True)
    priority_order: Mapped[int] = mapped_column(default=0)
    conditions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    actions: Mapped[dict[str, Any]] = mapped_column(default=dict)


class MaintenanceWindow(TenantRow, Timestamps, Base):
    """A time in which matching alerts are suppressed; a scope that is ``None`` takes everything.

    ``at_vendor``: devices in scope are put into maintenance at their vendor for the same time, where it can.
    """

    __tablename__ = "rmm_maintenance_windows"
    __table_args__ = (Index(None, "tenant_id", "is_active"),)

    integration_id: Mapped[UUID | None]
    client_id: Mapped[str | None]
    asset_id: Mapped[str | None]
    name: Mapped[str]
    is_active: Mapped[bool] = mapped_column(default=True)
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    recurrence: Mapped[dict[str, Any] | None]
    at_vendor: Mapped[bool] = mapped_column(default=False, server_default="false")
