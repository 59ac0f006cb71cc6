"""The world with a vendor that can be told of maintenance."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.world import World

from .vendor import Told, Vendor


@pytest.fixture
def vendor(world: World) -> Vendor:
    registry: Any = world.rmm.providers
    told = Told(registry.get("tacticalrmm").runtime)
    told.vendor = Vendor()
    registry._providers["tacticalrmm"] = told
    return told.vendor


@pytest.fixture
def known(world: World, vendor: Vendor) -> World:
    """Three devices, of which the last belongs to no client."""
    world.device("d1", "SRV-1")
    world.device("d2", "SRV-2")
    world.device("d3", "SRV-3", client_id=None)
    return world
