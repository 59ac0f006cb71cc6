"""A world whose connection is a simulated server: a device that is one of its agents, and people who act."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from reference_psa.models import User
from rmm_extension.domain.actions import ActionState
from rmm_extension.host import Actor, TicketDraft
from rmm_extension.jobs.execute import perform as execute
from rmm_extension.providers.tacticalrmm import history
from rmm_extension.services import actions
from rmm_extension.services.unit import unit
from simulators.tacticalrmm import keys
from simulators.tacticalrmm.app import create_app, lab_of
from simulators.tacticalrmm.fleet import FleetOptions
from simulators.tacticalrmm.lab import Lab
from simulators.tacticalrmm.models import Agent
from simulators.testing import serve_in_thread
from tests.harness.world import World

SCRIPT, COMMAND = "tacticalrmm.agents.run_script", "tacticalrmm.agents.run_command"
REBOOT, PING = "tacticalrmm.agents.reboot", "tacticalrmm.agents.ping"


@dataclass
class Scene:
    """The world, its server and one device on it."""

    world: World
    lab: Lab
    agent: Agent
    device_id: UUID

    def person(self, role: str = "technician") -> Actor:
        """Somebody of the tenant with that role."""
        with self.world.unit() as session:
            found = session.scalars(
                select(User).where(User.tenant_id == self.world.tenant, User.role == role)
            ).first()
            assert found is not None
            return Actor(id=found.id, name=found.name, tenant_id=found.tenant_id)

    def ask(self, action: str = REBOOT, by: Actor | None = None, **more: Any) -> UUID:
        """Ask for an action on the device."""
        actor = by or self.person()
        options = {"integration_id": self.world.integration_id, "device_id": self.device_id, "input": {}}
        with self.world.app.app_context(), unit(self.world.rmm) as session:
            return actions.request(self.world.rmm, session, actor, action, **{**options, **more})

    def row(self, invocation_id: UUID) -> dict[str, Any]:
        """The stored invocation."""
        (found,) = self.world.rows("SELECT * FROM rmm_action_invocations WHERE id = :id", id=invocation_id)
        return found

    def run_of(self, invocation_id: UUID) -> dict[str, Any]:
        """The stored run of the invocation."""
        (found,) = self.world.rows(
            "SELECT * FROM rmm_job_runs WHERE id = :id", id=self.row(invocation_id)["run_id"]
        )
        return found

    def work(self, invocation_id: UUID) -> str:
        """Have a worker make the next attempt; its outcome in one word."""
        run = self.run_of(invocation_id)
        with self.world.app.app_context():
            return execute(self.world.rmm, self.world.tenant, run["id"], run["attempt"])

    def done(self, *args: Any, **more: Any) -> dict[str, Any]:
        """Ask, work, and the row after that."""
        invocation_id = self.ask(*args, **more)
        self.work(invocation_id)
        return self.row(invocation_id)

    def sent(self) -> list[str]:
        """What reached the vendor's agents."""
        return [one["func"] for one in self.lab.commands]

    def die(self, invocation_id: UUID) -> None:
        """Leave the action as a worker does that ended between its mark and the result."""
        self.world.do(
            "UPDATE rmm_action_invocations SET state = :running, started_at = now() WHERE id = :id",
            running=ActionState.RUNNING.value,
            id=invocation_id,
        )
        self.world.do(
            "UPDATE rmm_job_runs SET status = 'running', attempt = attempt + 1,"
            " heartbeat_at = now() - interval '1 hour' WHERE id = :id",
            id=self.row(invocation_id)["run_id"],
        )

    def ticket(self) -> str:
        """An open ticket."""
        with self.world.unit() as session:
            port = self.world.rmm.host.tickets
            assert port is not None
            draft = TicketDraft("k1", "Printer", "It jams.", self.world.client_id, "test", "1")
            return port.create(session, self.world.tenant, draft).id


@pytest.fixture(autouse=True)
def looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The history is looked at without waiting."""
    monkeypatch.setattr(history, "PAUSES", (0.0,))


@pytest.fixture
def start_server() -> Iterator[Callable[[], tuple[str, Lab]]]:
    """Starts simulated servers whose waits take a thousandth of their time."""
    stops = []

    def start() -> tuple[str, Lab]:
        app = create_app(FleetOptions(20, 2, 7, 2), time_scale=0.001)
        url, stop = serve_in_thread(app)
        stops.append(stop)
        return url, lab_of(app)

    yield start
    for stop in stops:
        stop()


@pytest.fixture
def scene(world: World, start_server: Callable[[], tuple[str, Lab]]) -> Scene:
    """One device, online and on Windows."""
    url, lab = start_server()
    agent = next(one for one in lab.agents() if one.plat == "windows" and lab.status(one) == "online")
    world.do("UPDATE rmm_integrations SET instance_url = :url", url=url)
    with world.unit() as session:
        world.rmm.vault.store(session, world.tenant, world.integration_id, "api_key", keys.INTEGRATION_KEY)
    device_id = world.device(agent.agent_id, agent.hostname, facts={"platform": "windows"})
    return Scene(world, lab, agent, device_id)
