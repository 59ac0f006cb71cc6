"""Ends a server whose owner is gone (only where the guard could not: it was killed too, or has no prctl)."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path


def end_leftover(pid_file: Path, marker: str, gentle: signal.Signals, patience: float = 10.0) -> None:
    """Stop the process a pid file names, if its command line still contains `marker`, and remove the file.

    A pid alone proves nothing: after a restart of the machine or container it may belong to anybody.
    """
    pid = read_pid(pid_file)
    if pid is None:
        return
    if marker in command_line(pid):
        end(pid, marker, gentle, patience)
    pid_file.unlink(missing_ok=True)


def read_pid(pid_file: Path) -> int | None:
    """First line of a pid file, or None."""
    try:
        return int(pid_file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def command_line(pid: int) -> str:
    """The command line of a process; empty when there is none."""
    if Path("/proc/self/cmdline").exists():  # small images have no ps
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""
    listing = subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listing.stdout if listing.returncode == 0 else ""


def end(pid: int, marker: str, gentle: signal.Signals, patience: float) -> None:
    """Signal it gently, then with SIGKILL, and wait until it is gone."""
    for number in (gentle, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + patience
        while marker in command_line(pid):
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        else:
            return
