"""The disk-full recipe against a simulated Tactical RMM: from the alert to the ticket that closes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.blueprints.conftest import said
from tests.harness.world import World
from tests.services.reconcile.conftest import Vendor, vendor
from tests.workflows.recipes.kitchen import Kitchen

__all__ = ["vendor"]

SAID = "Removed 12 GB of old updates."


@pytest.fixture
def kitchen(world: World, vendor: Vendor) -> Kitchen:
    """The server has a cleanup script, and its first agent is a device here."""
    agent = vendor.agents[0]
    world.device(agent.agent_id, agent.hostname, facts={"platform": "windows"})
    vendor.lab.script_output.stdout = SAID
    return Kitchen(world)


def script(vendor: Vendor) -> str:
    """A script of the library for Windows, as the gallery names it."""
    found = next(one for one in vendor.lab.scripts.values() if not one.hidden and one.name.startswith("Disk"))
    return f"{vendor.world.integration_id}:{found.id}"


def fill(vendor: Vendor, **wanted: Any) -> str:
    """The disk of the device is full: an alert at the vendor, and here by a poll."""
    alert_id = vendor.trigger(message="Disk C: has 2% free", **wanted)
    assert vendor.poll()["status"] == "succeeded"
    return alert_id


def ran(vendor: Vendor) -> int:
    return sum(1 for one in vendor.lab.requests if one["path"].endswith("/runscript/"))


@pytest.mark.parametrize("by_rule", [True, False], ids=["its rule closes tickets", "its rule leaves them"])
def test_alert_and_ticket_close_after_the_cleanup(
    vendor: Vendor, world: World, kitchen: Kitchen, by_rule: bool
) -> None:
    actions = json.dumps({"createTicket": True, "autoResolveTicket": by_rule})
    world.do("UPDATE rmm_alert_rules SET actions = CAST(:actions AS jsonb)", actions=actions)
    world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
    workflow = kitchen.publish("disk-full", script=script(vendor))
    alert_id = fill(vendor)
    kitchen.work()
    assert kitchen.steps() == dict.fromkeys(("clean_up", "note", "resolve", "close"), "succeeded")
    assert ran(vendor) == 1
    (ticket,) = world.tickets()
    assert ticket["closed_at"] is not None
    assert any(SAID in note for note in world.notes(ticket["id"]))
    assert world.alert(alert_id)["status"] in ("resolved", "auto_resolved")
    assert vendor.lab.alerts[int(alert_id)].resolved
    (run,) = kitchen.runs()
    text = said(kitchen.browser.get(f"/rmm/workflows/runs/{run['id']}"))
    assert "1. Run the cleanup script Done" in text
    assert SAID in text
    assert str(run["workflow_id"]) == str(workflow)


def test_what_it_closed_starts_it_no_second_time(vendor: Vendor, world: World, kitchen: Kitchen) -> None:
    kitchen.publish("disk-full", script=script(vendor))
    fill(vendor)
    kitchen.work()
    assert vendor.poll()["status"] == "succeeded"
    kitchen.work()
    assert len(kitchen.runs()) == 1
    assert ran(vendor) == 1


def test_a_cleanup_that_fails_leaves_alert_and_ticket_open_and_says_so(
    vendor: Vendor, world: World, kitchen: Kitchen
) -> None:
    vendor.lab.script_output.retcode = 3
    kitchen.publish("disk-full", script=script(vendor))
    alert_id = fill(vendor)
    kitchen.work()
    assert kitchen.steps() == {
        "clean_up": "failed",
        "note": "succeeded",
        "resolve": "skipped",
        "close": "skipped",
    }
    (ticket,) = world.tickets()
    assert ticket["closed_at"] is None
    assert world.alert(alert_id)["status"] == "active"
    assert not vendor.lab.alerts[int(alert_id)].resolved
    assert any("ended with code 3" in note for note in world.notes(ticket["id"]))


def test_an_alert_of_something_else_starts_nothing(vendor: Vendor, kitchen: Kitchen) -> None:
    kitchen.publish("disk-full", script=script(vendor))
    vendor.trigger(message="The print spooler stopped")
    vendor.poll()
    kitchen.work()
    assert kitchen.runs() == []
    assert ran(vendor) == 0


def test_with_the_connection_paused_the_run_says_where_to_look(
    vendor: Vendor, world: World, kitchen: Kitchen
) -> None:
    kitchen.publish("disk-full", script=script(vendor))
    alert_id = fill(vendor)
    world.do("UPDATE rmm_integrations SET state = 'paused'")
    kitchen.work()
    (first, *_) = kitchen.told()
    assert (first["state"], first["error_code"]) == ("failed", "INTEGRATION_INACTIVE")
    (run,) = kitchen.runs()
    text = said(kitchen.browser.get(f"/rmm/workflows/runs/{run['id']}"))
    assert "Settings › Integrations" in text
    assert "INTEGRATION_INACTIVE" in text
    assert ran(vendor) == 0
    assert not vendor.lab.alerts[int(alert_id)].resolved
