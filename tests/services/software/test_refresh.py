"""The software of one device, because a person asks."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from rmm_extension.domain.errors import Conflict, NotFound, Unavailable
from rmm_extension.host import Actor
from rmm_extension.models import DeviceRow, JobRun, new_id, utc_now
from rmm_extension.services.inventory import UnknownDevice
from rmm_extension.services.software import refresh_software, start_refresh, sync_software
from rmm_extension.services.unit import unit

from .conftest import Scene, item

ADA = Actor(id="ada", name="Ada", tenant_id="t1")


def test_one_device_is_written(scene: Scene) -> None:
    scene.devices("d1", "d2")
    scene.tell("d1", item("Zip"))
    scene.tell("d2", item("Zip"))
    assert scene.refresh("d1") == {"processed": 1, "updated": 1, "installed": 1}
    assert (scene.present("d1"), scene.present("d2")) == (["Zip 1.0"], [])
    assert scene.refresh("d1") == {"processed": 1, "unchanged": 1}


def test_a_device_that_the_vendor_does_not_know_keeps_what_is_known(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", item("Zip"))
    scene.sync()
    scene.world.script.software.clear()
    assert scene.refresh("d1") == {"processed": 1, "unknown": 1}
    assert scene.present("d1") == ["Zip 1.0"]
    scene.world.script.error = NotFound("No such device.")
    assert scene.refresh("d1") == {"processed": 1, "unknown": 1}
    assert scene.present("d1") == ["Zip 1.0"]


def test_an_error_leaves_everything(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", item("Zip"))
    scene.sync()
    scene.world.script.error = Unavailable("Away.")
    with pytest.raises(Unavailable):
        refresh_software(scene.world.rmm, scene.start_refresh("d1"))
    assert scene.present("d1") == ["Zip 1.0"]


def test_an_empty_list_is_doubted_here_too(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", item("Zip"))
    scene.sync()
    scene.tell("d1")
    assert scene.refresh("d1") == {"processed": 1, "doubtful": 1}
    assert scene.refresh("d1") == {"processed": 1, "updated": 1, "removed": 1}


def test_a_refresh_during_a_sync_is_the_later_word(scene: Scene) -> None:
    scene.devices("d1", "d2")
    scene.tell("d1", item("Zip", "1"))
    scene.tell("d2", item("Zip", "1"))
    scene.world.script.page_size = 1
    stale = scene.world.script.software.copy()

    def meanwhile(page: int) -> None:
        if page == 1:
            scene.tell("d2", item("Zip", "2"))
            run = scene.start_refresh("d2")
            refresh_software(scene.world.rmm, run)
            scene.world.script.software = stale

    scene.world.script.on_page = meanwhile
    run = scene.world.run("software_sync")
    sync_software(scene.world.rmm, run)
    assert scene.present("d2") == ["Zip 2"]


def test_starting_one(scene: Scene) -> None:
    scene.devices("d1")
    device_id = scene.world.device("d1").id
    with unit(scene.world.rmm) as session:
        run_id = start_refresh(scene.world.rmm, session, ADA, device_id)
    (run,) = [one for one in scene.world._all(JobRun) if one.id == run_id]
    assert (run.kind, run.queue, run.actor_name) == ("software_refresh", "rmm-alerts", "Ada")
    assert run.subject == {"device_id": str(device_id), "external_id": "d1"}
    with pytest.raises(Conflict, match="Software refresh is waiting"), unit(scene.world.rmm) as session:
        start_refresh(scene.world.rmm, session, ADA, device_id)


def test_starting_one_for_a_device_that_is_not_there(scene: Scene) -> None:
    scene.devices("d1")
    device_id = scene.world.device("d1").id
    stranger = Actor(id="eve", name="Eve", tenant_id="t2")
    for actor, wanted in ((ADA, new_id()), (stranger, device_id)):
        with pytest.raises(UnknownDevice), unit(scene.world.rmm) as session:
            start_refresh(scene.world.rmm, session, actor, wanted)
    with unit(scene.world.rmm) as session:
        session.execute(update(DeviceRow).values(deleted_at=utc_now()))
    with pytest.raises(UnknownDevice), unit(scene.world.rmm) as session:
        start_refresh(scene.world.rmm, session, ADA, device_id)
