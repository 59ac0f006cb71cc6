"""A simulated NinjaOne: one per test, and one per module for tests that only read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.ninjaone import Ninja, ninjas
from tests.harness.ninjaone import ninja as ninja
from tests.harness.ninjaone import start_ninja as start_ninja


@pytest.fixture(scope="module")
def shared() -> Iterator[Ninja]:
    """One server for the tests of a module that only read."""
    with ninjas() as start:
        yield start(devices=120, organizations=6)
