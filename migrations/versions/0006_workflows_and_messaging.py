"""Add workflows, their runs, and what a chat service's bot knows.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rmm_action_invocations", sa.Column("workflow_run_id", sa.Uuid(), nullable=True))
    op.create_index(
        "ix_rmm_action_invocations_workflow",
        "rmm_action_invocations",
        ["tenant_id", "integration_id"],
        postgresql_where=sa.text("workflow_run_id IS NOT NULL AND state IN ('queued', 'running')"),
    )
    op.create_index(
        "ix_rmm_outbox_alert_events",
        "rmm_outbox",
        ["tenant_id", sa.text("(payload ->> 'alert_id')")],
        postgresql_where=sa.text("topic = 'alert_events'"),
    )
    create_messaging()
    create_workflows()


def create_messaging() -> None:
    op.create_table(
        "rmm_teams_conversations",
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("service_url", sa.Text(), nullable=False),
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("directory_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column("person_name", sa.Text(), nullable=True),
        sa.Column("team_id", sa.Text(), nullable=True),
        sa.Column("team_group_id", sa.Text(), nullable=True),
        sa.Column("team_name", sa.Text(), nullable=True),
        sa.Column("channel_id", sa.Text(), nullable=True),
        sa.Column("channel_name", sa.Text(), nullable=True),
        sa.Column("installed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dead_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dead_reason", sa.Text(), nullable=True),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "integration_id"],
            ["rmm_integrations.tenant_id", "rmm_integrations.id"],
            name=op.f("fk_rmm_teams_conversations_tenant_id_integration_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rmm_teams_conversations")),
        sa.UniqueConstraint(
            "tenant_id",
            "integration_id",
            "conversation_id",
            name=op.f("uq_rmm_teams_conversations_tenant_id_integration_id_conversation_id"),
        ),
    )
    op.create_index(
        op.f("ix_rmm_teams_conversations_tenant_id_integration_id_person_id"),
        "rmm_teams_conversations",
        ["tenant_id", "integration_id", "person_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_rmm_teams_conversations_tenant_id_integration_id_seen_at"),
        "rmm_teams_conversations",
        ["tenant_id", "integration_id", "seen_at"],
        unique=False,
    )
    op.create_table(
        "rmm_teams_user_links",
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column("person_name", sa.Text(), nullable=True),
        sa.Column("linked_by", sa.Text(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.Column("code_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "integration_id"],
            ["rmm_integrations.tenant_id", "rmm_integrations.id"],
            name=op.f("fk_rmm_teams_user_links_tenant_id_integration_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rmm_teams_user_links")),
        sa.UniqueConstraint(
            "tenant_id",
            "integration_id",
            "user_id",
            name=op.f("uq_rmm_teams_user_links_tenant_id_integration_id_user_id"),
        ),
    )
    op.create_index(
        "uq_rmm_teams_user_links_code",
        "rmm_teams_user_links",
        ["tenant_id", "integration_id", "code_hash"],
        unique=True,
        postgresql_where=sa.text("code_hash IS NOT NULL"),
    )
    op.create_index(
        "uq_rmm_teams_user_links_person",
        "rmm_teams_user_links",
        ["tenant_id", "integration_id", "person_id"],
        unique=True,
        postgresql_where=sa.text("person_id IS NOT NULL"),
    )
    op.create_table(
        "rmm_signing_keys",
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("keys", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "integration_id"],
            ["rmm_integrations.tenant_id", "rmm_integrations.id"],
            name=op.f("fk_rmm_signing_keys_tenant_id_integration_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rmm_signing_keys")),
        sa.UniqueConstraint(
            "tenant_id", "integration_id", name=op.f("uq_rmm_signing_keys_tenant_id_integration_id")
        ),
    )


def create_workflows() -> None:
    op.create_table(
        "rmm_workflows",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("draft", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("recipe", sa.Text(), nullable=True),
        sa.Column("trigger", sa.Text(), nullable=True),
        sa.Column("published_version", sa.Integer(), nullable=True),
        sa.Column("published_revision", sa.Integer(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("publisher_id", sa.Text(), nullable=True),
        sa.Column("publisher_name", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rmm_workflows")),
    )
    op.create_index(
        "ix_rmm_workflows_name",
        "rmm_workflows",
        ["tenant_id", sa.literal_column("lower(name)"), "id"],
        unique=False,
    )
    op.create_index(
        "ix_rmm_workflows_trigger",
        "rmm_workflows",
        ["tenant_id", "trigger"],
        unique=False,
        postgresql_where=sa.text("state = 'published'"),
    )
    op.create_table(
        "rmm_workflow_versions",
        sa.Column("workflow_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "workflow_id"],
            ["rmm_workflows.tenant_id", "rmm_workflows.id"],
            name=op.f("fk_rmm_workflow_versions_tenant_id_workflow_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rmm_workflow_versions")),
    )
    op.create_index(
        "uq_rmm_workflow_versions_number",
        "rmm_workflow_versions",
        ["tenant_id", "workflow_id", "number"],
        unique=True,
        postgresql_where=sa.text("number > 0"),
    )
    op.create_table(
        "rmm_workflow_runs",
        sa.Column("workflow_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.Column("guard_key", sa.Text(), nullable=True),
        sa.Column("context", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("integration_id", sa.Uuid(), nullable=True),
        sa.Column("alert_id", sa.Uuid(), nullable=True),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("ticket_id", sa.Text(), nullable=True),
        sa.Column("asset_id", sa.Text(), nullable=True),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "version_id"],
            ["rmm_workflow_versions.tenant_id", "rmm_workflow_versions.id"],
            name=op.f("fk_rmm_workflow_runs_tenant_id_version_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "workflow_id"],
            ["rmm_workflows.tenant_id", "rmm_workflows.id"],
            name=op.f("fk_rmm_workflow_runs_tenant_id_workflow_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rmm_workflow_runs")),
        sa.UniqueConstraint(
            "tenant_id",
            "workflow_id",
            "event_key",
            name=op.f("uq_rmm_workflow_runs_tenant_id_workflow_id_event_key"),
        ),
    )
    op.create_index(
        "ix_rmm_workflow_runs_alert",
        "rmm_workflow_runs",
        ["tenant_id", "alert_id", sa.literal_column("queued_at DESC")],
        unique=False,
        postgresql_where=sa.text("alert_id IS NOT NULL"),
    )
    op.create_index(
        "ix_rmm_workflow_runs_asset",
        "rmm_workflow_runs",
        ["tenant_id", "asset_id", sa.literal_column("queued_at DESC")],
        unique=False,
        postgresql_where=sa.text("asset_id IS NOT NULL"),
    )
    op.create_index(
        "ix_rmm_workflow_runs_device",
        "rmm_workflow_runs",
        ["tenant_id", "device_id", sa.literal_column("queued_at DESC")],
        unique=False,
        postgresql_where=sa.text("device_id IS NOT NULL"),
    )
    op.create_index(
        "ix_rmm_workflow_runs_guard",
        "rmm_workflow_runs",
        ["tenant_id", "workflow_id", "guard_key", sa.literal_column("queued_at DESC")],
        unique=False,
    )
    op.create_index(
        "ix_rmm_workflow_runs_ticket",
        "rmm_workflow_runs",
        ["tenant_id", "ticket_id", sa.literal_column("queued_at DESC")],
        unique=False,
        postgresql_where=sa.text("ticket_id IS NOT NULL"),
    )
    op.create_index(
        "ix_rmm_workflow_runs_time",
        "rmm_workflow_runs",
        ["tenant_id", sa.literal_column("queued_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_rmm_workflow_runs_unfinished",
        "rmm_workflow_runs",
        ["tenant_id", "state", "queued_at", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued', 'running', 'waiting', 'unknown')"),
    )
    op.create_index(
        "ix_rmm_workflow_runs_workflow",
        "rmm_workflow_runs",
        ["tenant_id", "workflow_id", sa.literal_column("queued_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_table(
        "rmm_workflow_invocations",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("action_version", sa.Integer(), nullable=False),
        sa.Column("integration_id", sa.Uuid(), nullable=True),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("invocation_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("input", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("output", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "run_id"],
            ["rmm_workflow_runs.tenant_id", "rmm_workflow_runs.id"],
            name=op.f("fk_rmm_workflow_invocations_tenant_id_run_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rmm_workflow_invocations")),
        sa.UniqueConstraint(
            "tenant_id",
            "run_id",
            "step_id",
            "attempt",
            name=op.f("uq_rmm_workflow_invocations_tenant_id_run_id_step_id_attempt"),
        ),
    )
    op.create_index(
        "ix_rmm_workflow_invocations_action",
        "rmm_workflow_invocations",
        ["tenant_id", "invocation_id"],
        unique=False,
        postgresql_where=sa.text("invocation_id IS NOT NULL"),
    )


def downgrade() -> None:
    for table in (
        "rmm_workflow_invocations",
        "rmm_workflow_runs",
        "rmm_workflow_versions",
        "rmm_workflows",
        "rmm_signing_keys",
        "rmm_teams_user_links",
        "rmm_teams_conversations",
    ):
        op.drop_table(table)
    op.drop_index("ix_rmm_outbox_alert_events", table_name="rmm_outbox")
    op.drop_index("ix_rmm_action_invocations_workflow", table_name="rmm_action_invocations")
    op.drop_column("rmm_action_invocations", "workflow_run_id")
