"""Devices that move, vanish and come back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from rmm_extension.host import Actor
from rmm_extension.services import hooks, mapping
from rmm_extension.services.devices import keep_devices
from rmm_extension.services.inventory import confirm_missing, sync_organizations
from rmm_extension.services.mapping import UnknownMapping, update_mapping
from rmm_extension.services.unit import unit

from .conftest import World, device

ADA = Actor("ada", "Ada", "t1")


def removing(world: World, devices: int = 10) -> World:
    """A connection whose admin lets missing devices be marked inactive."""
    chosen = world.connect(settings={"deletionPolicy": "mark_inactive"})
    chosen.map()
    chosen.script.devices = [device(f"d{number}") for number in range(devices)]
    chosen.sync()
    return chosen


def test_a_moved_device_keeps_its_asset_and_the_client_follows(world: World) -> None:
    world.map("1", "acme")
    world.map("2", "birch-dental")
    world.script.devices = [device("d1", "1")]
    world.sync()
    asset = world.asset_of("d1")
    world.script.replace("d1", external_organization_id="2")
    assert world.sync() == {"processed": 1, "updated": 1, "moved": 1}
    assert world.asset_of("d1") is asset
    assert (asset.client_id, world.device("d1").client_id) == ("birch-dental", "birch-dental")
    assert world.device("d1").missing_since is None


def test_devices_follow_their_organization_to_another_client(world: World) -> None:
    mapping_id = world.map("1", "acme")
    world.script.devices = [device("d1")]
    world.sync()
    with unit(world.rmm) as session:
        update_mapping(world.rmm, session, ADA, mapping_id, client_id="birch-dental")
    assert world.sync()["moved"] == 1
    assert world.asset_of("d1").client_id == "birch-dental"


def test_a_client_that_a_person_gave_the_asset_stays(world: World) -> None:
    world.map("1", "acme")
    world.script.devices = [device("d1")]
    world.sync()
    asset = world.asset_of("d1")
    asset.client_id = "cedar-law"
    with unit(world.rmm) as session:
        hooks.asset_client_changed(session, world.tenant, asset.id, "cedar-law")
    world.script.replace("d1", name="renamed")
    assert world.sync() == {"processed": 1, "updated": 1}
    assert (asset.client_id, world.device("d1").client_id) == ("cedar-law", "cedar-law")


def test_a_device_that_is_not_named_is_only_marked(world: World) -> None:
    world.map()
    world.script.devices = [device("d1"), device("d2")]
    world.sync()
    world.script.drop("d1")
    assert world.sync() == {"processed": 1, "unchanged": 1, "missing": 1}
    first = world.device("d1").missing_since
    world.sync()
    versions = world.versions()
    assert world.sync() == {"processed": 1, "unchanged": 1}
    row = world.device("d1")
    assert (row.missing_since, row.missing_count, row.deleted_at) == (first, 2, None)
    assert world.versions() == versions
    assert world.asset_of("d1").active


def test_a_returned_device_is_as_before(world: World) -> None:
    world.map()
    world.script.devices = [device("d1"), device("d2")]
    world.sync()
    world.script.drop("d1")
    world.sync()
    world.script.devices.append(device("d1"))
    assert world.sync() == {"processed": 2, "unchanged": 1, "updated": 1, "returned": 1}
    assert (world.device("d1").missing_since, world.device("d1").missing_count) == (None, 0)
    assert world.asset_of("d1").writes == 1


def test_two_complete_listings_prove_that_a_device_is_gone(world: World) -> None:
    chosen = removing(world)
    asset = chosen.asset_of("d1")
    chosen.script.drop("d1")
    assert chosen.sync()["missing"] == 1
    assert asset.active
    assert chosen.sync() == {"processed": 9, "unchanged": 9, "missing": 1, "removed": 1}
    assert not asset.active
    assert chosen.device("d1").deleted_at is not None
    assert chosen.sync() == {"processed": 9, "unchanged": 9}
    chosen.script.devices.append(device("d1"))
    assert chosen.sync()["returned"] == 1
    assert asset.active


def test_more_than_a_fifth_at_once_needs_a_person(world: World) -> None:
    chosen = removing(world)
    chosen.script.drop("d1", "d2", "d3")
    chosen.sync()
    assert "removed" not in chosen.sync()
    found = chosen.mappings()["1"]
    assert "3 of 10 devices" in (found.last_error or "")
    assert mapping.state_of(found) == "error"
    assert chosen.asset_of("d1").active
    with pytest.raises(UnknownMapping), unit(world.rmm) as session:
        confirm_missing(world.rmm, session, Actor("eve", "Eve", "t2"), found.id)
    with unit(world.rmm) as session:
        assert confirm_missing(world.rmm, session, ADA, found.id) == 3
    assert [chosen.asset_of(name).active for name in ("d1", "d2", "d3", "d4")] == [False, False, False, True]
    chosen.sync()
    assert chosen.mappings()["1"].last_error is None


def test_an_asset_that_another_device_stands_for_stays_active(world: World) -> None:
    chosen = removing(world)
    other = world.connect("other")
    other.map("7")
    other.script.devices = [device("o1", "7", serial="SN-d1")]
    assert other.sync()["adopted"] == 1
    chosen.script.drop("d1")
    chosen.sync()
    assert chosen.sync()["removed"] == 1
    assert chosen.asset_of("d1").active


def test_what_a_person_keeps_stays(world: World) -> None:
    chosen = removing(world)
    chosen.script.drop("d1", "d2")
    with unit(world.rmm) as session:
        assert keep_devices(session, ADA, [chosen.device("d1").id], kept=True) == 1
        assert keep_devices(session, ADA, [chosen.device("d1").id], kept=True) == 0
    chosen.sync()
    assert chosen.sync()["removed"] == 1
    assert [chosen.asset_of(name).active for name in ("d1", "d2")] == [True, False]
    with unit(world.rmm) as session:
        confirm_missing(world.rmm, session, ADA, chosen.mappings()["1"].id)
    assert chosen.asset_of("d1").active
    assert chosen.device("d1").deleted_at is None
    with unit(world.rmm) as session:
        keep_devices(session, ADA, [chosen.device("d1").id], kept=False)
    assert chosen.sync()["removed"] == 1
    assert not chosen.asset_of("d1").active


def test_what_is_kept_does_not_count_towards_the_fifth(world: World) -> None:
    chosen = removing(world)
    chosen.script.drop("d1", "d2", "d3")
    with unit(world.rmm) as session:
        keep_devices(session, ADA, [chosen.device("d1").id], kept=True)
    chosen.sync()
    assert chosen.sync()["removed"] == 2


def test_the_asset_of_a_kept_device_stays_with_its_other_device_gone(world: World) -> None:
    chosen = removing(world)
    other = world.connect("other")
    other.map("7")
    other.script.devices = [device("o1", "7", serial="SN-d1"), device("o2", "7")]
    other.sync()
    with unit(world.rmm) as session:
        keep_devices(session, ADA, [other.device("o1").id], kept=True)
    other.script.drop("o1")
    other.sync()
    chosen.script.drop("d1")
    chosen.sync()
    assert chosen.sync()["removed"] == 1
    assert chosen.asset_of("d1").active


def test_one_that_moved_to_an_organization_not_synced_is_not_missing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.map()
    world.script.devices = [device("d1"), device("d2")]
    world.sync()
    world.script.drop("d1")
    listed = world.provider_type.devices

    def with_elsewhere(*arguments: Any, **named: Any) -> Any:
        for page in listed(*arguments, **named):
            yield msgspec.structs.replace(page, elsewhere=("d1",))

    monkeypatch.setattr(world.provider_type, "devices", with_elsewhere)
    assert "missing" not in world.sync()
    assert world.device("d1").missing_since is None


def test_absence_means_nothing_in_an_incomplete_listing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.map()
    world.script.devices = [device("d1"), device("d2")]
    world.sync()
    world.script.drop("d1")
    complete = world.provider_type.devices

    def incomplete(*arguments: Any, **named: Any) -> Any:
        for page in complete(*arguments, **named):
            yield type(page)(devices=page.devices)

    monkeypatch.setattr(world.provider_type, "devices", incomplete)
    assert "missing" not in world.sync()
    assert world.device("d1").missing_since is None


def test_a_vanished_organization_keeps_its_devices(world: World) -> None:
    world.map()
    world.script.devices = [device("d1")]
    world.sync()
    world.script.organizations = []
    world.script.devices = []
    run = world.run("organization_sync")
    sync_organizations(world.rmm, run)
    assert world.sync() == {"skipped_organizations": 1}
    assert world.device("d1").missing_since is None
