"""Add holds, lost webhooks, reconciliation, rule hits and replays.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

LISTS = {
    "ix_rmm_alerts_severity": (["severity"], None),
    "ix_rmm_alerts_device_time": (["device_id"], "device_id IS NOT NULL"),
    "ix_rmm_alerts_rule": (["matched_rule_id"], "matched_rule_id IS NOT NULL"),
    "ix_rmm_alerts_window": (["suppressed_by_window_id"], "suppressed_by_window_id IS NOT NULL"),
    "ix_rmm_alerts_auto_resolved": ([], "status = 'auto_resolved'"),
    "ix_rmm_alerts_lost": ([], "webhook_lost"),
}
"""Indexes in the order of the list of alerts: their leading columns and their condition."""


OPEN = "status IN ('active', 'acknowledged', 'suppressed')"


def list_index(name: str, columns: list[str], where: str | None, include: list[str] | None = None) -> None:
    op.create_index(
        name,
        "rmm_alerts",
        ["tenant_id", *columns, sa.text("triggered_at DESC"), sa.text("id DESC")],
        postgresql_where=sa.text(where) if where else None,
        postgresql_include=include or [],
    )


def upgrade() -> None:
    op.add_column("rmm_alerts", sa.Column("hold_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "rmm_alerts",
        sa.Column("webhook_lost", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_index(
        "ix_rmm_alerts_hold",
        "rmm_alerts",
        ["tenant_id", "hold_until"],
        postgresql_where=sa.text("hold_until IS NOT NULL"),
    )
    op.create_index(
        "ix_rmm_alerts_suppressed",
        "rmm_alerts",
        ["tenant_id", "integration_id"],
        postgresql_where=sa.text(
            "suppressed_by_window_id IS NOT NULL AND status IN ('active', 'acknowledged', 'suppressed')"
        ),
    )
    op.create_index(
        "ix_rmm_alerts_synthesized",
        "rmm_alerts",
        ["tenant_id", "integration_id", "external_id"],
        postgresql_where=sa.text(f"synthesized AND {OPEN}"),
    )
    for name, (columns, where) in LISTS.items():
        list_index(name, columns, where)
    op.drop_index("ix_rmm_alerts_open", table_name="rmm_alerts")
    list_index("ix_rmm_alerts_open", [], OPEN, include=["status", "severity", "integration_id", "client_id"])
    op.drop_index(op.f("ix_rmm_devices_tenant_id_name_id"), table_name="rmm_devices")
    op.create_index(
        "ix_rmm_devices_list",
        "rmm_devices",
        ["tenant_id", "name", "id", "deleted_at", "status", "kind", "integration_id"],
    )
    op.create_index(
        "ix_rmm_job_runs_failed",
        "rmm_job_runs",
        ["tenant_id", "queued_at"],
        postgresql_where=sa.text("status = 'failed'"),
    )
    op.create_index(
        "ix_rmm_job_runs_done",
        "rmm_job_runs",
        ["tenant_id", "exclusive_key", "queued_at"],
        postgresql_where=sa.text("status = 'succeeded' AND exclusive_key IS NOT NULL"),
    )
    op.add_column("rmm_alert_events", sa.Column("rule_id", sa.Uuid(), nullable=True))
    op.create_index(
        "ix_rmm_alert_events_rule",
        "rmm_alert_events",
        ["tenant_id", "rule_id", "at"],
        postgresql_where=sa.text("rule_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_rmm_alert_events_tenant_id_integration_id_at"),
        "rmm_alert_events",
        ["tenant_id", "integration_id", "at"],
    )
    op.add_column("rmm_integrations", sa.Column("webhook_since", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE rmm_integrations SET webhook_since = now() WHERE webhook_enabled")
    op.add_column(
        "rmm_integrations", sa.Column("last_reconciled_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "rmm_integrations",
        sa.Column(
            "reconcile_state",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
    )
    op.add_column("rmm_webhook_deliveries", sa.Column("duration_ms", sa.Double(), nullable=True))
    op.add_column("rmm_webhook_deliveries", sa.Column("replayed_by", sa.Text(), nullable=True))
    op.add_column("rmm_webhook_deliveries", sa.Column("outcome", sa.Text(), nullable=True))
    op.add_column("rmm_webhook_deliveries", sa.Column("alert_id", sa.Uuid(), nullable=True))
    op.create_index(
        op.f("ix_rmm_webhook_deliveries_tenant_id_integration_id_received_at"),
        "rmm_webhook_deliveries",
        ["tenant_id", "integration_id", "received_at"],
    )
    op.create_index(
        "ix_rmm_webhook_deliveries_alert",
        "rmm_webhook_deliveries",
        ["tenant_id", "alert_id"],
        postgresql_where=sa.text("alert_id IS NOT NULL"),
    )
    op.create_index(
        "ix_rmm_alert_events_webhook",
        "rmm_alert_events",
        ["tenant_id", "outcome", sa.literal_column("at DESC"), sa.literal_column("id DESC")],
        postgresql_where=sa.text("channel = 'webhook'"),
    )
    op.create_index(
        "ix_rmm_job_runs_retention",
        "rmm_job_runs",
        ["tenant_id", "queued_at"],
        postgresql_where=sa.text("kind = 'retention'"),
    )


def downgrade() -> None:
    op.drop_index("ix_rmm_alerts_synthesized", table_name="rmm_alerts")
    op.drop_index("ix_rmm_job_runs_done", table_name="rmm_job_runs")
    op.drop_index("ix_rmm_job_runs_failed", table_name="rmm_job_runs")
    op.drop_index("ix_rmm_devices_list", table_name="rmm_devices")
    op.create_index(op.f("ix_rmm_devices_tenant_id_name_id"), "rmm_devices", ["tenant_id", "name", "id"])
    # Made after an upgrade and only where the database can have them: see services/text_index.py.
    op.execute("DROP INDEX IF EXISTS ix_rmm_devices_text")
    op.execute("DROP INDEX IF EXISTS ix_rmm_alerts_text")
    op.drop_index("ix_rmm_job_runs_retention", table_name="rmm_job_runs")
    op.drop_index("ix_rmm_alert_events_webhook", table_name="rmm_alert_events")
    op.drop_index("ix_rmm_webhook_deliveries_alert", table_name="rmm_webhook_deliveries")
    op.drop_index(
        op.f("ix_rmm_webhook_deliveries_tenant_id_integration_id_received_at"),
        table_name="rmm_webhook_deliveries",
    )
    op.drop_column("rmm_webhook_deliveries", "alert_id")
    op.drop_column("rmm_webhook_deliveries", "outcome")
    op.drop_column("rmm_webhook_deliveries", "replayed_by")
    op.drop_column("rmm_webhook_deliveries", "duration_ms")
    op.drop_column("rmm_integrations", "reconcile_state")
    op.drop_column("rmm_integrations", "last_reconciled_at")
    op.drop_column("rmm_integrations", "webhook_since")
    op.drop_index(op.f("ix_rmm_alert_events_tenant_id_integration_id_at"), table_name="rmm_alert_events")
    op.drop_index("ix_rmm_alert_events_rule", table_name="rmm_alert_events")
    op.drop_column("rmm_alert_events", "rule_id")
    op.drop_index("ix_rmm_alerts_open", table_name="rmm_alerts")
    list_index("ix_rmm_alerts_open", [], OPEN)
    for name in LISTS:
        op.drop_index(name, table_name="rmm_alerts")
    op.drop_index("ix_rmm_alerts_suppressed", table_name="rmm_alerts")
    op.drop_index("ix_rmm_alerts_hold", table_name="rmm_alerts")
    op.drop_column("rmm_alerts", "webhook_lost")
    op.drop_column("rmm_alerts", "hold_until")
