"""A vendor that was disconnected: what uses it fails in words, and everything else goes on."""

from __future__ import annotations

from uuid import UUID

import pytest

from rmm_extension.services import connections
from rmm_extension.workflows import catalog, definitions
from tests.blueprints.conftest import said
from tests.harness.ninjaone_connection import NinjaConnection, ninja, server
from tests.harness.world import World
from tests.services.actions.test_ninjaone import known, machines
from tests.workflows.recipes.kitchen import Kitchen

__all__ = ["ninja", "server"]


def value(given: object) -> dict[str, object]:
    return {"value": given}


@pytest.fixture
def kitchen(ninja: NinjaConnection) -> Kitchen:
    return Kitchen(ninja.world)


def publish(kitchen: Kitchen, on_error: str) -> UUID:
    """A reboot by NinjaOne, and a note to a person behind it."""
    told = {"user_ids": value([kitchen.admin.id]), "title": value("Told"), "message": value("It went on.")}
    document = {
        "trigger": {"event": "MANUAL", "subjects": ["device"]},
        "steps": [
            {
                "id": "reboot",
                "name": "Reboot it",
                "action": "ninjaone.devices.reboot",
                "onError": on_error,
                "inputs": {},
            },
            {"id": "tell", "name": "Tell it", "action": "notifications.notify_users", "inputs": told},
        ],
    }
    actor = kitchen.admin
    with kitchen.world.unit() as session:
        row = definitions.create(session, actor, "Reboot", document)
        definitions.publish(kitchen.world.rmm, session, actor, row.id, row.revision)
        return row.id


def disconnect(ninja: NinjaConnection) -> None:
    with ninja.world.unit() as session:
        connections.disconnect(ninja.world.rmm, session, ninja.actor, ninja.integration_id)


def is_offered(world: World) -> bool:
    """Whether the palette has NinjaOne."""
    with world.unit() as session:
        offers = catalog.offers(world.rmm, session, world.tenant)
        return next(one.available for one in offers if one.entry.module.key == "app:ninjaone")


@pytest.mark.parametrize("on_error, then", [("stop", None), ("continue", "succeeded")])
def test_the_run_fails_in_words_at_the_step(
    ninja: NinjaConnection, world: World, kitchen: Kitchen, on_error: str, then: str | None
) -> None:
    (machine,) = machines(ninja, 1)
    device, workflow = known(ninja, machine), publish(kitchen, on_error)
    assert is_offered(world)
    disconnect(ninja)
    assert not is_offered(world)
    kitchen.browser.post(f"/rmm/workflows/{workflow}/start", data={"subject": f"device:{device}", "key": "k"})
    kitchen.work()
    states = kitchen.steps()
    assert (states["reboot"], states.get("tell")) == ("failed", then)
    (run,) = kitchen.runs()
    text = said(kitchen.browser.get(f"/rmm/workflows/runs/{run['id']}"))
    assert "Settings › Integrations" in text
    assert "INTEGRATION_INACTIVE" in text
    assert not any("/reboot" in name for name in ninja.lab.counters)
