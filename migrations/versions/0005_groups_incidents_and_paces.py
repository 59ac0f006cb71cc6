"""Add nested organizations, words and states of vendors for alerts, alerts set aside, and paces.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = (
    ("rmm_organization_mappings", "parent_external_id", sa.Text()),
    ("rmm_organization_mappings", "inherited_from", sa.Text()),
    ("rmm_alerts", "title", sa.Text()),
    ("rmm_alerts", "report", sa.Text()),
    ("rmm_alerts", "vendor_status", sa.Text()),
    ("rmm_integrations", "alerts_followed_to", sa.DateTime(timezone=True)),
)


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    for table, name, kind in COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=True))
    op.add_column(
        "rmm_organization_mappings",
        sa.Column("auto_tickets", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    op.alter_column("rmm_signals", "external_device_id", nullable=True)
    index_alerts("ix_rmm_alerts_assetless", "asset_id", instead_of="ix_rmm_alerts_deviceless")
    create_set_aside_alerts()
    create_paces()


def index_alerts(name: str, column: str, *, instead_of: str) -> None:
    """The open alerts of a vendor's device that lack this."""
    op.drop_index(instead_of, table_name="rmm_alerts")
    is_open = "status IN ('active', 'acknowledged', 'suppressed')"
    op.create_index(
        name,
        "rmm_alerts",
        ["tenant_id", "integration_id", "external_device_id"],
        postgresql_where=sa.text(f"{column} IS NULL AND external_device_id IS NOT NULL AND {is_open}"),
    )


def create_set_aside_alerts() -> None:
    op.create_table(
        "rmm_set_aside_alerts",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        moment("first_at"),
        moment("last_at"),
        moment("due_at", nullable=True),
        sa.Column("synthesized", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        moment("changed_at", nullable=True),
        moment("dismissed_at", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_rmm_set_aside_alerts"),
        sa.UniqueConstraint(
            "tenant_id",
            "integration_id",
            "external_id",
            name="uq_rmm_set_aside_alerts_tenant_id_integration_id_external_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "integration_id"],
            ["rmm_integrations.tenant_id", "rmm_integrations.id"],
            name="fk_rmm_set_aside_alerts_tenant_id_integration_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_rmm_set_aside_alerts_tenant_id_due_at", "rmm_set_aside_alerts", ["tenant_id", "due_at"]
    )


def create_paces() -> None:
    op.create_table(
        "rmm_paces",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        moment("following_at"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_rmm_paces"),
        sa.UniqueConstraint("tenant_id", "account", name="uq_rmm_paces_tenant_id_account"),
        postgresql_with={"fillfactor": 50},
    )


def downgrade() -> None:
    op.drop_table("rmm_paces")
    op.drop_table("rmm_set_aside_alerts")
    op.execute("DELETE FROM rmm_signals WHERE external_device_id IS NULL")
    op.alter_column("rmm_signals", "external_device_id", nullable=False)
    index_alerts("ix_rmm_alerts_deviceless", "device_id", instead_of="ix_rmm_alerts_assetless")
    op.drop_column("rmm_organization_mappings", "auto_tickets")
    for table, name, _ in reversed(COLUMNS):
        op.drop_column(table, name)
