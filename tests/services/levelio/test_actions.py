"""Automations of a simulated Level, picked from a list and started: from the wish to what Level ran."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from reference_psa.models import User
from rmm_extension.host import Actor
from rmm_extension.services import actions
from rmm_extension.services.queries import actions as queries
from tests.services.levelio.conftest import Scene
from tests.services.working import work


def person(scene: Scene) -> Actor:
    """Somebody who may do everything."""
    world = scene.world
    with world.unit() as session:
        wanted = select(User).where(User.tenant_id == world.tenant, User.role == "admin")
        found = session.scalars(wanted).first()
        assert found is not None
        return Actor(id=found.id, name=found.name, tenant_id=found.tenant_id)


def done(scene: Scene, action: str, device_id: UUID | None = None, **given: Any) -> dict[str, Any]:
    """Ask, work, and the row after that."""
    world, actor = scene.world, person(scene)
    with world.unit() as session:
        asked = actions.request(
            world.rmm,
            session,
            actor,
            action,
            integration_id=world.integration_id,
            device_id=device_id,
            input=given,
        )
    for run in scene.queued("device_action"):
        scene.perform(run["id"])
    (row,) = world.rows("SELECT * FROM rmm_action_invocations WHERE id = :id", id=asked)
    return row


def here(scene: Scene) -> UUID:
    """A device of the mapped group that is online, as it is known here."""
    number = next(number for number, one in enumerate(scene.machines) if one.online)
    found: UUID = scene.stored(scene.known(number))["id"]
    return found


def everything(scene: Scene) -> str:
    """All that our tables hold, as text."""
    tables = scene.world.rows(
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_schema = current_schema() AND table_name LIKE 'rmm%'"
    )
    rows = [scene.world.rows(f"SELECT * FROM {one['table_name']}") for one in tables]
    return json.dumps(rows, default=str)


def test_an_automation_is_picked_and_started_and_its_token_is_nowhere(scene: Scene) -> None:
    device_id = here(scene)
    trigger = next(one for one in scene.level.lab.triggers if not one.requires_authorization)
    with scene.world.unit() as session:
        actions.refresh_scripts(session, person(scene), scene.world.integration_id)
    work(scene.world, "script_list")
    with scene.world.unit() as session:
        library = queries.scripts(session, scene.world.tenant, scene.world.integration_id, None)
        picked = next(one for one in library if one.external_id == trigger.automation_id)
        chosen, name = picked.external_id, picked.name
    row = done(scene, "levelio.automations.trigger", device_id, automation_id=chosen)
    assert (row["state"], row["output"]["run_id"]) == ("requested", None)
    assert row["message"].startswith(f"Level took “{name}” on for ")
    assert "Level tells no run id: see the automation's runs in Level." in row["message"]
    assert [one.automation_id for one in scene.level.lab.runs.values()] == [trigger.automation_id]
    assert trigger.token not in everything(scene)


@pytest.mark.parametrize(
    "mode, state, code",
    [
        ("forbidden", "failed", "PERMISSION_DENIED"),
        ("server_error", "unknown", "VENDOR_ERROR"),
        ("dashboard_html", "unknown", "VENDOR_ERROR"),
    ],
)
def test_what_goes_wrong_is_told_as_it_is(scene: Scene, mode: str, state: str, code: str) -> None:
    trigger = next(one for one in scene.level.lab.triggers if not one.requires_authorization)
    scene.level.fault(mode, prefix=f"/v2/automations/webhooks/{trigger.token}")
    row = done(scene, "levelio.automations.trigger", here(scene), automation_id=trigger.automation_id)
    assert (row["state"], row["error_code"]) == (state, code)
    assert trigger.token not in everything(scene)


def test_resolving_ends_the_alert_here_and_its_echo_changes_nothing(scene: Scene) -> None:
    alert = scene.level.raise_alert(scene.known())
    scene.subscribe()
    scene.poll()
    row = done(scene, "levelio.alerts.resolve", alert_id=alert)
    assert (row["state"], row["output"]) == ("succeeded", {"resolved": True, "alert_id": alert})
    before = scene.world.alert(alert)
    assert before["status"] == "auto_resolved"
    assert [one["reason"] for one in scene.deliver()] == ["already_resolved"]
    assert scene.world.alert(alert)["status"] == before["status"]
