"""Syncs, refreshes and deletions at the same time: devices are held before their lists, never in a ring."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from sqlalchemy import select, text

from rmm_extension.host import Actor
from rmm_extension.models import DevicePatch, DeviceRow, utc_now
from rmm_extension.services.device_locks import held_devices
from rmm_extension.services.inventory import sync_devices
from rmm_extension.services.patches import refresh_patches, sync_patches
from rmm_extension.services.unit import unit
from tests.services.software.test_together import together

from .conftest import Scene, of_program, patch

ADA = Actor(id="ada", name="Ada", tenant_id="t1")
NAMES = [f"d{number}" for number in range(40)]


def told(scene: Scene, seed: int, names: list[str] = NAMES) -> None:
    """Other patches for all devices, in an order of its own."""
    chance = random.Random(seed)
    scene.world.script.patches.clear()
    for name in chance.sample(names, len(names)):
        picked = chance.sample(range(30), 12)
        scene.tell(name, *(patch(f"Update {n}") for n in picked), of_program(f"Program {seed}"))


def test_a_sync_of_patches_beside_one_of_devices_and_their_deletion(scene: Scene) -> None:
    """All three write the devices' rows."""
    scene.devices(*NAMES)
    told(scene, 1)
    scene.sync()
    for seed in (2, 3, 4):
        told(scene, seed)
        for name in NAMES:
            scene.world.script.replace(name, agent_version=str(seed))
        patches, devices = scene.world.run("patch_sync"), scene.world.run()
        works: list[Callable[[], Any]] = [
            lambda run=patches: sync_patches(scene.world.rmm, run),
            lambda run=devices: sync_devices(scene.world.rmm, run),
            lambda: delete(scene, NAMES[:20]),
        ]
        assert together(*works) == []
        scene.world.finish(patches)
        scene.world.finish(devices)
    counts = scene.sync()
    assert counts["processed"] == len([row for row in scene.world.devices().values() if not row.deleted_at])
    assert counts["unchanged"] + counts.get("updated", 0) == counts["processed"]


def delete(scene: Scene, names: list[str]) -> None:
    """Mark devices deleted, as the end of a listing does."""
    with unit(scene.world.rmm) as session:
        held = held_devices(DeviceRow.tenant_id == ADA.tenant_id, DeviceRow.external_id.in_(names))
        ids = session.scalars(select(held.c.id)).all()
        statement = text("UPDATE rmm_devices SET deleted_at = :now WHERE id = ANY(:ids)")
        session.execute(statement, {"now": utc_now(), "ids": list(ids)})


def test_two_connections_at_once(scene: Scene) -> None:
    other = Scene(scene.world.connect())
    other.world.map("1")
    works: list[Callable[[], Any]] = []
    for seed, one in enumerate((scene, other)):
        one.devices(*NAMES)
        told(one, seed)
        run = one.world.run("patch_sync")
        works.append(lambda one=one, run=run: sync_patches(one.world.rmm, run))
    assert together(*works) == []
    assert len(scene.world._all(DevicePatch)) == 2 * len(NAMES) * 13


def test_a_sync_and_refreshes_of_its_devices(scene: Scene) -> None:
    scene.devices(*NAMES)
    told(scene, 1)
    run = scene.world.run("patch_sync")
    works: list[Callable[[], Any]] = [lambda: sync_patches(scene.world.rmm, run)]
    for name in NAMES[:4]:
        mine = scene.start_refresh(name)
        works.append(lambda mine=mine: refresh_patches(scene.world.rmm, mine))
    assert together(*works) == []
    assert len(scene.world._all(DevicePatch)) == len(NAMES) * 13
    assert all(scene.facts(name)["has_pending_patches"] for name in NAMES)


def test_numbers_that_the_vendor_tells_leave_devices_to_others(scene: Scene, telling: None) -> None:
    """A device's row is not written for its patches: a device sync never waits for them, nor they for it."""
    scene.devices("d1")
    scene.tell("d1", patch("Update"))
    run = scene.world.run("patch_sync")
    errors: list[BaseException] = []
    with unit(scene.world.rmm) as session:
        session.execute(text("SELECT id FROM rmm_devices FOR NO KEY UPDATE"))
        errors += together(lambda: sync_patches(scene.world.rmm, run))
    assert errors == []
    assert scene.patches("d1") == ["Update pending"]
