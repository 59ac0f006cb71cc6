"""The static checks of `make lint` and of the tests, as data."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = ("rmm_extension", "reference_psa", "simulators", "benchmarks")


@dataclass(frozen=True)
class Tool:
    """A check: a program and what it is told."""

    name: str
    words: tuple[str, ...]

    def argv(self) -> list[str]:
        """The command line, with the program of this environment."""
        return [sys.executable, *self.words]


TOOLS = (
    Tool("ruff check", ("-m", "ruff", "check", "--quiet", ".")),
    Tool("ruff format", ("-m", "ruff", "format", "--check", "--quiet", ".")),
    Tool(
        "import contracts",
        ("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"),
    ),
    Tool("mypy", ("-m", "mypy", *(name for name in PACKAGES if (PROJECT / name).is_dir()), "tests/harness")),
)
