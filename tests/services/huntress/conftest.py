"""The world's connection to a simulated Huntress over HTTP, which sends its webhooks to the running host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reference_psa.models import Board, Client, Priority, User
from reference_psa.services import tickets as people
from rmm_extension.domain.types import Severity
from rmm_extension.models import AlertRule, Integration
from rmm_extension.providers import http
from rmm_extension.services import webhook_access
from rmm_extension.services.alert_routing import save_routing
from rmm_extension.services.catch_all import add_catch_all
from simulators.huntress.models import Agent
from simulators.testing import serve_in_thread
from tests.harness.huntress import Huntress
from tests.harness.huntress import huntress as huntress
from tests.harness.scene import Scene as Connected
from tests.harness.world import World
from tests.services.working import relay_all, work


@dataclass
class Scene(Connected):
    """The simulated server behind the world's connection; its first organization is mapped here.

    Alerts make tickets by the routing of the connection, whose fallback client is the last one.
    """

    huntress: Huntress
    fallback: str = ""
    hook: str = ""

    provider = "huntress"

    @property
    def organization(self) -> str:
        """The organization that is mapped."""
        return str(min(self.huntress.lab.fleet.organizations))

    def hosts(self, *, mapped: bool = True) -> list[Agent]:
        """Hosts of the organization that is mapped, or of all others."""
        agents = self.huntress.lab.fleet.agents.values()
        return [one for one in agents if (str(one.organization_id) == self.organization) is mapped]

    def raised(self, *, mapped: bool = True, **wanted: Any) -> str:
        """A new incident on a host; its id as an alert has it."""
        return str(self.huntress.raise_incident(agent_id=self.hosts(mapped=mapped)[0].id, **wanted))

    def webhook(self) -> None:
        """Have webhooks sent to the running host, and their secret pasted here."""
        endpoint = self.huntress.webhook(self.hook)
        world = self.world
        with world.unit() as session:
            webhook_access.keep_secret(
                world.rmm, session, world.admin, world.integration_id, endpoint["secret"]
            )

    def deliver(self, **how: Any) -> list[dict[str, Any]]:
        """Have the webhooks sent that wait; the answers' bodies."""
        sent = self.huntress.deliver(**how)
        assert {one["status"] for one in sent} <= {200}, sent
        return [json.loads(one["answer"]) for one in sent]

    def follow_up(self, kind: str) -> list[dict[str, Any] | str]:
        """Hand over what waits and do the runs of the kind; what each gave."""
        relay_all(self.world)
        return work(self.world, kind)

    def close(self, ticket_id: str) -> list[dict[str, Any] | str]:
        """A person closes the ticket; what became of asking the vendor."""
        with self.world.unit() as session:
            people.close(session, self._person(session), ticket_id, None)
        return self.follow_up("alert_reset")

    def comment(self, ticket_id: str) -> None:
        """A person works on the ticket."""
        with self.world.unit() as session:
            people.add_comment(session, self._person(session), ticket_id, "Looking.", is_internal=True)

    def _person(self, session: Session) -> User:
        wanted = select(User).where(User.tenant_id == self.world.tenant, User.role == "admin")
        return session.scalars(wanted.limit(1)).one()

    def notes(self, number: int = 0) -> list[str]:
        """System notes of a ticket, oldest first."""
        return self.world.notes(self.tickets()[number]["id"])

    def status(self, external_id: str) -> str:
        """The incident's status at Huntress."""
        return self.huntress.lab.incidents[int(external_id)].status

    def route(self) -> None:
        """Choose everything: the default board, and a priority for each severity."""
        world = self.world
        with world.unit() as session:
            priorities = list(session.scalars(select(Priority.id).where(Priority.tenant_id == world.tenant)))
            board = session.scalars(select(Board.id).where(Board.tenant_id == world.tenant).limit(1)).one()
            clients = select(Client.id).where(Client.tenant_id == world.tenant).order_by(Client.name)
            self.fallback = list(session.scalars(clients))[-1]
            chosen = {
                "boardId": board,
                "priorityBySeverity": dict.fromkeys(Severity, priorities[0]),
                "fallbackClientId": self.fallback,
                "fallbackBoardId": board,
            }
            save_routing(world.rmm, session, world.admin, world.integration_id, chosen)


@pytest.fixture
def scene(world: World, huntress: Huntress, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """The world's connection is one to Huntress, with a user's key and its first rule."""
    monkeypatch.setattr(http, "BACKOFF", 0.0)
    world.do(
        "UPDATE rmm_integrations SET provider = 'huntress', instance_url = :url, auth_mode = 'api_key',"
        " settings = jsonb_build_object('account_subdomain', 'acme-msp', 'account_id', '5')",
        url=huntress.url,
    )
    with world.unit() as session:
        for name, value in (("api_key", huntress.key), ("api_secret", huntress.secret)):
            world.rmm.vault.store(session, world.tenant, world.integration_id, name, value)
        session.execute(delete(AlertRule))
        row = session.get_one(Integration, (world.tenant, world.integration_id))
        add_catch_all(session, world.admin, row, routed=True)
    url, stop = serve_in_thread(world.app)
    found = Scene(world, huntress, hook=f"{url}/api/webhooks/huntress/{world.token}")
    world.do("UPDATE rmm_organization_mappings SET external_id = :id", id=found.organization)
    found.route()
    yield found
    stop()
