"""The reboot after patching, against a simulated Tactical RMM, by an event of a sync."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rmm_extension.services import runs
from tests.blueprints.conftest import said
from tests.harness.world import World
from tests.services.reconcile.conftest import Vendor, vendor
from tests.services.working import work
from tests.workflows.recipes.kitchen import Kitchen

__all__ = ["vendor"]


@pytest.fixture
def kitchen(world: World, vendor: Vendor) -> Kitchen:
    """The fleet as a sync knows it, before any patching."""
    for agent in vendor.lab.agents():
        agent.needs_reboot, agent.logged_in_username = False, None
    sync(world)
    return Kitchen(world)


def sync(world: World) -> None:
    with world.unit() as session:
        runs.start(
            world.rmm,
            session,
            world.admin,
            "device_sync",
            integration_id=world.integration_id,
            subject={"full": True},
        )
    (counts,) = work(world, "device_sync")
    assert isinstance(counts, dict), counts


def publish(kitchen: Kitchen, **more: object) -> None:
    place = f"tacticalrmm:{kitchen.world.integration_id}"
    kitchen.publish("reboot-after-patch", **{"connection": place, "kinds": ["workstation", "server"], **more})


def reboots(vendor: Vendor) -> list[str]:
    """The agents that were restarted."""
    found = [one["path"] for one in vendor.lab.requests if one["path"].endswith("/reboot/")]
    return [path.split("/")[2] for path in found]


def patched(vendor: Vendor, at: int = 0, **facts: Any) -> str:
    """An agent whose patches were installed and which wants a restart; its id."""
    agent = vendor.agents[at]
    values = {"needs_reboot": True, "has_patches_pending": False, **facts}
    for name, value in values.items():
        setattr(agent, name, value)
    return agent.agent_id


def test_a_device_that_was_patched_is_restarted_once_a_day(
    vendor: Vendor, world: World, kitchen: Kitchen
) -> None:
    publish(kitchen)
    agent_id = patched(vendor)
    sync(world)
    kitchen.work()
    assert kitchen.steps() == {"reboot": "requested"}
    assert reboots(vendor) == [agent_id]
    (run,) = kitchen.runs()
    assert "Restart the device Handed over" in said(kitchen.browser.get(f"/rmm/workflows/runs/{run['id']}"))
    vendor.lab.agent(agent_id).hostname += "-renamed"  # it changes once more, and still wants a restart
    sync(world)
    kitchen.work()
    assert reboots(vendor) == [agent_id]


@pytest.mark.parametrize(
    "facts",
    [
        {"has_patches_pending": True},
        {"needs_reboot": False, "hostname": "RENAMED"},
        {"logged_in_username": "anna"},
        {"silent_since": datetime(2026, 1, 1, tzinfo=UTC)},
    ],
    ids=["patches are pending", "wants none", "somebody works on it", "is not online"],
)
def test_others_are_left_alone(vendor: Vendor, world: World, kitchen: Kitchen, facts: dict[str, Any]) -> None:
    publish(kitchen)
    patched(vendor, **facts)
    sync(world)
    kitchen.work()
    assert kitchen.runs() == []
    assert reboots(vendor) == []


def test_only_the_kinds_that_were_chosen(vendor: Vendor, world: World, kitchen: Kitchen) -> None:
    kinds = {
        row["external_id"]: row["kind"] for row in world.rows("SELECT external_id, kind FROM rmm_devices")
    }
    server = next(at for at, one in enumerate(vendor.agents) if kinds[one.agent_id] == "server")
    publish(kitchen, kinds=["workstation"])
    patched(vendor, server)
    sync(world)
    kitchen.work()
    assert reboots(vendor) == []
