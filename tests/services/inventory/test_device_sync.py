"""Device syncs: what is written, and what costs nothing."""

from __future__ import annotations

from datetime import timedelta

from .conftest import NOON, World, device


def fleet(world: World, count: int, organization: str = "1") -> None:
    world.script.devices += [device(f"d{number}", organization) for number in range(count)]


def test_first_sync_makes_assets_and_rows(world: World) -> None:
    world.map()
    fleet(world, 3)
    assert world.sync() == {"processed": 3, "created": 3}
    assert [row.client_id for row in world.devices().values()] == ["acme"] * 3
    assert world.asset_of("d1").name == "D1"
    assert world.asset_of("d1").client_id == "acme"


def test_unchanged_devices_cost_no_write(world: World, statement_counter) -> None:
    world.map()
    fleet(world, 3)
    world.sync()
    before = world.devices()
    with statement_counter() as sent:
        assert world.sync() == {"processed": 3, "unchanged": 3}
    assert not [
        text for text in sent.statements if "rmm_devices AS d" in text or "UPDATE rmm_devices" in text
    ]
    assert {row.external_id: row.updated_at for row in world.devices().values()} == {
        row.external_id: row.updated_at for row in before.values()
    }
    assert world.asset_of("d1").writes == 1


def test_moved_last_seen_stays_out_of_the_host(world: World) -> None:
    world.map()
    fleet(world, 3)
    world.sync()
    later = NOON + timedelta(minutes=5)
    world.script.replace("d1", last_seen_at=later)
    assert world.sync() == {"processed": 3, "unchanged": 3}
    assert world.device("d1").last_seen_at == later
    assert world.device("d2").last_seen_at == NOON
    assert world.asset_of("d1").writes == 1
