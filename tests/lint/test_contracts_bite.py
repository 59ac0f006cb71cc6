"""The import contracts notice what they forbid."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.lint.tools import PROJECT, TOOLS

PACKAGES = ("rmm_extension", "reference_psa", "simulators", "benchmarks")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages and the contracts, to be spoiled."""
    folder = tmp_path_factory.mktemp("contracts")
    shutil.copy(PROJECT / "pyproject.toml", folder)
    for package in PACKAGES:
        shutil.copytree(
            PROJECT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "static")
        )
    return folder


@pytest.mark.parametrize(
    "module, line",
    [
        ("rmm_extension/providers/tacticalrmm/client.py", "import flask"),
        ("rmm_extension/providers/http.py", "import rmm_extension.models"),
        ("rmm_extension/domain/rules.py", "import sqlalchemy"),
        ("rmm_extension/services/connections.py", "from flask import request"),
        ("rmm_extension/models/alert.py", "import rmm_extension.services.unit"),
        ("rmm_extension/services/unit.py", "import reference_psa"),
    ],
)
def test_a_forbidden_import_breaks_a_contract(copy: Path, module: str, line: str) -> None:
    spoiled = copy / module
    honest = spoiled.read_text()
    spoiled.write_text(f"{honest}\n\n{line}\n")
    (contracts,) = (tool for tool in TOOLS if tool.name == "import contracts")
    argv = [*contracts.argv(), "--no-cache"]
    done = subprocess.run(argv, cwd=copy, capture_output=True, text=True, check=False)
    spoiled.write_text(honest)
    assert done.returncode != 0
    assert "BROKEN" in done.stdout
