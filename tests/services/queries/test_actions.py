"""Actions as the pages list them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from rmm_extension.models import ActionInvocation, JobRun, new_id, utc_now
from rmm_extension.services.queries import actions
from rmm_extension.services.queries.actions import ActionFilter
from rmm_extension.testing.statements import StatementCounter
from tests.harness.world import World

REBOOT = "tacticalrmm.agents.reboot"


def add(world: World, **columns: Any) -> Any:
    row = {"action": REBOOT, "actor_id": "u1", "actor_name": "Mara", "state": "succeeded", "input": {}}
    row |= {"tenant_id": world.tenant, "id": new_id(), "integration_id": world.integration_id}
    row |= {"created_at": utc_now(), "output": {"output": "x" * 1000}, **columns}
    with world.unit() as session:
        session.add(ActionInvocation(**row))
    return row["id"]


def test_one_action_has_its_output_device_and_connection(world: World) -> None:
    device = world.device(name="SRV", asset_id="a1")
    found_id = add(world, device_id=device)
    with world.unit() as session:
        found = actions.invocation(session, world.tenant, found_id)
        assert found is not None
        assert (found.device_name, found.asset_id, found.connection_name, found.provider) == (
            "SRV",
            "a1",
            "Tactical",
            "tacticalrmm",
        )
        assert found.output == {"output": "x" * 1000}
        assert actions.invocation(session, "another", found_id) is None
        assert actions.invocation(session, world.tenant, uuid4()) is None


def test_the_list_is_by_time_in_pages_and_without_outputs(world: World) -> None:
    ids = [add(world) for _ in range(60)]
    with world.unit() as session:
        first = actions.list_page(session, world.tenant)
        second = actions.list_page(session, world.tenant, after=first.after)
    assert [row.id for row in (*first.rows, *second.rows)] == list(reversed(ids))
    assert second.after is None
    assert not hasattr(first.rows[0], "output")


def test_the_list_is_narrowed(world: World) -> None:
    device = world.device()
    mine = add(world, device_id=device, ticket_id="t1", state="failed", actor_id="u2")
    add(world, action="tacticalrmm.agents.ping")
    wishes: list[dict[str, Any]] = [
        {"device_id": device},
        {"ticket_id": "t1"},
        {"state": "failed"},
        {"actor_id": "u2"},
        {"action": REBOOT},
    ]
    with world.unit() as session:
        for wish in wishes:
            found = actions.list_page(session, world.tenant, ActionFilter(**wish)).rows
            assert [row.id for row in found] == [mine], wish
        for wish in wishes[:2]:
            assert [row.id for row in actions.newest(session, world.tenant, ActionFilter(**wish))] == [mine]
        assert actions.list_page(session, "another").rows == []


def test_a_list_is_one_statement(world: World) -> None:
    for _ in range(5):
        add(world, device_id=world.device(str(uuid4())))
    with world.unit() as session, StatementCounter() as sent:
        actions.list_page(session, world.tenant)
    assert len(sent.statements) == 1


def test_the_run_that_lists_the_scripts_is_the_one_that_says_most(world: World) -> None:
    """The one under way, else a failure that nothing good came after."""

    def add_run(status: str, hours: float) -> Any:
        at = utc_now() - timedelta(hours=hours)
        row = JobRun(
            tenant_id=world.tenant,
            id=new_id(),
            integration_id=world.integration_id,
            kind="script_list",
            queue="q",
            status=status,
            exclusive_key=f"script_list:{world.integration_id}",
            queued_at=at,
            finished_at=None if status == "queued" else at,
            actor_id="u1",
            actor_name="Mara",
        )
        found = row.id
        with world.unit() as session:
            session.add(row)
        return found

    def shown() -> Any:
        with world.unit() as session:
            run = actions.listing_run(session, world.tenant, world.integration_id)
            return run and run.id

    assert shown() is None
    failed = add_run("failed", 3)
    assert shown() == failed
    add_run("succeeded", 2)
    assert shown() is None
    again = add_run("failed", 1)
    assert shown() == again
    assert add_run("queued", 0.5) == shown()
