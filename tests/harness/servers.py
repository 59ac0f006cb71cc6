"""The PostgreSQL and the Valkey that all workers of one test run share."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Addresses:
    """What a worker must know."""

    postgres: str
    """SQLAlchemy URL of the maintenance database."""
    redis: str
    """URL of database 0."""
    foreign_postgres: bool
    """Whether that server was given to us and may be one that writes to its disk with care."""
    foreign_redis: bool
    """Whether that server was given to us: nothing there may be flushed that we did not put there."""
    template: str
    """Name of the template database of this run."""

    @property
    def populated(self) -> str:
        """Name of the template that holds the demonstration data as well."""
        return f"{self.template}_populated"


class SharedServers:
    """Starts what the environment does not name, on first use; owned by the process that runs pytest."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._stack = ExitStack()
        self._addresses: Addresses | None = None

    def addresses(self) -> Addresses:
        """Addresses of running servers."""
        if self._addresses is None:
            from reference_psa.local.postgres import FAST, PostgresServer
            from reference_psa.local.valkey import ValkeyServer

            home = scratch_folder(self._stack)
            postgres, valkey = os.environ.get("DATABASE_URL"), os.environ.get("RMM_REDIS_URL")
            self._addresses = Addresses(
                postgres=postgres
                or self._stack.enter_context(PostgresServer(home, FAST, disposable=True)).url(),
                redis=valkey or self._stack.enter_context(ValkeyServer(home)).url(),
                foreign_postgres=bool(postgres),
                foreign_redis=bool(valkey),
                template=f"rmm_template_{os.getpid()}",
            )
        return self._addresses

    def as_input(self) -> dict[str, str | bool]:
        """The addresses as xdist can carry them to a worker."""
        return asdict(self.addresses())

    @property
    def started(self) -> bool:
        """Whether anybody asked for the servers."""
        return self._addresses is not None

    def close(self) -> None:
        """Stop what was started."""
        self._stack.close()


def scratch_folder(stack: ExitStack) -> Path:
    """Folder that is gone when the stack closes; PostgreSQL's account may pass through it."""
    folder = Path(tempfile.mkdtemp(prefix="rmm-test-", dir=quick_folder()))
    folder.chmod(0o711)
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


def quick_folder() -> str | None:
    """Memory where there is plenty (a database is cloned there in 10 ms instead of 100 to 200), else /tmp."""
    memory = "/dev/shm"
    if os.access(memory, os.W_OK):
        size = os.statvfs(memory)
        if size.f_bavail * size.f_frsize > 2 * 2**30:
            return memory
    return "/tmp" if os.access("/tmp", os.W_OK) else None
