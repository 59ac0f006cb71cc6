"""The extension's own migrations, run on the host's database."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine

from .models import Base
from .services import text_index

VERSION_TABLE = "rmm_alembic_version"
LOCK_TIMEOUT = "10s"
"""How long a migration waits for a busy table before it gives up and says so."""


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the extension's tables to ``revision``; the newest one gets the text indexes too, if it can."""
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        command.upgrade(_config(connection), revision)
    if revision == "head":
        text_index.ensure(engine)


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Take the extension's tables back to ``revision``; ``base`` removes them."""
    with engine.begin() as connection:
        command.downgrade(_config(connection), revision)


def drift(engine: Engine) -> list[object]:
    """What differs between the models and the database's ``rmm_`` tables."""
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": VERSION_TABLE,
                "include_name": lambda name, kind, parents: is_compared(name, kind),
                "compare_type": True,
            },
        )
        return list(compare_metadata(context, Base.metadata))


def is_compared(name: str | None, kind: str) -> bool:
    """What must agree with the models: our tables, and all in them but the indexes a database may lack."""
    if kind == "table":
        return (name or "").startswith("rmm_")
    return kind != "index" or name not in text_index.INDEXES


def new_revision(engine: Engine, message: str) -> None:
    """Write a revision with the differences between models and database."""
    with engine.begin() as connection:
        command.revision(_config(connection), message=message, autogenerate=True)


def is_host_table(name: str | None, kind: str) -> bool:
    """For the host's ``include_name``: leave the extension's tables alone."""
    return kind != "table" or not (name or "").startswith("rmm_")


def _config(connection: object) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
