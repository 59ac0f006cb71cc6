"""File tickets under categories and subcategories.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "categories",
        sa.Column("tenant_id", sa.String(36), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("parent_id", sa.String(36), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_categories_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_categories")),
    )
    for column in ("category_id", "subcategory_id"):
        op.add_column("tickets", sa.Column(column, sa.String(36), nullable=True))


def downgrade() -> None:
    for column in ("subcategory_id", "category_id"):
        op.drop_column("tickets", column)
    op.drop_table("categories")
