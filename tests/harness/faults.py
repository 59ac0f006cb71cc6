"""Servers of one test alone, to be stopped, killed and frozen."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from reference_psa.local.postgres import FAST, PostgresServer
from reference_psa.local.valkey import ValkeyServer
from tests.harness.databases import Databases
from tests.harness.schema import prepare
from tests.harness.servers import scratch_folder


class PrivateServers:
    """Starts servers that belong to one test and ends them with it."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._stack = ExitStack()

    def postgres(self, database: str | None = "psa") -> PostgresServer:
        """Started server with a migrated database of that name (None: none); see `PostgresServer.url`."""
        server = self._stack.enter_context(PostgresServer(self.folder(), FAST, disposable=True))
        if database:
            databases = Databases(server.url(), database, "t")
            self._stack.callback(databases.close)
            databases.ensure_template(prepare)
            databases.close()
        return server

    def valkey(self, *, keep: bool = False) -> ValkeyServer:
        """Started server; with `keep` its data survive a restart."""
        return self._stack.enter_context(ValkeyServer(self.folder(), keep=keep))

    def folder(self) -> Path:
        """Empty folder that PostgreSQL's account reaches (pytest's tmp_path is closed to it)."""
        return scratch_folder(self._stack)

    def close(self) -> None:
        """End everything."""
        self._stack.close()
