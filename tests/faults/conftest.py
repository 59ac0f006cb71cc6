"""The whole installation, for tests that break it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.harness import Stage, stage


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Stage]:
    """Web, worker, scheduler and a simulated vendor, with a seeded database."""
    with stage(tmp_path) as made:
        yield made
