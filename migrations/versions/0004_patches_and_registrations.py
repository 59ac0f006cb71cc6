"""Add sign-ins by browser, webhook registrations, signals, patches, and maintenance at the vendor.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


CONNECTION_COLUMNS = (
    ("next_patch_sync_at", sa.DateTime(timezone=True)),
    ("last_patch_sync_at", sa.DateTime(timezone=True)),
    ("next_activity_at", sa.DateTime(timezone=True)),
    ("activity_position", sa.Text()),
    ("registration_due_at", sa.DateTime(timezone=True)),
)


def above_zero(name: str) -> str:
    return f"nullif(facts -> '{name}', 'null'::jsonb) > '0'::jsonb"


FAILED = (above_zero("os_patches_failed"), above_zero("software_patches_failed"))
LIST = [
    *("tenant_id", "name", "id", "deleted_at", "status", "kind", "integration_id"),
    *("needs_reboot", "patches_pending", "seen_week", "agent_version"),
]
FILTERS = (
    ("os_pending", sa.Boolean(), above_zero("os_patches_pending")),
    ("software_pending", sa.Boolean(), above_zero("software_patches_pending")),
    ("patches_failed", sa.Boolean(), f"coalesce({FAILED[0]} OR {FAILED[1]}, {FAILED[0]}, {FAILED[1]})"),
    ("antivirus", sa.Text(), "facts ->> 'antivirus'"),
    ("threatened", sa.Boolean(), above_zero("threats")),
    ("awaits_approval", sa.Boolean(), "coalesce(facts ->> 'approval' IN ('pending', 'staged'), false)"),
)
"""What the list of devices is narrowed by, and what compliance counts, beside what was there."""
BY_CLIENT = ["tenant_id", "client_id", "status", "deleted_at"]
COUNTED = [
    *("integration_id", "kind", "needs_reboot", "patches_pending", "os_pending", "software_pending"),
    *("patches_failed", "antivirus", "threatened"),
]


def upgrade() -> None:
    for name, kind in CONNECTION_COLUMNS:
        op.add_column("rmm_integrations", sa.Column(name, kind, nullable=True))
    empty = sa.text("'{}'::jsonb")
    op.add_column(
        "rmm_integrations",
        sa.Column("registration", postgresql.JSONB(), server_default=empty, nullable=False),
    )
    off = sa.text("false")
    op.add_column(
        "rmm_maintenance_windows", sa.Column("at_vendor", sa.Boolean(), server_default=off, nullable=False)
    )
    create_pending_sign_ins()
    create_signals()
    create_patches()
    create_vendor_maintenance()
    add_list_filters()


def add_list_filters() -> None:
    for name, kind, source in FILTERS:
        op.add_column("rmm_devices", sa.Column(name, kind, sa.Computed(source, persisted=True)))
    op.drop_index("ix_rmm_devices_list", table_name="rmm_devices")
    op.create_index("ix_rmm_devices_list", "rmm_devices", [*LIST, *(name for name, _, _ in FILTERS)])
    op.drop_index("ix_rmm_devices_client", table_name="rmm_devices")
    op.create_index("ix_rmm_devices_client", "rmm_devices", [*BY_CLIENT, *COUNTED])


def drop_list_filters() -> None:
    op.drop_index("ix_rmm_devices_client", table_name="rmm_devices")
    op.create_index("ix_rmm_devices_client", "rmm_devices", BY_CLIENT)
    op.drop_index("ix_rmm_devices_list", table_name="rmm_devices")
    op.create_index("ix_rmm_devices_list", "rmm_devices", LIST)
    for name, _, _ in reversed(FILTERS):
        op.drop_column("rmm_devices", name)


def create_pending_sign_ins() -> None:
    op.create_table(
        "rmm_pending_sign_ins",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("auth_mode", sa.Text(), nullable=False),
        sa.Column("integration_id", sa.Uuid(), nullable=True),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        moment("created_at", nullable=False),
        moment("expires_at", nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_rmm_pending_sign_ins"),
        sa.UniqueConstraint("tenant_id", "state_hash", name="uq_rmm_pending_sign_ins_tenant_id_state_hash"),
    )
    op.create_index(
        "ix_rmm_pending_sign_ins_tenant_id_expires_at", "rmm_pending_sign_ins", ["tenant_id", "expires_at"]
    )


def create_signals() -> None:
    op.create_table(
        "rmm_signals",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("external_device_id", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        moment("occurred_at", nullable=False),
        moment("received_at", nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("duration_ms", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_rmm_signals"),
        sa.UniqueConstraint(
            "tenant_id",
            "integration_id",
            "external_id",
            name="uq_rmm_signals_tenant_id_integration_id_external_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "integration_id"],
            ["rmm_integrations.tenant_id", "rmm_integrations.id"],
            name="fk_rmm_signals_tenant_id_integration_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_rmm_signals_device",
        "rmm_signals",
        ["tenant_id", "device_id", sa.text("occurred_at DESC")],
        postgresql_where=sa.text("device_id IS NOT NULL"),
    )
    op.create_index("ix_rmm_signals_tenant_id_received_at", "rmm_signals", ["tenant_id", "received_at"])
    newest = [sa.text("received_at DESC"), sa.text("id DESC")]
    delivered = sa.text("channel = 'webhook'")
    op.create_index(
        "ix_rmm_signals_webhook", "rmm_signals", ["tenant_id", *newest], postgresql_where=delivered
    )
    op.create_index(
        "ix_rmm_signals_integration",
        "rmm_signals",
        ["tenant_id", "integration_id", *newest],
        postgresql_where=delivered,
    )


def create_patches() -> None:
    op.create_table(
        "rmm_device_patches",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("kb", sa.Text(), nullable=True),
        moment("changed_at"),
        moment("first_seen_at", nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_rmm_device_patches"),
        sa.UniqueConstraint(
            "tenant_id",
            "device_id",
            "kind",
            "external_id",
            name="uq_rmm_device_patches_tenant_id_device_id_kind_external_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "device_id"],
            ["rmm_devices.tenant_id", "rmm_devices.id"],
            name="fk_rmm_device_patches_device",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_rmm_device_patches_patch",
        "rmm_device_patches",
        ["tenant_id", "status", "kind", "name"],
        postgresql_include=["device_id", "severity"],
    )
    op.create_table(
        "rmm_patch_lists",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("os_digest", sa.LargeBinary(), nullable=True),
        sa.Column("software_digest", sa.LargeBinary(), nullable=True),
        moment("changed_at", nullable=False),
        moment("scanned_at"),
        moment("empty_since"),
        sa.Column(
            "scanned_week",
            sa.Date(),
            sa.Computed("date_trunc('week', scanned_at AT TIME ZONE 'UTC')::date", persisted=True),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_rmm_patch_lists"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "id"],
            ["rmm_devices.tenant_id", "rmm_devices.id"],
            name="fk_rmm_patch_lists_device",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_rmm_patch_lists_tenant_id_scanned_week", "rmm_patch_lists", ["tenant_id", "scanned_week"]
    )


def create_vendor_maintenance() -> None:
    op.create_table(
        "rmm_vendor_maintenance",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("window_id", sa.Uuid(), nullable=False),
        sa.Column("window_name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        moment("until", nullable=False),
        moment("told_until"),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        moment("due_at"),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_rmm_vendor_maintenance"),
        sa.UniqueConstraint("tenant_id", "device_id", name="uq_rmm_vendor_maintenance_tenant_id_device_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "device_id"],
            ["rmm_devices.tenant_id", "rmm_devices.id"],
            name="fk_rmm_vendor_maintenance_device",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_rmm_vendor_maintenance_due",
        "rmm_vendor_maintenance",
        ["tenant_id", "due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )


def downgrade() -> None:
    drop_list_filters()
    for table in (
        "rmm_vendor_maintenance",
        "rmm_patch_lists",
        "rmm_device_patches",
        "rmm_signals",
        "rmm_pending_sign_ins",
    ):
        op.drop_table(table)
    op.drop_column("rmm_maintenance_windows", "at_vendor")
    op.drop_column("rmm_integrations", "registration")
    for name, _ in reversed(CONNECTION_COLUMNS):
        op.drop_column("rmm_integrations", name)
