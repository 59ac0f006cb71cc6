"""The wheel has what a host needs, and nothing of this repository besides."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The files of a wheel built from a copy of what git would ship."""
    source = tmp_path_factory.mktemp("source")
    for part in ("pyproject.toml", "README.md", "rmm_extension", "migrations"):
        subprocess.run(["cp", "-r", str(PROJECT / part), str(source)], check=True)
    target = tmp_path_factory.mktemp("wheel")
    argv = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target), str(source)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = target.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_migrations_templates_and_static_files_are_in(names: set[str]) -> None:
    for wanted in (
        "rmm_extension/migrations/env.py",
        "rmm_extension/migrations/versions/0001_initial.py",
        "rmm_extension/templates/rmm/base.html",
        "rmm_extension/static/rmm/rmm.js",
        "rmm_extension/py.typed",
    ):
        assert wanted in names


def test_every_file_of_the_package_is_in(names: set[str]) -> None:
    package = PROJECT / "rmm_extension"
    shipped = {
        str(path.relative_to(PROJECT))
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert shipped - names == set()


def test_nothing_else_is_in(names: set[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.startswith("rmm_extension")} == set()
