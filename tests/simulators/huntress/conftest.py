"""A simulated Huntress: one per test, and one per module for tests that only read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.huntress import Huntress, huntresses
from tests.harness.huntress import huntress as huntress
from tests.harness.huntress import start_huntress as start_huntress


@pytest.fixture(scope="module")
def shared() -> Iterator[Huntress]:
    """One server with some history for the tests of a module that only read."""
    with huntresses() as start:
        yield start(agents=120, organizations=6, incidents_at_start=24, escalations_at_start=5)
