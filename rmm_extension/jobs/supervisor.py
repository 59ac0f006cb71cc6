"""Keeps a set of processes running until told to stop."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rmm_extension.domain.logline import line

LOOK_EVERY = 0.2
LONGEST_PAUSE = 30.0
HEALTHY_AFTER = 60.0
PR_SET_PDEATHSIG = 1

log = logging.getLogger("rmm_extension")


@dataclass(slots=True)
class Child:
    """One process that is kept running."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    restart_at: float = field(default=0.0)

    def start(self) -> None:
        """Start it, in a group of its own: Ctrl-C in a terminal reaches us alone, and we pass it on once."""
        self.process = subprocess.Popen(self.command, process_group=0)
        self.started = time.monotonic()
        log.info(line("supervisor.started", process=self.name, pid=self.process.pid))

    def look(self) -> None:
        """Start it when it is not running and its pause is over."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.restart_at:
                self.start()
        elif (code := self.process.poll()) is not None:
            self._ended(code, now)

    def _ended(self, code: int, now: float) -> None:
        self.process = None
        self.failures = 1 if now - self.started > HEALTHY_AFTER else self.failures + 1
        pause = min(2.0 ** (self.failures - 1), LONGEST_PAUSE)
        self.restart_at = now + pause
        log.warning(line("supervisor.ended", process=self.name, code=code, restart_in=pause))

    def send(self, number: int) -> None:
        """Pass a signal on."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)


class Supervisor:
    """Runs one process per name and restarts those that end, with growing pauses."""

    def __init__(self, commands: Mapping[str, Sequence[str]]) -> None:
        self.children = [Child(name, command) for name, command in commands.items()]
        self._stopping = False

    def run(self) -> None:
        """Until SIGTERM or SIGINT, which is passed on; ends when all children have."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while not self._stopping:
            for child in self.children:
                child.look()
            time.sleep(LOOK_EVERY)
        for child in self.children:
            if child.process is not None:
                child.process.wait()

    def _stop(self, number: int, _frame: object) -> None:
        # Passed on each time: the second one tells a worker not to wait for its job.
        self._stopping = True
        for child in self.children:
            child.send(number)


def end_with_parent(parent: int) -> None:
    """Have the kernel end this process when ``parent`` does, killed or not, where it can (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it was quicker
        sys.exit(0)
