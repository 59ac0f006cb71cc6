"""What is told of a device that was fetched by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from rmm_extension.domain.contracts.events import check
from rmm_extension.models import Outbox
from rmm_extension.services.unit import unit
from rmm_extension.signals import device_synced

from .conftest import World, device
from .test_refresh import refresh


def told(world: World) -> list[dict[str, Any]]:
    """The payloads of the event that wait."""
    with unit(world.rmm) as session:
        rows = session.scalars(select(Outbox.payload).where(Outbox.topic == "event").order_by(Outbox.id))
        return [row["payload"] for row in rows if row["name"] == "device_synced"]


@pytest.fixture
def listener() -> Iterator[None]:
    """Somebody who wants to know."""

    def listen(*_: object, **__: object) -> None: ...

    with device_synced.connected_to(listen):
        yield


def test_nobody_listens_and_nothing_is_written(world: World) -> None:
    world.map()
    world.script.devices = [device("d1")]
    refresh(world, "d1")
    assert told(world) == []


@pytest.mark.usefixtures("listener")
def test_a_fetched_device_is_told_of_changed_or_not(world: World) -> None:
    world.map()
    world.script.devices = [device("d1")]
    assert refresh(world, "d1")["created"] == 1
    assert refresh(world, "d1")["unchanged"] == 1
    first, second = told(world)
    check("device_synced", first)
    assert (first["externalDeviceId"], first["deviceId"]) == ("d1", str(world.device("d1").id))
    assert second["deviceId"] == first["deviceId"]


@pytest.mark.usefixtures("listener")
def test_what_is_not_kept_here_is_not_told_of(world: World) -> None:
    world.map("2", None)
    world.script.devices = [device("d2", "2")]
    assert refresh(world, "d2") == {"skipped": 1}
    world.script.devices = []
    refresh(world, "gone")
    assert told(world) == []
