"""The owner's side of `guard.py`: a process that cannot outlive us."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

GUARD = Path(__file__).with_name("guard.py")


@dataclass(frozen=True)
class Command:
    """What to run and how to end it."""

    argv: Sequence[str]
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    user: str | None = None
    """Account to run as; only root can name one."""
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    """Seconds between the stop signal and SIGKILL."""
    remove: Sequence[Path] = ()
    """Folders the guard removes when this process was killed before it could."""

    def guarded_argv(self) -> list[str]:
        """The command line with the guard in front."""
        options = ["--stop", self.stop_signal.name, "--grace", str(self.grace)]
        options += ["--user", self.user] if self.user else []
        options += [word for folder in self.remove for word in ("--remove", str(folder))]
        # -I and -S: no site-packages, no environment; the guard starts in about 20 ms.
        return [sys.executable, "-I", "-S", str(GUARD), *options, "--", *self.argv]


@dataclass
class Guarded:
    """A running command. When this object or its process goes away, the command ends."""

    command: Command
    output: IO[bytes] | int = subprocess.DEVNULL
    _process: subprocess.Popen[bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._process = subprocess.Popen(
            self.command.guarded_argv(),
            stdin=subprocess.PIPE,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            env=None if self.command.env is None else dict(self.command.env),
            cwd=self.command.cwd,
            start_new_session=True,  # Ctrl-C in the terminal reaches the owner alone
        )

    @property
    def stdout(self) -> IO[bytes] | None:
        """The command's output when `output` was subprocess.PIPE."""
        return self._process.stdout

    def poll(self) -> int | None:
        """Exit code, or None while it runs."""
        return self._process.poll()

    def request_stop(self) -> None:
        """Ask it to end, without waiting."""
        if self.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        """End it and wait: the stop signal, after the grace SIGKILL. Return the exit code."""
        self.request_stop()
        return self.collect()

    def kill(self) -> int:
        """End it as a crash would (SIGKILL to it and its children) and wait."""
        if self.poll() is None:
            self._process.send_signal(signal.SIGUSR1)
        return self.collect()

    def wait(self) -> int:
        """Wait for its end; after `request_stop` the command's grace bounds this."""
        return self._process.wait()

    def collect(self) -> int:
        """Wait for its end and let go of its pipes."""
        code = self.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        return code
