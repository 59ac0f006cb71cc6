"""What the nightly cleaning removes of patches."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from rmm_extension.host import SYSTEM_ACTOR
from rmm_extension.models import DevicePatch, DeviceRow, PatchList, utc_now
from rmm_extension.services import retention, runs
from rmm_extension.services.unit import unit

from .conftest import Scene, patch


def clean(scene: Scene) -> int:
    """A night's cleaning; how many patches it removed."""
    rmm, tenant = scene.world.rmm, scene.world.tenant
    with unit(rmm) as session:
        run_id = runs.start(rmm, session, SYSTEM_ACTOR(tenant), "retention")
    run = runs.take(rmm, tenant, run_id, 0)
    assert run is not None
    counts = retention.clean(rmm, run)
    scene.world.finish(run)
    return int(counts["patches_of_deleted"])


def deleted(scene: Scene, days: int | None, external_id: str = "d1") -> None:
    """Let a device be deleted for so many days, or be here again."""
    at = utc_now() - timedelta(days=days) if days is not None else None
    with unit(scene.world.rmm) as session:
        session.execute(update(DeviceRow).where(DeviceRow.external_id == external_id).values(deleted_at=at))


def test_the_patches_of_a_deleted_device_go_with_its_list(scene: Scene) -> None:
    scene.devices("d1", "d2")
    scene.tell("d1", patch("Update"), patch("Old", "installed"))
    scene.tell("d2", patch("Update"))
    scene.sync()
    deleted(scene, 364)
    assert clean(scene) == 0
    deleted(scene, 366)
    assert clean(scene) == 2
    assert (len(scene.world._all(DevicePatch)), len(scene.world._all(PatchList))) == (1, 1)
    deleted(scene, None)
    assert scene.sync() == {"processed": 2, "updated": 1, "unchanged": 1, "added": 2}


def test_nothing_waits_for_a_list_that_is_held(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", patch("Update"))
    scene.sync()
    deleted(scene, 400)
    with scene.world.rmm.db.engine.begin() as other:
        other.execute(select(PatchList.id).with_for_update())
        assert clean(scene) == 0
    assert clean(scene) == 1


def test_all_deleted_devices_are_cleaned_in_one_night(scene: Scene) -> None:
    names = [f"d{number}" for number in range(60)]
    scene.devices(*names)
    for name in names:
        scene.tell(name, patch("Update"))
    scene.sync()
    for name in names:
        deleted(scene, 400, name)
    assert clean(scene) == 60
