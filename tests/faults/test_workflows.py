"""Workflows of a whole installation: many at once on its two workers, and workers killed in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rmm_extension.models import new_id
from rmm_extension.services import events
from rmm_extension.services.unit import unit
from tests.faults.harness import Stage, stage
from tests.harness.wait import until
from tests.harness.world import World
from tests.workflows.engine.studio import Studio, document, step

pytestmark = pytest.mark.faults

RUNS, STEPS = 200, 2
UNFINISHED = "SELECT count(*) FROM rmm_workflow_runs WHERE state NOT IN ('succeeded', 'failed', 'cancelled')"
SUCCEEDED = "SELECT count(*) FROM rmm_workflow_runs WHERE state = 'succeeded'"
NOTES = "SELECT count(*) FROM comments WHERE body LIKE 'Step %'"
DOUBLED = (
    "SELECT count(*) FROM (SELECT body FROM comments WHERE body LIKE 'Step %' GROUP BY body"
    " HAVING count(*) > 1) twice"
)
REBOOT = "tacticalrmm.agents.reboot"


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Stage]:
    """Workers, scheduler and a simulated vendor; nobody comes by the web."""
    with stage(tmp_path, ("simulator", "worker", "scheduler")) as made:
        for queue in ("rmm-tick", "rmm-sync", "rmm-workflow", "rmm-actions"):
            made.says(f"worker.ready queue={queue}", 300)
        yield made


def publish_notes(installation: Stage) -> None:
    """A workflow that notes something on a ticket in each of its steps."""
    ticket = installation.rows(
        "SELECT id FROM tickets WHERE tenant_id = :tenant AND closed_at IS NULL LIMIT 1",
        tenant=installation.tenant_id,
    )[0]["id"]
    steps = []
    for number in range(STEPS):
        note = {"template": f"Step {number} of {{{{ trigger.integrationId }}}}"}
        inputs = {"ticket_id": {"value": ticket}, "note": note}
        steps.append(step(f"note_{number}", "tickets.add_note", inputs=inputs))
    Studio(World(installation.app)).publish(document(*steps, event="INTEGRATION_CONNECTED"))


def tell(installation: Stage, number: int) -> None:
    """So many connections are said to work, each another one."""
    with installation.app.app_context(), unit(installation.rmm) as session:
        payloads: list[dict[str, Any]] = [
            {"integrationId": str(new_id()), "provider": "tacticalrmm"} for _ in range(number)
        ]
        events.tell_many(session, installation.tenant_id, "integration_connected", payloads)


def test_many_runs_at_once_finish_on_two_workers_and_starve_nobody(installation: Stage) -> None:
    connected = installation.connect()
    publish_notes(installation)
    tell(installation, RUNS)
    until(lambda: installation.number(SUCCEEDED) > 0, "the first run's end", 90, 0.1)
    sync = installation.begin("device_sync", connected.id)
    installation.finish(sync)
    assert installation.number(UNFINISHED) > 0, "the sync came in between"
    assert (
        installation.number(UNFINISHED.replace("count(*)", "count(*) FILTER (WHERE state = 'running')")) <= 20
    )
    until(lambda: installation.number(UNFINISHED) == 0, "the last run's end", 300, 0.5)
    assert installation.number(SUCCEEDED) == RUNS
    assert installation.number(NOTES) == RUNS * STEPS


def test_workers_that_are_killed_among_many_runs_lose_and_repeat_no_step(installation: Stage) -> None:
    publish_notes(installation)
    tell(installation, RUNS // 4)
    for share in (10, 40):
        until(lambda share=share: installation.number(NOTES) >= share, "some notes", 90, 0.05)  # type: ignore[misc]
        installation.kill_worker("rmm-workflow")
    until(lambda: installation.number(UNFINISHED) == 0, "the last run's end", 300, 0.5)
    assert installation.number(SUCCEEDED) == RUNS // 4
    assert installation.number(NOTES) == RUNS // 4 * STEPS
    assert installation.number(DOUBLED) == 0


def test_runs_outlive_redis_and_postgresql(installation: Stage) -> None:
    """Both end in the middle and come back, Redis without what it knew; the scheduler alone goes on."""
    publish_notes(installation)
    tell(installation, RUNS // 4)
    until(lambda: installation.number(NOTES) >= 10, "some notes", 90, 0.05)
    installation.valkey.kill()
    installation.valkey.start()
    until(lambda: installation.number(NOTES) >= 40, "more notes", 120, 0.05)
    installation.postgres.kill()
    installation.start_postgres()
    until(lambda: installation.number(UNFINISHED) == 0, "the last run's end", 300, 0.5)
    assert installation.number(SUCCEEDED) == RUNS // 4
    assert installation.number(NOTES) == RUNS // 4 * STEPS
    assert installation.number(DOUBLED) == 0


def test_a_worker_that_is_killed_while_the_vendor_works_leaves_the_decision_to_a_person(
    installation: Stage,
) -> None:
    """The scheduler alone finds it; the vendor was asked once and is not asked again."""
    connected = installation.connect()
    installation.finish(installation.begin("device_sync", connected.id))
    agent = installation.rows("SELECT external_id FROM rmm_devices ORDER BY external_id LIMIT 1")[0][
        "external_id"
    ]
    world = World(installation.app)
    studio = Studio(world)
    studio.publish(document(step("reboot", REBOOT, device={"value": agent}), event="INTEGRATION_CONNECTED"))
    installation.vendor("/api/misbehaviour", {"mode": "slow", "prefix": "/agents/", "seconds": 8.0})
    with installation.app.app_context(), unit(installation.rmm) as session:
        told = {"integrationId": str(connected.id), "provider": "tacticalrmm"}
        events.tell(session, installation.tenant_id, "integration_connected", told)
    begun = "SELECT count(*) FROM rmm_action_invocations WHERE state = 'running'"
    until(lambda: installation.number(begun) == 1, "the vendor being asked", 90, 0.05)
    installation.kill_worker("rmm-actions")
    unknown = "SELECT count(*) FROM rmm_workflow_runs WHERE state = 'unknown'"
    until(lambda: installation.number(unknown) == 1, "the run's uncertainty", 150, 0.5)
    installation.vendor("/api/misbehaviour/clear", {})
    studio.decide(studio.run()["id"], "happened")
    until(lambda: installation.number(SUCCEEDED) == 1, "the run's end", 90)
    assert installation.number("SELECT count(*) FROM rmm_action_invocations") == 1
