"""What the nightly cleaning removes of software."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from rmm_extension.host import SYSTEM_ACTOR
from rmm_extension.models import DeviceRow, DeviceSoftware, Software, SoftwareList, utc_now
from rmm_extension.services import retention, runs
from rmm_extension.services.unit import unit

from .conftest import Scene, item


def clean(scene: Scene) -> dict[str, int]:
    """A night's cleaning; what it removed of software."""
    rmm, tenant = scene.world.rmm, scene.world.tenant
    with unit(rmm) as session:
        run_id = runs.start(rmm, session, SYSTEM_ACTOR(tenant), "retention")
    run = runs.take(rmm, tenant, run_id, 0)
    assert run is not None
    counts = retention.clean(rmm, run)
    scene.world.finish(run)
    return {name: counts[name] for name in ("software", "software_of_deleted", "products") if counts[name]}


def age(scene: Scene, days: int) -> None:
    """Let what is gone be gone for so many days."""
    long_ago = utc_now() - timedelta(days=days)
    with unit(scene.world.rmm) as session:
        session.execute(
            update(DeviceSoftware).where(DeviceSoftware.removed_at.is_not(None)).values(removed_at=long_ago)
        )


def test_what_is_gone_is_kept_as_long_as_history(scene: Scene) -> None:
    scene.devices("d1", "d2")
    scene.tell("d1", item("Zip"), item("Browser"))
    scene.tell("d2", item("Zip"))
    scene.sync()
    scene.tell("d1", item("Zip", "2"))
    scene.sync()
    age(scene, 364)
    assert clean(scene) == {}
    age(scene, 366)
    assert clean(scene) == {"software": 2, "products": 1}
    assert (scene.present("d1"), scene.gone("d1")) == (["Zip 2"], [])
    assert scene.present("d2") == ["Zip 1.0"]
    assert [row.name for row in scene.world._all(Software)] == ["Zip"]


def test_the_software_of_a_deleted_device_goes_with_its_list(scene: Scene) -> None:
    scene.devices("d1", "d2")
    scene.tell("d1", item("Zip"))
    scene.tell("d2", item("Browser"))
    scene.sync()

    def deleted(days: int | None) -> None:
        at = utc_now() - timedelta(days=days) if days is not None else None
        with unit(scene.world.rmm) as session:
            session.execute(update(DeviceRow).where(DeviceRow.external_id == "d1").values(deleted_at=at))

    deleted(364)
    assert clean(scene) == {}
    deleted(366)
    assert clean(scene) == {"software_of_deleted": 1, "products": 1}
    assert clean(scene) == {}
    deleted(None)
    assert scene.sync() == {"processed": 2, "updated": 1, "unchanged": 1, "installed": 1}
    assert scene.present("d1") == ["Zip 1.0"]


def test_a_product_that_a_sync_holds_is_left_for_the_next_night(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", item("Zip"))
    scene.sync()
    scene.tell("d1", item("Browser"))
    scene.sync()
    age(scene, 366)
    with scene.world.rmm.db.engine.begin() as other:
        other.execute(select(Software.id).with_for_update(read=True, key_share=True))
        assert clean(scene) == {"software": 1}
    assert clean(scene) == {"products": 1}


def test_nothing_waits_for_a_list_that_is_held(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", item("Zip"))
    scene.sync()
    with unit(scene.world.rmm) as session:
        session.execute(update(DeviceRow).values(deleted_at=utc_now() - timedelta(days=400)))
    with scene.world.rmm.db.engine.begin() as other:
        other.execute(select(SoftwareList.id).with_for_update())
        assert clean(scene) == {}
    assert clean(scene) == {"software_of_deleted": 1, "products": 1}
