from __future__ import annotations

import pytest

from rmm_extension.workflows import catalog
from tests.harness.world import World
from tests.services.actions.conftest import Scene, looks_at_once, scene, start_server
from tests.workflows.engine.acme import PACK
from tests.workflows.engine.studio import Studio
from tests.workflows.engine.vendor import Vendor

__all__ = ["looks_at_once", "scene", "start_server"]


@pytest.fixture
def studio(world: World, monkeypatch: pytest.MonkeyPatch) -> Studio:
    """The world with the pack of tests among the others."""
    known = catalog.own_packs()
    monkeypatch.setattr(catalog, "own_packs", lambda: (*known, PACK))
    return Studio(world)


@pytest.fixture
def vendor(studio: Studio, scene: Scene) -> Vendor:
    """One device of a simulated vendor."""
    return Vendor(studio, scene)
