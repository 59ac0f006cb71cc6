"""Alembic environment of the extension's tables: its own version table, the connection handed in."""

from alembic import context

from rmm_extension.models import Base
from rmm_extension.schema import is_compared

VERSION_TABLE = "rmm_alembic_version"


def _ours(name: str | None, type_: str, parent_names: object) -> bool:
    """Compare only ``rmm_`` tables: everything else in the database is the host's."""
    return is_compared(name, type_)


def run() -> None:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=Base.metadata,
        version_table=VERSION_TABLE,
        include_name=_ours,
        compare_type=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
