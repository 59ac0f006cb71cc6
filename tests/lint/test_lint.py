"""The static checks, each a test."""

from __future__ import annotations

import subprocess

import pytest

from tests.lint.tools import PROJECT, TOOLS, Tool


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_static_check_finds_nothing(tool: Tool) -> None:
    done = subprocess.run(tool.argv(), cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{tool.name}:\n{done.stdout}{done.stderr}"
