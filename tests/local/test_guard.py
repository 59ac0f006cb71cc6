"""Nothing outlives its owner, not even what the command itself started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reference_psa.local.guarded import Command, Guarded
from tests.harness.wait import until
from tests.local.helpers import alive

FAMILY = """
import os, pathlib, signal, subprocess, sys, time
if sys.argv[2] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
target = pathlib.Path(sys.argv[1])
target.with_suffix(".tmp").write_text(f"{os.getpid()} {child.pid}")
target.with_suffix(".tmp").rename(target)
time.sleep(600)
"""

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="adopting orphans needs prctl")


def family(folder: Path, kind: str = "hearing", **options: float) -> tuple[Guarded, list[int]]:
    """A guarded command with a child in a session of its own, and both pids."""
    note = folder / "pids"
    guarded = Guarded(Command([sys.executable, "-c", FAMILY, str(note), kind], **options))  # type: ignore[arg-type]
    until(note.exists, "the start of the family")
    return guarded, [int(word) for word in note.read_text().split()]


@linux_only
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_end_takes_all_descendants(tmp_path: Path, end: str) -> None:
    guarded, pids = family(tmp_path)
    getattr(guarded, end)()
    assert not any(map(alive, pids))


@linux_only
def test_deaf_command_is_killed_after_the_grace(tmp_path: Path) -> None:
    guarded, pids = family(tmp_path, "deaf", grace=0.2)
    assert guarded.stop() == 128 + 9
    assert not any(map(alive, pids))


@linux_only
def test_dropping_the_object_ends_the_command(tmp_path: Path) -> None:
    guarded, pids = family(tmp_path)
    process = guarded._process
    assert process.stdin is not None
    process.stdin.close()  # what the kernel does for a killed owner
    process.wait()
    assert not any(map(alive, pids))


@linux_only
def test_killed_guard_takes_the_command_along(tmp_path: Path) -> None:
    guarded, pids = family(tmp_path)
    guarded._process.kill()
    guarded.collect()
    until(lambda: not alive(pids[0]), "the end of the command after its guard's")
    subprocess.run(["kill", str(pids[1])], check=False)


def test_exit_code_is_the_commands() -> None:
    assert Guarded(Command([sys.executable, "-c", "raise SystemExit(7)"])).collect() == 7


def test_missing_program_is_said() -> None:
    guarded = Guarded(Command(["/no/such/program"]), subprocess.PIPE)
    assert guarded.stdout is not None
    assert guarded.stdout.read() == b"/no/such/program: No such file or directory\n"
    assert guarded.collect() == 127
