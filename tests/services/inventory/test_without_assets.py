"""Connections that make no assets: their devices are those that exist already, or none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from rmm_extension.domain.errors import ConfigError, Conflict
from rmm_extension.services.inventory import join_asset, joining, proposals
from rmm_extension.services.inventory.refresh import refresh_now
from rmm_extension.services.unit import unit
from tests.services.ingest.meanwhile import once_before

from .conftest import NOON, World, device
from .test_adoption import ADA, decide

NONE_MADE = {"makeAssets": False}


@pytest.fixture
def naming(world: World) -> World:
    """A connection of a vendor that knows machines by their names, one organization mapped."""
    other = world.connect("naming")
    other.map()
    return other


@pytest.fixture
def sparing(world: World) -> World:
    """A connection of an ordinary vendor that is set to make none."""
    other = world.connect(settings=NONE_MADE)
    other.map()
    return other


def machine(world: World, name: str, client_id: str = "acme", **values: Any) -> str:
    return world.assets.add(world.tenant, client_id=client_id, name=name, **values).id


def proposed(world: World) -> list[tuple[str, list[str]]]:
    with unit(world.rmm) as session:
        found = proposals(world.rmm, session, world.tenant, world.integration_id)
    return [(one.device_name, [asset.id for asset in one.candidates]) for one in found]


def test_no_asset_is_made(sparing: World) -> None:
    sparing.script.devices = [device("d1"), device("d2")]
    assert sparing.sync() == {"processed": 2, "created": 2}
    assert sparing.assets.of(sparing.tenant) == {}
    found = sparing.device("d1")
    assert (found.asset_id, found.client_id, found.name) == (None, "acme", "D1")


@pytest.mark.parametrize("wish, expected", [(None, 0), (True, 1), (False, 0), ("yes", 0)])
def test_the_setting_overrules_the_vendor_s_habit(world: World, wish: object, expected: int) -> None:
    other = world.connect("naming", settings={} if wish is None else {"makeAssets": wish})
    other.map()
    other.script.devices = [device("d1")]
    other.sync()
    assert len(other.assets.of(other.tenant)) == expected


def test_an_unchanged_device_without_an_asset_is_not_written(sparing: World) -> None:
    sparing.script.devices = [device(f"d{number}") for number in range(5)]
    sparing.sync()
    before = sparing.versions()
    assert sparing.sync() == {"processed": 5, "unchanged": 5}
    assert sparing.versions() == before


def test_one_that_was_only_seen_again_moves_its_time(sparing: World) -> None:
    sparing.script.devices = [device("d1")]
    sparing.sync()
    later = NOON + timedelta(hours=1)
    sparing.script.replace("d1", last_seen_at=later)
    assert sparing.sync() == {"processed": 1, "unchanged": 1}
    assert sparing.device("d1").last_seen_at == later


def test_a_change_is_written_without_an_asset(sparing: World) -> None:
    sparing.script.devices = [device("d1")]
    sparing.sync()
    sparing.script.replace("d1", lan_ip="10.0.0.9")
    assert sparing.sync() == {"processed": 1, "updated": 1}
    assert (sparing.device("d1").facts["lan_ip"], sparing.device("d1").asset_id) == ("10.0.0.9", None)


def test_statements_do_not_grow_with_devices_without_an_asset(sparing: World, statement_counter: Any) -> None:
    def cost(number: int) -> int:
        sparing.script.devices = [device(f"d{at}") for at in range(number)]
        sparing.sync()
        with statement_counter() as sent:
            sparing.sync()
        return int(sent.count)

    assert cost(2) == cost(80)


def test_an_asset_that_comes_later_is_adopted(naming: World) -> None:
    naming.script.devices = [device("d1", serial=None)]
    naming.sync()
    asset = machine(naming, "d1")
    assert naming.sync() == {"processed": 1, "updated": 1, "adopted": 1}
    assert naming.device("d1").asset_id == asset
    assert naming.asset_of("d1").device == "d1"
    assert naming.sync() == {"processed": 1, "unchanged": 1}


def test_the_machine_of_another_vendor_is_met(world: World, naming: World) -> None:
    world.map()
    world.script.devices = [device("agent-7", name="Reception")]
    naming.script.devices = [device("h1", name="RECEPTION", serial=None)]
    world.sync()
    naming.sync()
    assert naming.device("h1").asset_id == world.device("agent-7").asset_id
    assert len(world.assets.of(world.tenant)) == 1


def test_only_within_the_client(naming: World) -> None:
    machine(naming, "D1", "birch-dental")
    naming.script.devices = [device("d1", serial=None)]
    naming.sync()
    assert naming.device("d1").asset_id is None
    assert proposed(naming) == []


def test_of_several_the_one_with_the_serial(naming: World) -> None:
    first, second = machine(naming, "D1"), machine(naming, "D1", serial="SN-d1")
    naming.script.devices = [device("d1")]
    naming.sync()
    assert naming.device("d1").asset_id == second
    naming.script.devices = [device("d9", name="D1", serial=None)]
    naming.sync()
    assert naming.device("d9").asset_id == first, "the other one is another device's"


def test_of_several_without_the_serial_none(naming: World) -> None:
    machine(naming, "D1"), machine(naming, "D1")
    naming.script.devices = [device("d1")]
    assert naming.sync() == {"processed": 1, "created": 1, "proposed": 1}
    assert naming.device("d1").asset_id is None
    before = naming.versions()
    assert naming.sync() == {"processed": 1, "unchanged": 1}
    assert naming.versions() == before


def test_not_the_asset_of_another_device(naming: World) -> None:
    asset = machine(naming, "Twin")
    naming.script.devices = [
        device("d1", name="Twin", serial=None),
        device("d2", name="Twin", serial=None, last_seen_at=NOON - timedelta(hours=1)),
    ]
    naming.sync()
    naming.sync()
    assert (naming.device("d1").asset_id, naming.device("d2").asset_id) == (asset, None)


def test_others_only_propose_a_name(sparing: World) -> None:
    asset = machine(sparing, "D1")
    sparing.script.devices = [device("d1")]
    sparing.sync()
    assert sparing.device("d1").asset_id is None
    assert proposed(sparing) == [("D1", [asset])]
    decide(sparing, sparing.device("d1").id, asset)
    assert (sparing.device("d1").asset_id, proposed(sparing)) == (asset, [])
    sparing.sync()
    assert sparing.asset_of("d1").device == "d1"


def test_what_a_person_declined_is_not_proposed_again(sparing: World) -> None:
    machine(sparing, "D1")
    sparing.script.devices = [device("d1")]
    sparing.sync()
    decide(sparing, sparing.device("d1").id, None)
    before = sparing.versions()
    assert sparing.sync() == {"processed": 1, "unchanged": 1}
    assert (sparing.versions(), proposed(sparing)) == (before, [])
    another = machine(sparing, "D1")
    assert sparing.sync() == {"processed": 1, "updated": 1, "proposed": 1}
    assert proposed(sparing) == [("D1", [another])]


def test_a_sure_sign_ends_a_proposal(sparing: World) -> None:
    machine(sparing, "D1")
    sparing.script.devices = [device("d1")]
    sparing.sync()
    asset = machine(sparing, "Reception", serial="SN-d1")
    assert sparing.sync() == {"processed": 1, "updated": 1, "adopted": 1}
    assert (sparing.device("d1").asset_id, proposed(sparing)) == (asset, [])


def test_switching_it_on_makes_them(sparing: World) -> None:
    sparing.script.devices = [device("d1"), device("d2")]
    older = machine(sparing, "D1")
    sparing.sync()
    with unit(sparing.rmm) as session:
        session.execute(text("UPDATE rmm_integrations SET settings = '{\"makeAssets\": true}'"))
    sparing.sync()
    assert sparing.device("d2").asset_id is not None
    assert sparing.device("d1").asset_id not in (None, older)
    assert proposed(sparing) == [("D1", [older])]


def test_a_refresh_makes_none_either(naming: World) -> None:
    naming.script.devices = [device("d1", serial=None)]
    naming.sync()
    refresh_now(naming.rmm, naming.tenant, naming.integration_id, "d1")
    assert naming.device("d1").asset_id is None
    asset = machine(naming, "D1")
    refresh_now(naming.rmm, naming.tenant, naming.integration_id, "d1")
    assert naming.device("d1").asset_id == asset


def test_what_has_an_asset_keeps_it(sparing: World) -> None:
    """Also one that was made while assets were."""
    asset = machine(sparing, "D1", serial="SN-d1")
    sparing.script.devices = [device("d1")]
    sparing.sync()
    sparing.script.replace("d1", name="RENAMED", lan_ip="10.0.0.9")
    sparing.sync()
    assert sparing.device("d1").asset_id == asset
    assert sparing.asset_of("d1").vitals["lan_ip"] == "10.0.0.9"


def join(world: World, external_id: str, name: str) -> str:
    with unit(world.rmm) as session:
        return join_asset(world.rmm, session, ADA, world.device(external_id).id, name)


def test_a_person_says_which_asset_it_is(sparing: World) -> None:
    sparing.script.devices = [device("d1")]
    sparing.sync()
    asset = machine(sparing, "Reception")
    assert join(sparing, "d1", " reception ") == "Reception"
    assert sparing.device("d1").asset_id == asset
    sparing.sync()
    assert sparing.asset_of("d1").name == "D1"
    with pytest.raises(Conflict, match="has an asset already"):
        join(sparing, "d1", "Reception")


def test_which_it_cannot_be_is_said(sparing: World) -> None:
    sparing.script.devices = [device("d1"), device("d2", serial="S2")]
    machine(sparing, "Twin"), machine(sparing, "Twin"), machine(sparing, "Theirs", "birch-dental")
    machine(sparing, "Held", serial="S2")
    sparing.sync()
    for name, reason in {
        "Nobody": "no asset named “Nobody”",
        "": "no asset named",
        "Theirs": "no asset named “Theirs”",
        "Twin": "2 assets named “Twin”",
        "D2": "is the asset of another device of this connection",
    }.items():
        with pytest.raises(ConfigError, match=reason):
            join(sparing, "d1", name)
    assert sparing.device("d1").asset_id is None


def test_a_device_of_no_client_joins_nothing(sparing: World) -> None:
    sparing.script.devices = [device("d1")]
    sparing.sync()
    sparing.execute("UPDATE rmm_devices SET client_id = NULL")
    with pytest.raises(ConfigError, match="map its organization first"):
        join(sparing, "d1", "D1")


def test_two_devices_do_not_join_one_asset_at_once(sparing: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it is held is asked once the asset is taken: before that, another device may get it."""
    sparing.script.devices = [device("d1"), device("d2")]
    sparing.sync()
    asset = machine(sparing, "Reception")
    once_before(monkeypatch, joining, "take_asset", lambda: join(sparing, "d2", "Reception"))
    with pytest.raises(ConfigError, match="is the asset of another device of this connection"):
        join(sparing, "d1", "Reception")
    assert (sparing.device("d1").asset_id, sparing.device("d2").asset_id) == (None, asset)
