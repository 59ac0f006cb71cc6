"""Add software, actions on devices, and sessions at the vendor.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CONNECTION_TIMES = (
    "next_software_sync_at",
    "last_software_sync_at",
    "sign_in_lease_until",
    "sign_in_blocked_until",
)
SPREAD_SOFTWARE = """
UPDATE rmm_integrations
SET next_software_sync_at = now() + make_interval(secs => mod(abs(hashtext(id::text)::bigint), 86400))
WHERE last_sync_at IS NOT NULL
"""
"""The first syncs of an installation's connections come one by one, not all with the next tick."""
LIST = ["tenant_id", "name", "id", "deleted_at", "status", "kind", "integration_id"]
FILTERS = (
    ("needs_reboot", sa.Boolean(), "nullif(facts -> 'needs_reboot', 'null'::jsonb) = 'true'::jsonb"),
    (
        "patches_pending",
        sa.Boolean(),
        "nullif(facts -> 'has_pending_patches', 'null'::jsonb) = 'true'::jsonb",
    ),
    ("seen_week", sa.Date(), "date_trunc('week', last_seen_at AT TIME ZONE 'UTC')::date"),
    ("agent_version", sa.Text(), "facts ->> 'agent_version'"),
)
"""What the list of devices is narrowed by beside its columns."""
PARTIAL = {
    "ix_rmm_devices_missing": "missing_count > 0",
    "ix_rmm_devices_kept": "kept",
    "ix_rmm_devices_deleted": "deleted_at IS NOT NULL",
    "ix_rmm_devices_ageing": "status = 'offline' AND overdue_after_minutes IS NOT NULL",
}


def moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_index(
        "ix_rmm_alerts_deviceless",
        "rmm_alerts",
        ["tenant_id", "integration_id", "external_device_id"],
        postgresql_where=sa.text(
            "device_id IS NULL AND external_device_id IS NOT NULL"
            " AND status IN ('active', 'acknowledged', 'suppressed')"
        ),
    )
    op.create_index(
        "ix_rmm_audit_device",
        "rmm_audit",
        ["tenant_id", "subject_id", sa.text("at DESC")],
        postgresql_where=sa.text("subject_type = 'device'"),
    )
    for name in CONNECTION_TIMES:
        op.add_column("rmm_integrations", moment(name))
    op.execute(SPREAD_SOFTWARE)
    op.add_column(
        "rmm_devices", sa.Column("kept", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    add_list_filters()
    create_software()
    create_invocations()
    create_scripts()


def add_list_filters() -> None:
    op.execute("ALTER TABLE rmm_devices SET (fillfactor = 50)")
    for name, kind, source in FILTERS:
        op.add_column("rmm_devices", sa.Column(name, kind, sa.Computed(source, persisted=True)))
    op.drop_index("ix_rmm_devices_list", table_name="rmm_devices")
    op.create_index("ix_rmm_devices_list", "rmm_devices", [*LIST, *(name for name, _, _ in FILTERS)])
    op.drop_index("ix_rmm_devices_tenant_id_client_id", table_name="rmm_devices")
    op.create_index(
        "ix_rmm_devices_client", "rmm_devices", ["tenant_id", "client_id", "status", "deleted_at"]
    )
    index_open_alerts(["tenant_id", "device_id", "status"])
    for name, condition in PARTIAL.items():
        op.create_index(name, "rmm_devices", ["tenant_id", "name", "id"], postgresql_where=sa.text(condition))


def index_open_alerts(columns: list[str]) -> None:
    op.drop_index("ix_rmm_alerts_device", table_name="rmm_alerts")
    op.create_index(
        "ix_rmm_alerts_device",
        "rmm_alerts",
        columns,
        postgresql_where=sa.text("status IN ('active', 'acknowledged', 'suppressed')"),
    )


def drop_list_filters() -> None:
    op.execute("ALTER TABLE rmm_devices SET (fillfactor = 80)")
    for name in PARTIAL:
        op.drop_index(name, table_name="rmm_devices")
    index_open_alerts(["tenant_id", "device_id"])
    op.drop_index("ix_rmm_devices_client", table_name="rmm_devices")
    op.create_index("ix_rmm_devices_tenant_id_client_id", "rmm_devices", ["tenant_id", "client_id"])
    op.drop_index("ix_rmm_devices_list", table_name="rmm_devices")
    op.create_index("ix_rmm_devices_list", "rmm_devices", LIST)
    for name, _, _ in reversed(FILTERS):
        op.drop_column("rmm_devices", name)


def create_software() -> None:
    op.create_table(
        "rmm_software_catalog",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("normalized_name", sa.Text(), nullable=False),
        sa.Column("publisher", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        moment("first_seen_at", nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_rmm_software_catalog"),
        sa.UniqueConstraint(
            "tenant_id",
            "normalized_name",
            "publisher",
            name="uq_rmm_software_catalog_tenant_id_normalized_name_publisher",
        ),
    )
    op.create_table(
        "rmm_device_software",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("software_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("version_key", postgresql.ARRAY(sa.BigInteger()), server_default="{}", nullable=False),
        sa.Column("installed_on", sa.Date(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("location", sa.Text(), nullable=True),
        moment("first_seen_at", nullable=False),
        moment("removed_at"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_rmm_device_software"),
        sa.UniqueConstraint(
            "tenant_id",
            "device_id",
            "software_id",
            "version",
            name="uq_rmm_device_software_tenant_id_device_id_software_id_version",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "device_id"],
            ["rmm_devices.tenant_id", "rmm_devices.id"],
            name="fk_rmm_device_software_device",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "software_id"],
            ["rmm_software_catalog.tenant_id", "rmm_software_catalog.id"],
            name="fk_rmm_device_software_software",
        ),
    )
    op.create_index(
        "ix_rmm_device_software_product",
        "rmm_device_software",
        ["tenant_id", "software_id", "removed_at", "version_key"],
        postgresql_include=["device_id", "version"],
    )
    op.create_index(
        "ix_rmm_device_software_removed",
        "rmm_device_software",
        ["tenant_id", "removed_at"],
        postgresql_where=sa.text("removed_at IS NOT NULL"),
    )
    op.create_table(
        "rmm_software_lists",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        moment("changed_at", nullable=False),
        moment("empty_since"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_rmm_software_lists"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "id"],
            ["rmm_devices.tenant_id", "rmm_devices.id"],
            name="fk_rmm_software_lists_device",
            ondelete="CASCADE",
        ),
    )


def create_invocations() -> None:
    op.create_table(
        "rmm_action_invocations",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("ticket_id", sa.Text(), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("action_version", sa.Integer(), nullable=False),
        sa.Column("input", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sealed_input", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_key", sa.Text(), nullable=True),
        sa.Column("output", postgresql.JSONB(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        moment("created_at", nullable=False),
        moment("started_at"),
        moment("finished_at"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_rmm_action_invocations"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "integration_id"],
            ["rmm_integrations.tenant_id", "rmm_integrations.id"],
            name="fk_rmm_action_invocations_tenant_id_integration_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "uq_rmm_action_invocations_key",
        "rmm_action_invocations",
        ["tenant_id", "idempotency_key"],
        unique=True,
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    time = [sa.text("created_at DESC")]
    op.create_index(
        "ix_rmm_action_invocations_time",
        "rmm_action_invocations",
        ["tenant_id", *time, sa.text("id DESC")],
    )
    for name, column in (
        ("ix_rmm_action_invocations_device", "device_id"),
        ("ix_rmm_action_invocations_ticket", "ticket_id"),
    ):
        op.create_index(
            name,
            "rmm_action_invocations",
            ["tenant_id", column, *time],
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )


def create_scripts() -> None:
    op.create_table(
        "rmm_scripts",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("shell", sa.Text(), nullable=False),
        sa.Column("platforms", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("default_timeout", sa.Integer(), nullable=True),
        sa.Column("run_as_user", sa.Boolean(), nullable=False),
        sa.Column("favorite", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_rmm_scripts"),
        sa.UniqueConstraint(
            "tenant_id",
            "integration_id",
            "external_id",
            name="uq_rmm_scripts_tenant_id_integration_id_external_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "integration_id"],
            ["rmm_integrations.tenant_id", "rmm_integrations.id"],
            name="fk_rmm_scripts_tenant_id_integration_id",
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    op.drop_index("ix_rmm_audit_device", table_name="rmm_audit")
    op.drop_index("ix_rmm_alerts_deviceless", table_name="rmm_alerts")
    op.drop_table("rmm_scripts")
    op.drop_table("rmm_action_invocations")
    op.drop_table("rmm_software_lists")
    op.drop_table("rmm_device_software")
    op.drop_table("rmm_software_catalog")
    drop_list_filters()
    op.drop_column("rmm_devices", "kept")
    for name in reversed(CONNECTION_TIMES):
        op.drop_column("rmm_integrations", name)
