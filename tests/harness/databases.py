"""Fresh databases, each a clone of one template that is migrated once per run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from tests.harness.wait import until

LOCK = 4_716_023
"""Advisory lock under which one worker makes the template while the others wait."""


class Databases:
    """Makes and drops databases on one server."""

    def __init__(self, maintenance_url: str, template: str, prefix: str, *, foreign: bool = False) -> None:
        """`prefix` keeps the names of several workers apart."""
        # Copying files is quicker than logging pages, unless the checkpoint before it waits for a disk.
        self._strategy = "WAL_LOG" if foreign else "FILE_COPY"
        self._url: URL = make_url(maintenance_url).set(drivername="postgresql+psycopg")
        self._template = template
        self._prefix = prefix
        self._made = 0
        self._admin: psycopg.Connection[tuple[object, ...]] | None = None

    def url(self, name: str) -> str:
        """SQLAlchemy URL of a database."""
        return self._url.set(database=name).render_as_string(hide_password=False)

    def close(self) -> None:
        """Close the connection to the server."""
        if self._admin is not None:
            self._admin.close()

    def ensure_template(self, prepare: Callable[[str], None], source: str = "template0") -> None:
        """Make the template, a clone of the source that `prepare` changes, unless a worker of this run has.

        It appears under its name only when complete.
        """
        self._execute("SELECT pg_advisory_lock(%s)", LOCK)
        try:
            if not self._exists(self._template):
                unfinished = f"{self._template}_unfinished"
                self._drop(unfinished)
                self._execute(create(unfinished, source, self._strategy))
                prepare(self.url(unfinished))
                self._disconnect(unfinished)
                self._execute(rename(unfinished, self._template))
        finally:
            self._execute("SELECT pg_advisory_unlock(%s)", LOCK)

    def drop_template(self) -> None:
        """At the end of a run on a server that stays."""
        self._drop(self._template)
        self._drop(f"{self._template}_unfinished")

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """URL of a clone of the template, dropped afterwards with whatever is still connected to it."""
        self._made += 1
        name = f"{self._prefix}_{self._made}"
        self._execute(create(name, self._template, self._strategy))
        try:
            yield self.url(name)
        finally:
            self._drop(name)

    def _execute(self, query: str | sql.Composed, *values: object) -> psycopg.Cursor[tuple[object, ...]]:
        if self._admin is None:
            plain = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
            self._admin = psycopg.connect(plain, autocommit=True)
        return self._admin.execute(sql.SQL(query) if isinstance(query, str) else query, values)

    def _exists(self, name: str) -> bool:
        return self._execute("SELECT 1 FROM pg_database WHERE datname = %s", name).fetchone() is not None

    def _disconnect(self, name: str) -> None:
        """Cut all connections and see them gone: PostgreSQL itself would look only every 100 ms."""
        self._execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", name)
        until(lambda: not self._connected(name), f"the end of all connections to {name}", pause=0.001)

    def _connected(self, name: str) -> bool:
        return self._execute("SELECT 1 FROM pg_stat_activity WHERE datname = %s", name).fetchone() is not None

    def _drop(self, name: str) -> None:
        self._disconnect(name)
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def create(name: str, template: str, strategy: str) -> sql.Composed:
    """CREATE DATABASE as a clone."""
    return sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY {}").format(
        sql.Identifier(name), sql.Identifier(template), sql.Identifier(strategy.lower())
    )


def rename(old: str, new: str) -> sql.Composed:
    """ALTER DATABASE … RENAME."""
    return sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new))
