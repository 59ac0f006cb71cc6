"""The escalation against simulated Microsoft services and the reference PSA's dispatch board."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from reference_psa.seed import demo_id
from reference_psa.seed_data import NORTHBEAM
from rmm_extension.domain.types import Connection
from rmm_extension.providers import http
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.registry import ProviderRegistry
from rmm_extension.services import connections
from rmm_extension.services.messaging import endpoint, open_endpoint
from simulators.testing import serve_in_thread
from tests.blueprints.conftest import said
from tests.harness.teams import SimulatedTeams, teams
from tests.harness.world import World
from tests.services.working import work
from tests.workflows.recipes.kitchen import Kitchen

__all__ = ["teams"]

ALERT = "critical"


@pytest.fixture
def kitchen(world: World, teams: SimulatedTeams, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kitchen]:
    """A connection to the bot, which was put into the team “Service desk”."""
    monkeypatch.setattr(http, "BACKOFF", 0.0)
    mounted = world.app.extensions["rmm"]
    runtime = Runtime(allowed_networks=(ip_network("127.0.0.0/8"),), base_urls={"teams": teams.url})
    registry = ProviderRegistry(runtime)
    services = replace(mounted.services, providers=registry)
    world.app.extensions["rmm"] = replace(mounted, services=services)
    url, stop = serve_in_thread(world.app)
    teams.listen_at(f"{url}{_endpoint(world, teams)}")
    assert work(world, "signing_keys") == [{"keys": 2}]
    teams.install("Service desk")
    assert {one["status"] for one in teams.deliver()} == {200}
    for table in ("schedule_entry_users", "schedule_entries"):
        world.do(f"DELETE FROM {table}")  # nobody is busy
    yield Kitchen(world)
    stop()


def _endpoint(world: World, teams: SimulatedTeams) -> str:
    """The path of the bot's messaging endpoint."""
    given = Connection(
        tenant_id=world.tenant,
        integration_id="",
        provider="teams",
        instance_url="",
        auth_mode="single_tenant",
        secrets={"client_secret": teams.client_secret},
        settings={"app_id": teams.app_id, "directory_id": teams.directory_id},
    )
    with world.unit() as session:
        row = connections.create(world.rmm, session, world.admin, "Teams", given, catch_all=False)
        row.setup_step = None
        open_endpoint(world.rmm, session, world.admin, row.id)
        session.flush()
        found = endpoint(world.rmm, session, connections.get(session, world.tenant, row.id))
        assert found is not None
        return "/" + found.url.split("/", 3)[3]


def technician() -> str:
    return str(demo_id(NORTHBEAM, "users", "tech@northbeam.example"))


def escalate(kitchen: Kitchen, teams: SimulatedTeams, **more: Any) -> None:
    """The recipe, and an alert it is for."""
    channel = teams.channel_id("Service desk", "Alerts")
    kitchen.publish("escalate", channel_id=channel, technicians=[technician()], **more)
    assert kitchen.world.post(kitchen.world.body(message="Disk full")).status_code == 200
    kitchen.work()


def entries(world: World) -> list[dict[str, Any]]:
    """What the run put on the board."""
    return world.rows(
        "SELECT e.*, u.user_id FROM schedule_entries e JOIN schedule_entry_users u"
        " ON u.tenant_id = e.tenant_id AND u.entry_id = e.id WHERE e.idempotency_key LIKE 'workflow%'"
    )


def test_the_channel_is_told_and_a_technician_is_booked_for_the_ticket(
    world: World, teams: SimulatedTeams, kitchen: Kitchen
) -> None:
    escalate(kitchen, teams)
    assert kitchen.steps() == {"tell": "succeeded", "book": "succeeded"}, kitchen.told()
    (ticket,) = world.tickets()
    (message,) = teams.messages()
    assert "CRITICAL" in str(message)
    assert f"T-{ticket['number']}" in str(message)
    (entry,) = entries(world)
    assert (entry["user_id"], entry["ticket_id"]) == (technician(), ticket["id"])
    assert entry["ends_at"] - entry["starts_at"] == timedelta(minutes=60)
    (run,) = kitchen.runs()
    assert entry["starts_at"] >= run["started_at"] + timedelta(minutes=14)
    board = said(kitchen.browser.get(f"/dispatch?day={_day(entry['starts_at'])}"))
    assert "CRITICAL" in board


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def test_the_same_thing_again_within_the_hour_tells_nobody_twice(
    world: World, teams: SimulatedTeams, kitchen: Kitchen
) -> None:
    escalate(kitchen, teams)
    world.post(world.resolved())
    world.post(world.body(525, message="Disk full"))
    kitchen.work()
    assert len(teams.messages()) == 1
    assert len(entries(world)) == 1


def test_one_who_is_busy_is_booked_behind_it(world: World, teams: SimulatedTeams, kitchen: Kitchen) -> None:
    escalate(kitchen, teams)
    (first,) = entries(world)
    world.do("UPDATE rmm_workflow_runs SET queued_at = queued_at - interval '2 hours'")
    world.post(world.resolved())
    world.post(world.body(526, message="Disk full", alert_time="2026-11-21 05:06:46.015151+00:00"))
    kitchen.work()
    assert len(kitchen.runs()) == 2
    second = max(entries(world), key=lambda one: one["starts_at"])
    assert second["starts_at"] == first["ends_at"]


def test_where_the_app_was_taken_out_of_the_team_people_are_booked_all_the_same(
    world: World, teams: SimulatedTeams, kitchen: Kitchen
) -> None:
    teams.install("Priya Raman")
    teams.remove("Service desk")
    teams.deliver()
    escalate(kitchen, teams)
    told = {one["step_id"]: (one["state"], one["error_code"]) for one in kitchen.told()}
    assert told == {"tell": ("failed", "APP_NOT_IN_TEAM"), "book": ("succeeded", None)}
    (run,) = kitchen.runs()
    assert "APP_NOT_IN_TEAM" in said(kitchen.browser.get(f"/rmm/workflows/runs/{run['id']}"))
