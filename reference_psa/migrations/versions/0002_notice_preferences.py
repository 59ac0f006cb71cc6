"""Keep what people want to be told by kind of notice, and mails in HTML too.

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

_LIST = postgresql.JSONB(astext_type=sa.Text())


def upgrade() -> None:
    op.add_column("tenants", sa.Column("email_enabled", sa.Boolean(), server_default="true", nullable=False))
    op.add_column("tenants", sa.Column("muted_subtypes", _LIST, server_default="[]", nullable=False))
    op.add_column("users", sa.Column("muted_subtypes", _LIST, server_default="[]", nullable=False))
    op.execute(
        "UPDATE users SET muted_subtypes = '[\"RMM Alert Triggered\"]' WHERE muted_categories ? 'RMM Alerts'"
    )
    op.drop_column("users", "muted_categories")
    op.add_column("notifications", sa.Column("subtype", sa.Text(), server_default="", nullable=False))
    op.add_column("email_outbox", sa.Column("html", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("email_outbox", "html")
    op.drop_column("notifications", "subtype")
    op.add_column("users", sa.Column("muted_categories", _LIST, server_default="[]", nullable=False))
    op.drop_column("users", "muted_subtypes")
    op.drop_column("tenants", "muted_subtypes")
    op.drop_column("tenants", "email_enabled")
