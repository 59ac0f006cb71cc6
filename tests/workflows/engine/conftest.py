from __future__ import annotations

import pytest

from rmm_extension.workflows import catalog
from tests.harness.world import World
from tests.workflows.engine.acme import PACK
from tests.workflows.engine.studio import Studio


@pytest.fixture
def studio(world: World, monkeypatch: pytest.MonkeyPatch) -> Studio:
    """The world with the pack of tests among the others."""
    known = catalog.own_packs()
    monkeypatch.setattr(catalog, "own_packs", lambda: (*known, PACK))
    return Studio(world)
