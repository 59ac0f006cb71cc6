"""What the host's assets learn from lists of patches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from rmm_extension.domain.patches import PatchKind
from rmm_extension.models import DeviceRow, PatchList
from rmm_extension.services.inventory.sql import execute
from rmm_extension.services.patches import sync_patches
from rmm_extension.services.unit import unit
from tests.services.inventory.conftest import NOON
from tests.services.inventory.fakes import StoredAsset

from .conftest import Scene, of_program, patch

MAY = datetime(2026, 5, 1, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, tzinfo=UTC)
COUNTED = {
    "has_pending_patches": True,
    "pending_patches": 3,
    "pending_os_patches": 2,
    "pending_software_patches": 1,
    "failed_patches": 1,
}


def asset(scene: Scene, external_id: str = "d1") -> StoredAsset:
    asset_id = scene.world.device(external_id).asset_id
    assert asset_id is not None
    return scene.world.assets.of(scene.world.tenant)[asset_id]


def told(scene: Scene, external_id: str = "d1") -> dict[str, Any]:
    """The columns of the asset that have to do with patches."""
    return {name: value for name, value in asset(scene, external_id).vitals.items() if "patch" in name}


def list_some(scene: Scene, external_id: str = "d1", scanned_at: datetime | None = MAY) -> None:
    failed = patch("Failed", "failed")
    scene.tell(
        external_id, patch("A"), patch("B", "approved"), failed, of_program("C"), scanned_at=scanned_at
    )


def test_numbers_and_the_last_scan(scene: Scene) -> None:
    scene.devices("d1", "d2")
    list_some(scene)
    scene.tell("d2")
    scene.sync()
    assert told(scene) == COUNTED | {"last_patch_scan_at": MAY}
    none = {**dict.fromkeys(COUNTED, 0), "has_pending_patches": False}
    assert told(scene, "d2") == none
    found = asset(scene)
    assert (found.name, found.agent_status, found.device, found.serial) == ("D1", "online", "d1", "SN-d1")


def test_nothing_is_told_twice(scene: Scene) -> None:
    scene.devices("d1")
    list_some(scene)
    scene.sync()
    writes = asset(scene).writes
    for _ in range(2):
        scene.sync()
    assert asset(scene).writes == writes


def test_a_scan_that_found_the_same(scene: Scene) -> None:
    scene.devices("d1")
    list_some(scene)
    scene.sync()
    list_some(scene, scanned_at=JUNE)
    assert scene.sync() == {"processed": 1, "unchanged": 1}
    assert told(scene) == COUNTED | {"last_patch_scan_at": JUNE}
    list_some(scene, scanned_at=MAY)
    scene.sync()
    assert told(scene)["last_patch_scan_at"] == JUNE


@pytest.mark.usefixtures("telling")
def test_of_a_vendor_with_numbers_of_its_own_the_scan_alone(scene: Scene) -> None:
    scene.devices("d1")
    list_some(scene)
    scene.sync()
    assert told(scene) == {"last_patch_scan_at": MAY}


def test_a_kind_that_may_not_be_read_leaves_its_number(scene: Scene) -> None:
    scene.devices("d1")
    list_some(scene)
    scene.world.script.unread = {PatchKind.SOFTWARE: "Not to be read."}
    scene.sync()
    assert told(scene) == {
        "last_patch_scan_at": MAY,
        "has_pending_patches": True,
        "pending_patches": 2,
        "pending_os_patches": 2,
        "failed_patches": 1,
    }
    scene.world.script.unread = {}
    scene.sync()
    scene.world.script.unread = {PatchKind.OS: "Not to be read."}
    scene.tell("d1", of_program("C", "installed"))
    scene.sync()
    known = {"pending_patches": 2, "pending_software_patches": 0, "last_patch_scan_at": MAY}
    assert told(scene) == COUNTED | known


def test_a_refresh_tells_too(scene: Scene) -> None:
    scene.devices("d1")
    list_some(scene)
    scene.refresh("d1")
    assert told(scene) == COUNTED | {"last_patch_scan_at": MAY}


def test_a_refresh_tells_of_a_scan_that_a_message_told(scene: Scene) -> None:
    scene.devices("d1")
    list_some(scene)
    scene.sync()
    with unit(scene.world.rmm) as session:
        session.execute(update(PatchList).values(scanned_at=JUNE))
    scene.sync()
    assert told(scene)["last_patch_scan_at"] == MAY
    assert scene.refresh("d1") == {"processed": 1, "unchanged": 1}
    assert told(scene)["last_patch_scan_at"] == JUNE


@pytest.mark.parametrize("seen", [NOON + timedelta(hours=1), NOON - timedelta(hours=1), None])
def test_of_several_devices_the_one_that_was_seen_last_fills_the_asset(
    scene: Scene, seen: datetime | None
) -> None:
    scene.devices("d1", "d2")
    share(scene, seen)
    list_some(scene)
    scene.sync()
    if seen is not None and seen > NOON:
        assert (told(scene), asset(scene).device) == ({}, "d1")
    else:
        assert told(scene) == COUNTED | {"last_patch_scan_at": MAY}


def test_a_missing_device_yields(scene: Scene) -> None:
    scene.devices("d1")
    with unit(scene.world.rmm) as session:
        session.execute(update(DeviceRow).values(missing_since=NOON))
    list_some(scene)
    scene.sync()
    assert told(scene) == {}
    assert scene.facts("d1")["os_patches_pending"] == 2


def share(scene: Scene, seen: datetime | None) -> None:
    """Let the second device stand for the first one's asset, too."""
    first = scene.world.device("d1").asset_id
    with unit(scene.world.rmm) as session:
        moved = update(DeviceRow).where(DeviceRow.external_id == "d2")
        session.execute(moved.values(asset_id=first, last_seen_at=seen))


def test_an_asset_that_the_host_has_no_more(scene: Scene) -> None:
    scene.devices("d1")
    scene.world.assets.of(scene.world.tenant).clear()
    list_some(scene)
    assert scene.sync()["updated"] == 1
    assert scene.world.assets.of(scene.world.tenant) == {}, "a device sync makes it anew"


def test_a_status_that_moves_while_the_asset_is_waited_for_stays(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device sync that holds the asset writes both, and the patches wait for it."""
    scene.devices("d1")
    list_some(scene)
    apply, waits = scene.world.assets.apply, [True]

    def wait(*args: Any) -> Any:
        if waits:
            waits.clear()
            with unit(scene.world.rmm) as other:
                execute(other, "UPDATE rmm_devices SET status = 'offline'", {})
        return apply(*args)

    monkeypatch.setattr(scene.world.assets, "apply", wait)
    scene.sync()
    assert (asset(scene).agent_status, told(scene)) == ("offline", COUNTED | {"last_patch_scan_at": MAY})
    assert scene.patches("d1") == ["A pending", "B approved", "Failed failed", "C pending"]


def test_statements_do_not_grow_with_the_page(scene: Scene, statement_counter: Any) -> None:
    names = [f"d{number}" for number in range(30)]
    scene.devices(*names)
    list_some(scene, "d0")
    with statement_counter() as few:
        scene.sync()
    for name in names:
        list_some(scene, name, JUNE)
    with statement_counter() as many:
        sync_patches(scene.world.rmm, scene.world.run("patch_sync"))
    assert many.count <= few.count
    assert all(told(scene, name)["last_patch_scan_at"] == JUNE for name in names)
