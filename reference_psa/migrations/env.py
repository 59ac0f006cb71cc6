"""Runs the PSA's migrations; the tables of the RMM extension have their own tree and are left alone."""

from __future__ import annotations

from typing import Any

from alembic import context
from flask import current_app

FOREIGN_PREFIX = "rmm_"
LOCK_TIMEOUT = "SET lock_timeout = '5s'"

migrate = current_app.extensions["migrate"]
metadata = migrate.db.metadata


def is_ours(_object: Any, name: str | None, kind: str, _reflected: bool, _compare_to: Any) -> bool:
    """Whether a table belongs to the PSA."""
    return kind != "table" or not (name or "").startswith(FOREIGN_PREFIX)


def run_offline() -> None:
    """Write the statements out instead of running them."""
    context.configure(
        url=migrate.db.engine.url, target_metadata=metadata, literal_binds=True, include_object=is_ours
    )
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    """Run the migrations; a table that stays locked fails the run instead of stopping the PSA."""
    with migrate.db.engine.connect() as connection:
        connection.exec_driver_sql(LOCK_TIMEOUT)
        connection.commit()
        context.configure(
            connection=connection, target_metadata=metadata, include_object=is_ours, **migrate.configure_args
        )
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    run_offline()
else:
    run_online()
