"""A simulated Level: one per test, and one per module for tests that only read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.levelio import Level, levels
from tests.harness.levelio import level as level
from tests.harness.levelio import start_level as start_level


@pytest.fixture(scope="module")
def shared() -> Iterator[Level]:
    """One server for the tests of a module that only read."""
    with levels() as start:
        yield start(devices=130, companies=6)
