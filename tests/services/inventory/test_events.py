"""What is told of syncs keeps its contract, however they end."""

from __future__ import annotations

import pytest

from rmm_extension.domain.contracts.events import check
from rmm_extension.domain.errors import Unavailable
from rmm_extension.services.inventory import sync_devices, sync_organizations

from .conftest import World, device

SYNCS = pytest.mark.parametrize(
    "kind, sync", [("device_sync", sync_devices), ("organization_sync", sync_organizations)]
)


def told(world: World) -> list[str]:
    """The names of the events so far, each held against its contract."""
    found = world.events()
    for row in found:
        check(row["name"], row["payload"])
    return [row["name"] for row in found]


@SYNCS
def test_a_sync_that_ends_well(world: World, kind: str, sync: object) -> None:
    world.map()
    world.script.devices = [device("a"), device("b")]
    sync(world.rmm, world.run(kind))  # type: ignore[operator]
    assert told(world) == ["sync_started", "sync_finished"]


@SYNCS
def test_a_sync_that_fails(world: World, kind: str, sync: object) -> None:
    world.map()
    world.script.error = Unavailable("The vendor does not answer.", provider="fake")
    run = world.run(kind)
    with pytest.raises(Unavailable):
        sync(world.rmm, run)  # type: ignore[operator]
    assert told(world) == ["sync_started", "sync_failed"]
