"""Hosts of a simulated Huntress: devices that are the client's assets of the same name, and make none."""

from __future__ import annotations

from typing import Any

from reference_psa.models import Asset
from rmm_extension.models import new_id
from tests.services.huntress.conftest import Scene


def asset(scene: Scene, name: str, **columns: Any) -> str:
    """An asset of the client that the organization is mapped to."""
    made = Asset(
        tenant_id=scene.world.tenant,
        id=str(new_id()),
        client_id=columns.pop("client_id", scene.world.client_id),
        name=name,
        asset_type="workstation",
        asset_tag=f"T-{name}-{new_id()}",
        **columns,
    )
    with scene.world.unit() as session:
        session.add(made)
        session.flush()
        return made.id


def assets(scene: Scene) -> int:
    return int(scene.world.one("SELECT count(*) FROM assets"))


def test_hosts_are_devices_and_make_no_assets(scene: Scene) -> None:
    before = assets(scene)
    assert scene.run("device_sync")["status"] == "succeeded"
    rows = scene.world.rows("SELECT * FROM rmm_devices WHERE asset_id IS NULL")
    assert {row["external_id"] for row in rows} == {str(one.id) for one in scene.hosts()}
    assert assets(scene) == before


def test_a_host_is_the_client_s_asset_of_its_name(scene: Scene) -> None:
    host = scene.hosts()[0]
    mine = asset(scene, host.hostname.lower())
    scene.run("device_sync")
    assert scene.stored(str(host.id))["asset_id"] == mine


def test_of_several_of_that_name_the_serial_number_decides(scene: Scene) -> None:
    host = next(one for one in scene.hosts() if one.serial)
    asset(scene, host.hostname)
    mine = asset(scene, host.hostname, serial_number=host.serial)
    scene.run("device_sync")
    assert scene.stored(str(host.id))["asset_id"] == mine


def test_an_incident_is_on_the_asset_of_its_host(scene: Scene) -> None:
    mine = asset(scene, scene.hosts()[0].hostname)
    scene.run("device_sync")
    scene.webhook()
    number = scene.raised()
    scene.deliver()
    assert scene.world.alert(number)["asset_id"] == mine
    linked = scene.world.rows("SELECT asset_id FROM ticket_assets")
    assert [row["asset_id"] for row in linked] == [mine]


def test_one_host_is_read_alone(scene: Scene) -> None:
    host = scene.hosts()[0]
    scene.run("device_sync")
    scene.huntress.control(f"agents/{host.id}/edit", hostname="RENAMED-1")
    assert scene.run("device_refresh", external_id=str(host.id))["status"] == "succeeded"
    assert scene.stored(str(host.id))["name"] == "RENAMED-1"


def test_a_host_that_is_isolated_shows_it(scene: Scene) -> None:
    host = next(one for one in scene.hosts() if one.isolatable)
    scene.huntress.call("POST", f"/v1/agents/{host.id}/isolation", json={"reason": "test"})
    scene.huntress.control(f"agents/{host.id}/settle")
    scene.run("device_sync")
    assert scene.stored(str(host.id))["facts"]["custom_fields"]["Isolation"] == "Isolated"
