"""One device, fetched alone."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import NotFound
from rmm_extension.domain.types import Disk, Hardware, Interface
from rmm_extension.services.inventory import refresh_device, sync_devices

from .conftest import NOON, World, device


def refresh(world: World, external_id: str) -> dict[str, int]:
    run = world.run("device_refresh", external_id=external_id)
    counts = refresh_device(world.rmm, run)
    world.finish(run)
    return {name: count for name, count in counts.items() if count}


def test_a_new_device_of_a_mapped_organization_is_made(world: World) -> None:
    world.map("1")
    world.map("2", None)
    world.script.devices = [device("d1", "1"), device("d2", "2"), device("d3", "3")]
    assert refresh(world, "d1") == {"processed": 1, "created": 1}
    assert refresh(world, "d2") == {"skipped": 1}
    assert refresh(world, "d3") == {"skipped": 1}
    assert set(world.devices()) == {"d1"}
    assert world.asset_of("d1").client_id == "acme"


def test_a_known_device_is_updated(world: World) -> None:
    world.map()
    world.script.devices = [device("d1")]
    world.sync()
    assert refresh(world, "d1") == {"processed": 1, "unchanged": 1}
    world.script.replace("d1", lan_ip="10.0.0.1")
    assert refresh(world, "d1") == {"processed": 1, "updated": 1}
    assert world.asset_of("d1").vitals["lan_ip"] == "10.0.0.1"


def test_a_known_device_of_an_unmapped_organization_is_updated(world: World) -> None:
    world.map()
    world.map("2", None)
    world.script.devices = [device("d1")]
    world.sync()
    world.script.replace("d1", external_organization_id="2", name="moved")
    assert refresh(world, "d1")["updated"] == 1
    assert (world.device("d1").name, world.device("d1").client_id) == ("moved", "acme")
    assert world.asset_of("d1").client_id == "acme"


@pytest.mark.parametrize("answer", ["none", "error"])
def test_a_device_the_vendor_does_not_know_is_marked_missing(
    world: World, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    world.map()
    world.script.devices = [device("d1")]
    world.sync()
    if answer == "error":

        def missing(*_: Any) -> None:
            raise NotFound("No Agent matches the given query.")

        monkeypatch.setattr(world.provider_type, "device", missing)
    world.script.devices = []
    assert refresh(world, "d1") == {"processed": 1, "missing": 1}
    row = world.device("d1")
    assert row.missing_since is not None
    assert row.deleted_at is None
    assert world.asset_of("d1").active
    assert refresh(world, "d1") == {"processed": 1}


def test_a_second_agent_on_a_known_machine_waits_for_a_listing(world: World) -> None:
    """One device alone does not tell whether the earlier one is gone."""
    world.map()
    world.script.devices = [device("old")]
    world.sync()
    world.script.devices = [device("new", serial="SN-old")]
    assert refresh(world, "new") == {"deferred": 1}
    assert "new" not in world.devices()
    assert world.sync()["adopted"] == 1


def test_a_sync_and_a_refresh_at_once_make_one_asset(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refresh commits after the sync has looked for the device and before it writes."""
    world.map()
    world.script.devices = [device("d1")]
    rival = World(**vars(world))
    find = world.assets.find
    done: list[int] = []

    def find_late(session: Session, tenant_id: str, keys: Any) -> Any:
        found = find(session, tenant_id, keys)
        if not done:
            done.append(1)
            in_another_thread(lambda: refresh(rival, "d1"))
        return found

    monkeypatch.setattr(world.assets, "find", find_late)
    run = world.run()
    counts = sync_devices(world.rmm, run)
    assert (counts["created"], counts["unchanged"]) == (0, 1)
    assert len(world.devices()) == 1


def in_another_thread(work: Any) -> None:
    """With a session of its own."""
    from threading import Thread

    thread = Thread(target=work)
    thread.start()
    thread.join()


LISTED: dict[str, Any] = {
    "antivirus": "protected",
    "os_patches_pending": 3,
    "boot_at": NOON,
    "custom_fields": {"Rack": 1.5},
    "location": "Main Office",
}
HEAVY = Hardware(
    memory_gb=16.0,
    disks=(Disk(name="C:", total_gb=100.0),),
    interfaces=(Interface(name="eth0", ips=("10.0.0.1",)),),
)


def alone(world: World, monkeypatch: pytest.MonkeyPatch, **values: Any) -> None:
    """What the vendor says of one device alone, beside its name and status."""
    answer = device("d1", **{"serial": None, **values})
    monkeypatch.setattr(world.provider_type, "device", lambda *_: answer)


def test_a_device_that_tells_less_alone_is_unchanged(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.map()
    world.script.devices = [device("d1", hardware=HEAVY, **LISTED)]
    world.sync(full=True)
    for told in ({}, {"boot_at": NOON}, {"hardware": Hardware(memory_gb=16.0)}):
        alone(world, monkeypatch, **told)
        assert refresh(world, "d1") == {"processed": 1, "unchanged": 1}, told
        assert world.sync(full=True)["unchanged"] == 1
    assert world.device("d1").facts["hardware"]["disks"]


def test_one_that_tells_more_alone_settles(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.map()
    world.script.devices = [device("d1", serial=None, **LISTED)]
    world.sync()
    alone(world, monkeypatch, serial="SN-1", os_version="8.0")
    assert refresh(world, "d1")["updated"] == 1
    assert (world.device("d1").serial, world.asset_of("d1").vitals["os_version"]) == ("SN-1", "8.0")
    assert world.sync()["updated"] == 1, "the list says of it what it always said"
    for _ in range(2):
        assert refresh(world, "d1") == {"processed": 1, "unchanged": 1}
        assert world.sync()["unchanged"] == 1
    assert world.device("d1").serial == "SN-1"


def test_a_change_told_alone_is_not_lost_when_the_list_says_the_old(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.map()
    world.script.devices = [device("d1", **LISTED)]
    world.sync()
    alone(world, monkeypatch, antivirus="at_risk")
    assert refresh(world, "d1")["updated"] == 1
    assert world.device("d1").facts["antivirus"] == "at_risk"
    assert world.sync()["updated"] == 1
    assert world.device("d1").facts["antivirus"] == "protected"


def test_hardware_told_alone_in_part_leaves_the_rest(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.map()
    world.script.devices = [device("d1", hardware=HEAVY, **LISTED)]
    world.sync(full=True)
    alone(world, monkeypatch, hardware=Hardware(memory_gb=32.0))
    assert refresh(world, "d1")["updated"] == 1
    kept = world.device("d1").facts["hardware"]
    assert (kept["memory_gb"], kept["disks"][0]["name"], kept["interfaces"][0]["name"]) == (
        32.0,
        "C:",
        "eth0",
    )


def test_a_device_that_is_to_be_told_anew_is_told(world: World) -> None:
    world.map()
    world.script.devices = [device("d1", **LISTED)]
    world.sync()
    world.execute(
        "UPDATE rmm_devices SET core_hash = decode(repeat('00', 16), 'hex') || substr(core_hash, 17)"
    )
    assert refresh(world, "d1")["updated"] == 1
    assert world.sync()["unchanged"] == 1


def test_facts_of_an_earlier_shape_are_written_over(world: World) -> None:
    world.map()
    world.script.devices = [device("d1", **LISTED)]
    world.sync()
    world.execute('UPDATE rmm_devices SET facts = facts || \'{"os_patches_pending": "three"}\'')
    assert refresh(world, "d1")["updated"] == 1
    assert world.device("d1").facts["os_patches_pending"] == 3
