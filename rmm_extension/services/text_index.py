"""The indexes that find a part of a text: made after every upgrade, kept quick by the tick.

They need PostgreSQL's own extension ``pg_trgm``. Where it is not installed and may not be, everything works
without them; only searching a long list for a rare word is slow. They are no part of the models: a database
with them and one without both fit this version.
"""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import NotSupportedError, OperationalError, ProgrammingError

from .context import Rmm
from .unit import unit

EXTENSION = "pg_trgm"
INDEXES = {
    "ix_rmm_alerts_text": (
        "rmm_alerts",
        "(coalesce(device_name, '') || ' ' || coalesce(message, ''))",
    ),
    "ix_rmm_devices_text": ("rmm_devices", "name"),
    "ix_rmm_software_catalog_text": ("rmm_software_catalog", "(name || ' ' || publisher)"),
}
"""Table and expression of each index; a query must spell the expression the same way."""
_BUILDING = 4_716_031
"""Advisory lock of whoever builds: somebody else's half-built index looks like a broken one."""

_SCHEMA = text(
    "SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace"
    " WHERE extname = :extension"
)
_VALID = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
_CLEAN = text(
    "SELECT coalesce(sum(gin_clean_pending_list(oid)), 0) FROM pg_class"
    " WHERE oid = ANY(ARRAY(SELECT to_regclass(name) FROM unnest(CAST(:names AS text[])) AS name))"
    " AND relkind = 'i' AND pg_has_role(relowner, 'USAGE')"
)


def ensure(engine: Engine) -> None:
    """Make what is missing, without locking the tables; where that is not allowed, leave it."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _BUILDING}):
            return
        try:
            with suppress(ProgrammingError, NotSupportedError, OperationalError):
                connection.execute(text(f"CREATE EXTENSION IF NOT EXISTS {EXTENSION}"))
            if home := _home(connection):
                for name in missing(connection):
                    _build(connection, name, home)
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _BUILDING})


def installed(connection: Connection) -> bool:
    """Whether the database has the extension that the indexes need."""
    return _home(connection) is not None


def missing(connection: Connection) -> list[str]:
    """The indexes that are not there, or were left behind half-built."""
    return [name for name in INDEXES if not connection.scalar(_VALID, {"name": name})]


def clean_pending(rmm: Rmm) -> int:
    """For the tick: sort in what was written lately, so that no delivery has to stop for it; pages moved.

    PostgreSQL collects new entries in a list and sorts them in when it is full, in the midst of whatever
    insert filled it. A list that is emptied every half minute stays short.
    """
    with unit(rmm) as session:
        return session.scalar(_CLEAN, {"names": list(INDEXES)}) or 0


def _home(connection: Connection) -> str | None:
    found: str | None = connection.scalar(_SCHEMA, {"extension": EXTENSION})
    return found


def _build(connection: Connection, name: str, home: str) -> None:
    table, expression = INDEXES[name]
    connection.execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {name}"))
    connection.execute(
        text(
            f"CREATE INDEX CONCURRENTLY {name} ON {table}"
            f" USING gin ({expression} {home}.gin_trgm_ops) WITH (fastupdate = on)"
        )
    )
