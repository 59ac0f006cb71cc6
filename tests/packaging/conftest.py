"""The extension's wheel, built once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.packaging.wheels import PROJECT, build


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
