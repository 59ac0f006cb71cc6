"""Syncs at the same time: they meet in the catalog, and never in a ring."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import text

from rmm_extension.models import DeviceSoftware, Software
from rmm_extension.services.software import refresh_software, sync_software
from rmm_extension.services.unit import unit

from .conftest import Scene, item

TOOLS = [item(f"Tool {number}") for number in range(200)]


def together(*works: Callable[[], Any]) -> list[BaseException]:
    """Do all at once, each in a thread; the errors."""
    barrier = threading.Barrier(len(works))

    def begin(work: Callable[[], Any]) -> None:
        barrier.wait()
        work()

    with ThreadPoolExecutor(len(works)) as pool:
        found = [pool.submit(begin, work) for work in works]
    return [error for error in (one.exception() for one in found) if error]


def shuffled(seed: int, tools: Sequence[Any] = TOOLS) -> list[Any]:
    tools = list(tools)
    random.Random(seed).shuffle(tools)
    return tools


def test_connections_that_bring_the_same_products(scene: Scene) -> None:
    """All of one large page, and each in an order of its own."""
    products = [item(f"Product {number}") for number in range(2000)]
    scenes = [scene, *(Scene(scene.world.connect()) for _ in range(3))]
    works: list[Callable[[], Any]] = []
    for seed, one in enumerate(scenes):
        if one is not scene:
            one.world.map("1")
        one.devices(*(f"d{number}" for number in range(20)))
        mine = shuffled(seed, products)
        for number in range(20):
            one.tell(f"d{number}", *mine[number * 100 : (number + 1) * 100])
        run = one.world.run("software_sync")
        works.append(lambda one=one, run=run: sync_software(one.world.rmm, run))
    assert together(*works) == []
    assert len(scene.world._all(Software)) == len(products)
    assert len(scene.world._all(DeviceSoftware)) == len(scenes) * len(products)


def test_a_sync_and_refreshes_of_its_devices(scene: Scene) -> None:
    names = [f"d{number}" for number in range(12)]
    scene.devices(*names)
    for number, name in enumerate(names):
        scene.tell(name, *shuffled(number)[:50])
    run = scene.world.run("software_sync")
    works: list[Callable[[], Any]] = [lambda: sync_software(scene.world.rmm, run)]
    for name in names[:4]:
        mine = scene.start_refresh(name)
        works.append(lambda mine=mine: refresh_software(scene.world.rmm, mine))
    assert together(*works) == []
    assert len(scene.world._all(DeviceSoftware)) == 12 * 50


def test_a_device_sync_beside_a_software_sync(scene: Scene) -> None:
    """A device's row is never written for its software: the two need no order between them."""
    scene.devices("d1")
    scene.tell("d1", item("Zip"))
    run = scene.world.run("software_sync")
    errors: list[BaseException] = []
    with unit(scene.world.rmm) as session:
        session.execute(text("SELECT id FROM rmm_devices FOR NO KEY UPDATE"))
        errors += together(lambda: sync_software(scene.world.rmm, run))
    assert errors == []
    assert scene.present("d1") == ["Zip 1.0"]
