"""The patches of one device, because a person asks or the vendor tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from rmm_extension.domain.errors import ConfigError, Conflict, NotFound, Unavailable
from rmm_extension.domain.patches import PatchKind
from rmm_extension.host import Actor
from rmm_extension.models import DeviceRow, JobRun, new_id, utc_now
from rmm_extension.providers.contract import Provider, Runtime
from rmm_extension.providers.registry import ProviderRegistry
from rmm_extension.services import runs
from rmm_extension.services.inventory import UnknownDevice
from rmm_extension.services.patches import refresh_patches, refresh_work, start_refresh, sync_patches
from rmm_extension.services.unit import unit
from tests.services.inventory.fakes import FakeProvider

from .conftest import Scene, of_program, patch

ADA = Actor(id="ada", name="Ada", tenant_id="t1")


def test_one_device_is_written(scene: Scene) -> None:
    scene.devices("d1", "d2")
    scene.tell("d1", patch("Update"))
    scene.tell("d2", patch("Update"))
    assert scene.refresh("d1") == {"processed": 1, "updated": 1, "added": 1}
    assert (scene.patches("d1"), scene.patches("d2")) == (["Update pending"], [])
    assert scene.facts("d1")["os_patches_pending"] == 1
    assert scene.refresh("d1") == {"processed": 1, "unchanged": 1}


@pytest.mark.usefixtures("telling")
def test_a_vendors_own_numbers_stay(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", patch("Update"))
    scene.refresh("d1")
    assert scene.facts("d1") == {}


def test_a_device_that_the_vendor_does_not_know_keeps_what_is_known(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", patch("Update"))
    scene.sync()
    scene.world.script.patches.clear()
    assert scene.refresh("d1") == {"processed": 1, "unknown": 1}
    scene.world.script.error = NotFound("No such device.")
    assert scene.refresh("d1") == {"processed": 1, "unknown": 1}
    assert scene.patches("d1") == ["Update pending"]


def test_a_kind_that_may_not_be_read_stays_as_it_is(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", patch("Update"), of_program("Browser"))
    scene.sync()
    scene.world.script.unread = {PatchKind.OS: "Not to be read."}
    scene.tell("d1", of_program("Browser", "installed"))
    run = scene.start_refresh("d1")
    counts = refresh_patches(scene.world.rmm, run)
    assert (counts["updated"], counts["changed"], counts["not_read"]) == (1, 1, 1)
    assert scene.world.stored_run(run).errors == ["Not to be read."]
    assert scene.patches("d1") == ["Update pending", "Browser installed"]


def test_an_error_leaves_everything(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", patch("Update"))
    scene.sync()
    scene.world.script.error = Unavailable("Away.")
    with pytest.raises(Unavailable):
        refresh_patches(scene.world.rmm, scene.start_refresh("d1"))
    assert scene.patches("d1") == ["Update pending"]


def test_an_empty_list_is_doubted_here_too(scene: Scene) -> None:
    scene.devices("d1")
    scene.tell("d1", patch("Update"))
    scene.sync()
    scene.tell("d1")
    assert scene.refresh("d1") == {"processed": 1, "doubtful": 1}
    assert scene.refresh("d1") == {"processed": 1, "updated": 1, "removed": 1}


def test_a_refresh_during_a_sync_is_the_later_word(scene: Scene) -> None:
    scene.devices("d1", "d2")
    scene.tell("d1", patch("Update"))
    scene.tell("d2", patch("Update"))
    scene.world.script.page_size = 1
    stale = scene.world.script.patches.copy()

    def meanwhile(page: int) -> None:
        if page == 1:
            scene.tell("d2", patch("Update", "installed"))
            refresh_patches(scene.world.rmm, scene.start_refresh("d2"))
            scene.world.script.patches = stale

    scene.world.script.on_page = meanwhile
    sync_patches(scene.world.rmm, scene.world.run("patch_sync"))
    assert scene.patches("d2") == ["Update installed"]
    assert scene.facts("d2")["os_patches_pending"] == 0


def test_a_refresh_of_a_device_that_the_sync_does_not_name(scene: Scene) -> None:
    """It got its first patches after the sync had asked."""
    scene.devices("d1", "d2")
    scene.tell("d1", patch("Update"))

    def meanwhile(page: int) -> None:
        scene.tell("d2", patch("Update"))
        refresh_patches(scene.world.rmm, scene.start_refresh("d2"))
        scene.silence("d2")

    scene.world.script.on_page = meanwhile
    sync_patches(scene.world.rmm, scene.world.run("patch_sync"))
    assert scene.patches("d2") == ["Update pending"]
    assert scene.list_of("d2").empty_since is None


def test_starting_one(scene: Scene) -> None:
    scene.devices("d1")
    device_id = scene.world.device("d1").id
    with unit(scene.world.rmm) as session:
        run_id = start_refresh(scene.world.rmm, session, ADA, device_id)
    (run,) = [one for one in scene.world._all(JobRun) if one.id == run_id]
    assert (run.kind, run.queue, run.actor_name) == ("patch_refresh", "rmm-alerts", "Ada")
    assert run.subject == {"device_id": str(device_id), "external_id": "d1"}
    with pytest.raises(Conflict, match="Patch refresh is waiting"), unit(scene.world.rmm) as session:
        start_refresh(scene.world.rmm, session, ADA, device_id)


def test_starting_one_that_waits_for_its_time(scene: Scene) -> None:
    scene.devices("d1")
    device = scene.world.device("d1")
    work = refresh_work(device.integration_id, device.id, "d1")
    with unit(scene.world.rmm) as session:
        later = replace(work, due_at=utc_now() + timedelta(hours=1))
        (waiting,) = runs.try_start_all(session, ADA, "patch_refresh", [later])
    with unit(scene.world.rmm) as session:
        assert start_refresh(scene.world.rmm, session, ADA, device.id) == waiting
    (run,) = [one for one in scene.world._all(JobRun) if one.id == waiting]
    assert run.due_at <= utc_now()


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


class Silent(Provider):
    manifest = FakeProvider.manifest


def test_a_vendor_without_them(scene: Scene) -> None:
    registry = ProviderRegistry(Runtime(), sources=[("fake", lambda: Silent)])
    with pytest.raises(ConfigError, match="patches of a single device"):
        refresh_patches(replace(scene.world.rmm, providers=registry), scene.start_refresh("d1"))
