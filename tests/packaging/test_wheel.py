"""The wheel has what a host needs, and nothing of this repository besides."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.packaging.wheels import PROJECT


@pytest.fixture(scope="module")
def names(extension_wheel: Path) -> set[str]:
    """The files of the wheel."""
    with zipfile.ZipFile(extension_wheel) as archive:
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
