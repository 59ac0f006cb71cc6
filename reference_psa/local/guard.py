"""Run one command that ends when whoever asked for it ends, even by `kill -9`.

Started as a script by `guarded.Guarded`, one guard per server or process, with the interpreter's `-I -S`;
imports nothing of the project. Its standard input is the life line: when that reaches its end, the owner is
gone (the kernel closes it for a killed process too, on every platform), and the command is stopped.

    guard.py [--user NAME] [--stop SIGNAL] [--grace SECONDS] [--remove FOLDER]… -- COMMAND [ARGUMENT…]

SIGTERM stops the command: first with SIGNAL (to the command alone), after the grace with SIGKILL to all that
is left of it. SIGUSR1 is the `kill -9` of the fault tests. The exit code is the command's. FOLDERs go
when the life line broke, because then nobody else is there to do it.
"""

import argparse
import contextlib
import ctypes
import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def main() -> int:
    """Run the command to its end and return its exit code, 128 + n after signal n."""
    options = parse()
    wake = signal_pipe()
    adopt_orphans()
    try:
        child = start(options)
    except OSError as error:
        print(f"{options.command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        return 127
    broken = watch(child, wake, options)
    bury()
    for folder in options.remove if broken else ():
        shutil.rmtree(folder, ignore_errors=True)
    code = child.returncode
    return code if code >= 0 else 128 - code


def parse() -> argparse.Namespace:
    """The options and the command."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--user")
    parser.add_argument("--stop", default="SIGTERM")
    parser.add_argument("--grace", type=float, default=10.0)
    parser.add_argument("--remove", action="append", default=[])
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def signal_pipe() -> int:
    """Descriptor that yields one byte, the number, per signal received."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    return reader


def adopt_orphans() -> None:
    """Become the parent of whatever the command leaves behind (Linux), so that it can be ended too."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def prctl(option: int, value: int) -> None:
    """Set a process attribute where the kernel has prctl."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def start(options: argparse.Namespace) -> subprocess.Popen[bytes]:
    """Start the command in a process group of its own, as the user asked for."""
    account: dict[str, Any] = {}
    if options.user:
        entry = pwd.getpwnam(options.user)
        account = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    return subprocess.Popen(
        options.command,
        stdin=subprocess.DEVNULL,
        process_group=0,
        # Safe with one thread; and only after the change of user, which would clear it.
        preexec_fn=lambda: prctl(PR_SET_PDEATHSIG, signal.Signals[options.stop]),
        **account,
    )


def watch(child: subprocess.Popen[bytes], wake: int, options: argparse.Namespace) -> bool:
    """Wait for the command's end, stopping it when told to; True when the life line broke first."""
    stop, lifeline = signal.Signals[options.stop], sys.stdin.fileno()
    watched, deadline, broken = [wake, lifeline], None, False
    while child.poll() is None:
        timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
        ready, _, _ = select.select(watched, [], [], timeout)
        numbers = os.read(wake, 64) if wake in ready else b""
        if lifeline in ready and not os.read(lifeline, 64):
            watched, broken = [wake], True
        asked = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}.intersection(numbers)
        if deadline is None and (broken or asked):
            deadline = time.monotonic() + options.grace
            child.send_signal(stop)
        elif signal.SIGUSR1 in numbers or (deadline is not None and not ready):
            kill_all(child.pid)
    return broken


def kill_all(pid: int) -> None:
    """SIGKILL to the command and to all that it started."""
    for victim in [pid, *descendants()]:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(victim, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def bury() -> None:
    """After the command's end: SIGKILL to what it left running, and collect it."""
    deadline = time.monotonic() + 5
    while (left := list(descendants())) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.002)


def descendants() -> Iterator[int]:
    """Ids of all processes below this one; none where the system has no /proc."""
    pending = [os.getpid()]
    while pending:
        pid = pending.pop()
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found = [int(word) for word in children.read_text().split()]
                pending += found
                yield from found


if __name__ == "__main__":
    sys.exit(main())
