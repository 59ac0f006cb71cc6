"""Book several technicians at once, keep overlaps and what was called off; calendars; mails to any address.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ENTRY = ["schedule_entries.tenant_id", "schedule_entries.id"]
_USER = ["users.tenant_id", "users.id"]


def upgrade() -> None:
    _people_of_entries()
    op.create_table(
        "schedule_conflicts",
        sa.Column("tenant_id", sa.String(36), nullable=False),
        sa.Column("entry_id", sa.String(36), nullable=False),
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.Column("other_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "entry_id"], _ENTRY, name=op.f("fk_schedule_conflicts_tenant_id_entry_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "other_id"], _ENTRY, name=op.f("fk_schedule_conflicts_tenant_id_other_id")
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "entry_id", "user_id", "other_id", name=op.f("pk_schedule_conflicts")
        ),
    )
    op.add_column("users", sa.Column("calendar_hash", sa.String(64), nullable=True))
    op.create_index("uq_users_calendar_hash", "users", ["calendar_hash"], unique=True)
    op.alter_column("email_outbox", "user_id", nullable=True)
    op.create_index(
        "uq_email_outbox_address",
        "email_outbox",
        ["tenant_id", "idempotency_key", sa.text("lower(recipient)")],
        unique=True,
        postgresql_where=sa.text("user_id IS NULL"),
    )


def _people_of_entries() -> None:
    table = "schedule_entries"
    for column in (
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("created_by", sa.String(36), nullable=True),
    ):
        op.add_column(table, column)
    filled = (
        sa.Column("status", sa.String(20), nullable=False, server_default="scheduled"),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("sequence", sa.Integer(), nullable=False, server_default="0"),
    )
    for filling in filled:
        op.add_column(table, filling)
        op.alter_column(table, filling.name, server_default=None)
    op.create_index(
        "uq_schedule_entries_idempotency_key", table, ["tenant_id", "idempotency_key"], unique=True
    )
    op.create_table(
        "schedule_entry_users",
        sa.Column("tenant_id", sa.String(36), nullable=False),
        sa.Column("entry_id", sa.String(36), nullable=False),
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "entry_id"], _ENTRY, name=op.f("fk_schedule_entry_users_tenant_id_entry_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], _USER, name=op.f("fk_schedule_entry_users_tenant_id_user_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "entry_id", "user_id", name=op.f("pk_schedule_entry_users")),
    )
    op.create_index(
        op.f("ix_schedule_entry_users_tenant_id_user_id"), "schedule_entry_users", ["tenant_id", "user_id"]
    )
    op.execute("INSERT INTO schedule_entry_users SELECT tenant_id, id, user_id FROM schedule_entries")
    op.drop_column(table, "user_id")  # with its index and its foreign key


def downgrade() -> None:
    op.drop_index("uq_email_outbox_address", "email_outbox")
    op.execute("DELETE FROM email_outbox WHERE user_id IS NULL")
    op.alter_column("email_outbox", "user_id", nullable=False)
    op.drop_index("uq_users_calendar_hash", "users")
    op.drop_column("users", "calendar_hash")
    op.drop_table("schedule_conflicts")
    _one_person_each()


def _one_person_each() -> None:
    table = "schedule_entries"
    op.add_column(table, sa.Column("user_id", sa.String(36), nullable=True))
    op.execute(
        "UPDATE schedule_entries e SET user_id = (SELECT min(p.user_id) FROM schedule_entry_users p"
        " WHERE p.tenant_id = e.tenant_id AND p.entry_id = e.id)"
    )
    op.drop_table("schedule_entry_users")
    # What was called off is not on an old board.
    op.execute("DELETE FROM schedule_entries WHERE user_id IS NULL OR status = 'cancelled'")
    op.alter_column(table, "user_id", nullable=False)
    op.create_foreign_key(
        op.f("fk_schedule_entries_tenant_id_user_id"),
        table,
        "users",
        ["tenant_id", "user_id"],
        ["tenant_id", "id"],
    )
    op.create_index(
        op.f("ix_schedule_entries_tenant_id_user_id_starts_at"), table, ["tenant_id", "user_id", "starts_at"]
    )
    op.drop_index("uq_schedule_entries_idempotency_key", table)
    for name in ("sequence", "changed_at", "status", "created_by", "idempotency_key", "notes"):
        op.drop_column(table, name)
