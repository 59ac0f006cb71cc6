"""A world in which people write workflows, with the pack of tests among the others."""

from __future__ import annotations

import pytest

from rmm_extension.workflows import catalog
from tests.harness.world import World
from tests.workflows.definitions.desk import Desk
from tests.workflows.engine.acme import PACK


@pytest.fixture
def desk(world: World, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Where an administrator sits."""
    known = catalog.own_packs()
    monkeypatch.setattr(catalog, "own_packs", lambda: (*known, PACK))
    return Desk(world)
