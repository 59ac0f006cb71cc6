"""Automations of Level from the pages: picked by name, started, and no run claimed."""

from __future__ import annotations

from tests.conftest import world
from tests.harness.levelio import level
from tests.services.levelio.conftest import Scene, scene
from tests.services.working import work

from .acting import ask
from .conftest import said
from .test_alert_actions import browser

__all__ = ["level", "scene", "world"]
START = "levelio.automations.trigger"


def test_an_automation_is_picked_and_started_and_the_page_says_what_is_not_known(scene: Scene) -> None:
    number = next(number for number, one in enumerate(scene.machines) if one.online)
    device, client = scene.stored(scene.known(number))["id"], browser(scene.world)
    trigger = next(one for one in scene.level.lab.triggers if not one.requires_authorization)
    name = scene.level.lab.automations[trigger.automation_id].name
    assert "Not listed yet." in said(client.get("/rmm/run", query_string={"ids": device}))
    work(scene.world, "script_list")
    page = said(client.get("/rmm/run", query_string={"ids": device}))
    assert "Automations" in page
    assert "script" not in page.casefold()
    assert name in page
    form = client.get(f"/rmm/run/{START}", query_string={"ids": device, "script": trigger.automation_id})
    assert f"Run “{name}” on PC-{number}" in said(form)
    assert trigger.token not in form.text
    ask(client, START, device, script=trigger.automation_id)
    for run in scene.queued("device_action"):
        scene.perform(run["id"])
    (row,) = scene.world.rows("SELECT id FROM rmm_action_invocations")
    result = client.get(f"/rmm/actions/{row['id']}")
    assert "Level tells no run id: see the automation's runs in Level." in said(result)
    assert trigger.token not in result.text
    assert len(scene.level.lab.runs) == 1
