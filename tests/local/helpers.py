"""Runs a piece of Python in a process of its own, as one that can be killed."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]

WITHOUT_APPLICATION = """\
import sys, types
package = types.ModuleType("reference_psa")
package.__path__ = ["reference_psa"]
sys.modules["reference_psa"] = package  # `reference_psa.local` alone, which needs no Flask
sys.modules["reference_psa.seed"] = None
"""


@contextmanager
def script(source: str, *arguments: object, **options: object) -> Iterator[subprocess.Popen[str]]:
    """A running `python -c source` that sees `reference_psa.local`; killed at the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-c", WITHOUT_APPLICATION + textwrap.dedent(source), *map(str, arguments)],
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,  # type: ignore[call-overload]
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def alive(pid: int) -> bool:
    """Whether a process is there and is not a mere zombie."""
    if Path("/proc/self/stat").exists():  # small images have no ps
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
        except OSError:
            return False
    listing = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], stdout=subprocess.PIPE, text=True, check=False
    )
    return listing.returncode == 0 and not listing.stdout.startswith("Z")
