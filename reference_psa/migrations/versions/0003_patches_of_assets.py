"""Know of a machine that patches wait, where the RMM gives no number of them; drop an index nobody asks.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES = ("workstation_assets", "server_assets")


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("has_pending_patches", sa.Boolean(), nullable=True))
    op.drop_index("ix_assets_rmm_device", table_name="assets")


def downgrade() -> None:
    op.create_index("ix_assets_rmm_device", "assets", ["tenant_id", "rmm_provider", "rmm_device_id"])
    for table in _TABLES:
        op.drop_column(table, "has_pending_patches")
