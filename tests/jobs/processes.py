"""`flask rmm …` as real processes on the tiny app."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.harness.wait import until

ROOT = Path(__file__).parents[2]


class Processes:
    """Starts processes that are ended with the test; what they print goes to ``log``."""

    def __init__(self, database_url: str, redis_url: str, log: Path) -> None:
        self.log = log
        self._env = {
            **os.environ,
            "TINY_DATABASE_URL": database_url,
            "TINY_REDIS_URL": redis_url,
            "PYTHONUNBUFFERED": "1",
        }
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """``flask rmm`` with these arguments."""
        command = [sys.executable, "-m", "flask", "--app", "tests.jobs.tiny:create_app", "rmm", *arguments]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command, env=self._env, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
            )
        self._running.append(process)
        return process

    def text(self) -> str:
        """What they have printed."""
        return self.log.read_text()

    def says(self, words: str, seconds: float = 90) -> None:
        """Wait until one of them has printed this."""
        until(lambda: self.log.exists() and words in self.text(), f"“{words}” in the log", seconds)

    def close(self) -> None:
        """End all of them, and what they started."""
        for process in self._running:
            for pid in [process.pid, *descendants(process.pid)]:
                end(pid)
            process.wait()


@contextmanager
def processes(database_url: str, redis_url: str, log: Path) -> Iterator[Processes]:
    """Processes for one test."""
    made = Processes(database_url, redis_url, log)
    try:
        yield made
    finally:
        made.close()


def descendants(pid: int) -> list[int]:
    """All processes below one."""
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            found += [child, *descendants(child)]
    return found


def end(pid: int) -> None:
    """`kill -9`; no error when it is gone."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def alive(pid: int) -> bool:
    """Whether the process is there and not only waiting to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
