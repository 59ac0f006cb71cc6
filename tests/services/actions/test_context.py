"""The devices that an action may look at: those of its connection that are here."""

from __future__ import annotations

from typing import Any

import pytest

from rmm_extension.domain.types import Connection
from rmm_extension.models import Integration, new_id, utc_now
from rmm_extension.services.actions.context import Context
from tests.harness.twin import TWIN, make_twin
from tests.harness.world import World


@pytest.fixture
def context(world: World) -> Context:
    """Four devices of the connection, one of them deleted, and one of another connection."""
    other = Integration(tenant_id=world.tenant, id=new_id(), provider="tacticalrmm", name="Other",
                        state="connected", instance_url="http://127.0.0.1:1")  # fmt: skip
    other_id = other.id
    with world.unit() as session:
        session.add(other)
    world.device("a-1", "SRV-1", asset_id="1", serial="XK-100")
    world.device("a-2", "PC_2", facts={"os_type": "Linux", "os_version": "12"})
    world.device("a-3", "PC-3", asset_id="1")
    world.device("a-4", "PC-4", asset_id="1", deleted_at=utc_now())
    world.device("a-5", "PC-5", asset_id="1")
    world.do("UPDATE rmm_devices SET integration_id = :id WHERE external_id = 'a-5'", id=other_id)
    with world.unit() as session:
        make_twin(session, world.tenant)
    world.do("UPDATE rmm_devices SET name = 'PC-9' WHERE tenant_id = :t", t=TWIN)
    place = {"tenant_id": world.tenant, "integration_id": str(world.integration_id)}
    return Context(world.rmm, Connection(**place, provider="tacticalrmm", instance_url=""))


@pytest.mark.parametrize(
    "wanted, names",
    [
        ({}, ["PC-3", "PC_2", "SRV-1"]),
        ({"limit": 1}, ["PC-3"]),
        ({"text": "pc"}, ["PC-3", "PC_2"]),
        ({"text": "pc_"}, ["PC_2"]),
        ({"text": "xk-1"}, ["SRV-1"]),
        ({"asset_id": "1"}, ["PC-3", "SRV-1"]),
        ({"external_id": "a-1"}, ["SRV-1"]),
        ({"external_id": "a-4"}, []),
        ({"external_id": "a-5"}, []),
        ({"external_ids": ["a-2", "a-4", "a-5"]}, ["PC_2"]),
        ({"external_ids": []}, []),
        ({"external_id": "a-1", "text": "pc"}, []),
    ],
)
def test_devices_are_found(world: World, context: Context, wanted: dict[str, Any], names: list[str]) -> None:
    with world.app.app_context():
        found = context.find_devices(**wanted)
    assert sorted(one.name for one in found) == names


def test_a_device_as_an_action_is_given_it(world: World, context: Context) -> None:
    with world.app.app_context():
        (found,) = context.find_devices(external_id="a-2")
    assert (found.platform, found.os_name) == ("linux", "Linux 12")
