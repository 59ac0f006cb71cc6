"""The extension's wheel, built once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.packaging.wheels import PROJECT, build


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever needs the wheel runs on the worker that has built it."""
    for item in items:
        if "extension_wheel" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("wheel"))


@pytest.fixture(scope="session")
def extension_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of what git would ship."""
    source = tmp_path_factory.mktemp("source")
    for part in ("pyproject.toml", "README.md", "rmm_extension", "migrations"):
        origin, copy = PROJECT / part, source / part
        if origin.is_dir():
            shutil.copytree(origin, copy, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(origin, copy)
    return build(source, tmp_path_factory.mktemp("wheel"))
