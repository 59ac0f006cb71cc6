"""Know of a machine how many cores it has, how much storage, and its network interfaces.

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

_TABLES = ("workstation_assets", "server_assets")


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("cpu_cores", sa.Integer(), nullable=True))
        op.add_column(table, sa.Column("storage_gb", sa.Integer(), nullable=True))
        interfaces = postgresql.JSONB(astext_type=sa.Text())
        op.add_column(table, sa.Column("network_interfaces", interfaces, nullable=True))


def downgrade() -> None:
    for table in _TABLES:
        for column in ("network_interfaces", "storage_gb", "cpu_cores"):
            op.drop_column(table, column)
