"""Groups, devices, updates and signals of a simulated Level, as workers take them in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rmm_extension.services.signals import SETTLE
from tests.services.levelio.conftest import Scene


def mapped(scene: Scene) -> dict[str, dict[str, Any]]:
    found = scene.world.rows("SELECT * FROM rmm_organization_mappings")
    return {row["external_id"]: row for row in found}


def test_groups_come_with_the_group_they_lie_in(scene: Scene) -> None:
    assert scene.run("organization_sync")["status"] == "succeeded"
    found, groups = mapped(scene), scene.level.lab.fleet.groups
    assert groups.keys() <= found.keys()
    assert {key: found[key]["parent_external_id"] for key in groups} == {
        key: group.parent_id for key, group in groups.items()
    }
    tops = {key: group.name for key, group in groups.items() if group.parent_id is None}
    child = next(one for one in groups.values() if one.parent_id in tops)
    assert found[child.id]["vendor_metadata"]["path"] == f"{tops[child.parent_id or '']} / {child.name}"


def test_a_group_below_a_mapped_one_is_its_clients(scene: Scene) -> None:
    groups = scene.level.lab.fleet.groups
    child = next(one for one in groups.values() if one.parent_id)
    scene.world.do("UPDATE rmm_organization_mappings SET external_id = :id", id=child.parent_id)
    scene.run("organization_sync")
    assert mapped(scene)[child.id]["client_id"] == scene.world.client_id
    assert mapped(scene)[child.id]["inherited_from"] == child.parent_id


def test_devices_of_the_mapped_group_become_assets(scene: Scene) -> None:
    run = scene.run("device_sync", full=True)
    assert run["status"] == "succeeded", run
    machines = scene.machines
    assert run["counts"]["created"] == len(machines)
    one = machines[0]
    row = scene.stored(one.id)
    assert (row["name"], row["external_organization_id"]) == (one.nickname or one.hostname, scene.group)
    assert row["facts"]["security_score"] == one.security_score
    assert row["facts"]["hardware"]["memory_gb"] > 0
    assert row["asset_id"] is not None
    assert scene.world.one("SELECT asset_tag FROM assets WHERE id = :id", id=row["asset_id"]) == (
        f"LEVEL-{one.hardware.serial}"
    )
    again = scene.run("device_sync")
    assert again["counts"].get("unchanged", 0) == len(machines), again["counts"]


def test_a_device_that_moves_to_another_group_is_not_missing(scene: Scene) -> None:
    scene.run("device_sync")
    gone = scene.machines[0].id
    scene.level.control(f"devices/{gone}/move", group_id="null")
    scene.run("device_sync")
    scene.run("device_sync")
    assert scene.stored(gone)["missing_since"] is None
    assert scene.stored(gone)["deleted_at"] is None


def test_updates_are_patches(scene: Scene) -> None:
    scene.run("device_sync")
    run = scene.run("patch_sync")
    assert run["status"] == "succeeded", run
    waiting = [one for one in scene.level.lab.fleet.updates.values() if one.installed is None]
    mine = {one.id for one in waiting if one.device_id in {machine.id for machine in scene.machines}}
    kept = scene.world.rows("SELECT external_id, status, kind FROM rmm_device_patches")
    assert {row["external_id"] for row in kept} == mine
    assert {(row["status"], row["kind"]) for row in kept} <= {("pending", "os")}


def test_a_new_device_is_fetched_once_and_a_repeated_event_counts_once(scene: Scene) -> None:
    scene.subscribe()
    scene.level.control("deliveries/double", count=1)
    device = scene.level.control("devices", group_id=scene.group)["id"]
    assert [one["outcome"] for one in scene.deliver()] == ["device_refresh", "skipped"]
    (run,) = scene.queued("device_refresh")
    assert timedelta(0) < run["due_at"] - run["queued_at"] <= SETTLE + timedelta(seconds=1)
    assert scene.perform(run["id"])["counts"]["created"] == 1
    assert len(scene.level.paths("/v2/devices/")) == 1
    (signal,) = scene.signals()
    assert (signal["words"], signal["outcome"]) == ("Added in Level", "device_refresh")
    assert scene.stored(device)["deleted_at"] is None


def test_a_deleted_device_is_deleted_at_once(scene: Scene) -> None:
    scene.run("device_sync")
    scene.subscribe()
    gone = scene.machines[0].id
    scene.level.control(f"devices/{gone}/delete")
    assert scene.deliver()[-1]["outcome"] == "device_deleted"
    assert scene.stored(gone)["deleted_at"] is not None


def test_a_new_group_has_the_groups_read_anew(scene: Scene) -> None:
    scene.subscribe()
    made = scene.level.control("groups", name="Branch office", group_id=scene.group)["id"]
    assert [one["outcome"] for one in scene.deliver()] == ["organization_sync"]
    (run,) = scene.queued("organization_sync")
    assert scene.perform(run["id"])["status"] == "succeeded"
    assert mapped(scene)[made]["parent_external_id"] == scene.group
