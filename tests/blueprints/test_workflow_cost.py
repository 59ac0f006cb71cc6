"""What the pages of workflows cost: as many statements for many things as for a few.

The figures stand in docs/performance.md.
"""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from rmm_extension.testing.statements import StatementCounter
from tests.conftest import world
from tests.harness.world import World
from tests.workflows.engine.acme import WRITE
from tests.workflows.engine.conftest import studio
from tests.workflows.engine.studio import Studio, document, step

from .acting import SCRIPT
from .test_alert_actions import browser

__all__ = ["studio", "world"]

MANUAL: dict[str, Any] = {"event": "MANUAL", "subjects": ["alert", "device", "ticket", "asset"]}
KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("tickets.add_note", {"ticket_id": {"value": "1"}}),
    ("tickets.update", {"assign_to_user_id": {"value": "1"}}),
    (SCRIPT, {"script_id": {"value": 3}}),
    (WRITE, {"text": {"value": "Hello"}}),
)
"""Steps with something to look up: a user, a script of a library, a module that is connected or not."""


@pytest.fixture
def admin(world: World) -> FlaskClient:
    return browser(world, "admin")


def steps(number: int) -> list[dict[str, Any]]:
    return [step(f"s{at}", KINDS[at % 4][0], inputs=KINDS[at % 4][1]) for at in range(number)]


def sent(client: FlaskClient, path: str) -> int:
    """The statements of a page that was shown before, those of the host and of signing in included."""
    assert client.get(path).status_code == 200
    with StatementCounter() as counter:
        assert client.get(path).status_code == 200
    return counter.count


@pytest.mark.parametrize(
    "part, most",
    [("", 22), ("/publish", 22), ("/steps/s0", 13), ("/palette", 12), ("/trigger", 14), ("/test", 7)],
)
def test_a_page_of_a_workflow_by_its_steps(studio: Studio, admin: FlaskClient, part: str, most: int) -> None:
    few, many = (studio.publish(document(*steps(number))) for number in (4, 28))
    found = [sent(admin, f"/rmm/workflows/{one}{part}") for one in (few, many)]
    assert found[0] == found[1] <= most


def test_a_run_by_its_steps(studio: Studio, world: World, admin: FlaskClient) -> None:
    device, found = str(world.device()), []
    for number in (1, 20):
        workflow = studio.publish(document(*(step(f"s{at}") for at in range(number)), **MANUAL))
        run_id = studio.start(workflow, "device", device)
        studio.work()
        found.append(sent(admin, f"/rmm/workflows/runs/{run_id}"))
    assert found[0] == found[1] <= 7


@pytest.mark.parametrize(
    "page, most", [("/rmm/workflows", 6), ("/rmm/workflows/runs", 8), ("alert", 15), ("ticket", 22)]
)
def test_a_list_by_workflows_and_runs(
    studio: Studio, world: World, admin: FlaskClient, page: str, most: int
) -> None:
    world.post()
    alert = world.alert()
    places = {"alert": f"/rmm/alerts/{alert['id']}", "ticket": f"/tickets/{alert['ticket_id']}"}
    found = []
    for number in (1, 12):
        for _ in range(number):
            studio.start(studio.publish(document(step("one"), **MANUAL)), "alert", str(alert["id"]))
        studio.work()
        found.append(sent(admin, places.get(page, page)))
    assert found[0] == found[1] <= most


def test_the_help_with_expressions_by_runs(studio: Studio, world: World, admin: FlaskClient) -> None:
    """The values of a run stand beside the names, and those before it can be chosen instead."""
    workflow = studio.publish(document(*(step(f"s{at}") for at in range(3)), **MANUAL))
    device, found = str(world.device()), []
    for number in (1, 12):
        for _ in range(number):
            studio.start(workflow, "device", device)
        studio.work()
        found.append(sent(admin, f"/rmm/workflows/{workflow}/steps/s2"))
    assert found[0] == found[1] <= 17
