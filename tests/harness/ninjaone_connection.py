"""A simulated NinjaOne and a connection to it, signed in as a System Administrator in the browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from rmm_extension.domain.sessions import MemorySessions, SessionToken
from rmm_extension.domain.types import Connection
from rmm_extension.host import Actor
from rmm_extension.jobs.execute import perform
from rmm_extension.models import OrganizationMapping, new_id
from rmm_extension.providers import http
from rmm_extension.services import connections, webhook_access
from rmm_extension.services.registration import due
from simulators.ninjaone import keys
from simulators.ninjaone.applications import Application, Grant
from simulators.ninjaone.enums import SCOPES
from simulators.ninjaone.lab import Lab
from simulators.ninjaone.models import Subscription
from tests.harness.ninjaone import ninjas
from tests.harness.world import World

KIND = "webhook_register"
ADMINISTRATOR, TECHNICIAN = 1, 2


@dataclass
class NinjaConnection:
    """The server and one connection to it."""

    world: World
    lab: Lab
    url: str
    integration_id: UUID = field(default_factory=new_id)
    tenant: str = ""

    @property
    def actor(self) -> Actor:
        """Who configures the connection."""
        return Actor(id="admin", name="Ada Admin", tenant_id=self.tenant)

    def typed(
        self, user: int = ADMINISTRATOR, client_id: str = keys.WEB_CLIENT_ID, **more: Any
    ) -> Connection:
        """A sign-in in the browser that has been tested."""
        scopes = more.pop("scopes", SCOPES)
        with self.lab.lock:
            token = self.lab.issue(client_id, user, scopes)
            refresh = f"sim-refresh-{new_id()}"
            self.lab.refresh_tokens[refresh] = Grant(client_id, user, tuple(scopes), None)
        session = SessionToken(value=token, refresh=refresh, scopes=tuple(scopes))
        return Connection(
            **{
                "tenant_id": self.tenant,
                "integration_id": "",
                "provider": "ninjaone",
                "instance_url": self.url,
                "auth_mode": "oauth",
                "secrets": {"client_secret": self.lab.applications[client_id].client_secret},
                "settings": {"client_id": client_id},
                "sessions": MemorySessions(session),
                **more,
            }
        )

    def connect(self, name: str = "Ninja", tenant: str | None = None, **more: Any) -> NinjaConnection:
        """Another connection to this server."""
        other = NinjaConnection(self.world, self.lab, self.url, tenant=tenant or self.world.tenant)
        with self.world.unit() as session:
            row = connections.create(
                self.world.rmm, session, other.actor, name, other.typed(**more), catch_all=False
            )
            row.setup_step = None
            other.integration_id = row.id
        return other

    def call(self, act: Any, *args: Any) -> Any:
        """Call a service on the connection."""
        with self.world.unit() as session:
            return act(self.world.rmm, session, self.actor, self.integration_id, *args)

    def switch_on(self) -> NinjaConnection:
        """Take deliveries."""
        self.call(webhook_access.switch_on)
        return self

    def tick(self) -> int:
        """Start what is due."""
        with self.world.app.app_context():
            return due.start_due(self.world.rmm)

    def work(self, kind: str = KIND) -> list[str]:
        """Have a worker do each queued run of this connection once; the outcomes."""
        rows = self.world.rows(
            "SELECT id, attempt FROM rmm_job_runs WHERE kind = :kind AND status = 'queued'"
            " AND integration_id = :id ORDER BY queued_at, id",
            kind=kind,
            id=self.integration_id,
        )
        with self.world.app.app_context():
            return [perform(self.world.rmm, self.tenant, row["id"], row["attempt"]) for row in rows]

    def settle(self) -> list[str]:
        """A tick, and the work that it starts."""
        self.tick()
        return self.work()

    def later(self) -> None:
        """The time of the next try has come."""
        self.world.do(
            "UPDATE rmm_integrations SET registration_due_at = now() WHERE registration_due_at IS NOT NULL"
        )

    def row(self) -> dict[str, Any]:
        """The connection."""
        (found,) = self.world.rows("SELECT * FROM rmm_integrations WHERE id = :id", id=self.integration_id)
        return found

    @property
    def registration(self) -> dict[str, Any]:
        """What is kept of its registration."""
        found: dict[str, Any] = self.row()["registration"]
        return found

    @property
    def state(self) -> str:
        """Where it is."""
        return str(self.registration.get("state", "none"))

    def gap(self) -> timedelta:
        """From the latest failure to the next try."""
        row = self.world.rows(
            "SELECT registration_due_at - (registration->>'at')::timestamptz AS gap FROM rmm_integrations"
            " WHERE id = :id",
            id=self.integration_id,
        )[0]
        found: timedelta = row["gap"]
        return found

    def secrets(self) -> dict[str, str]:
        """What the vault has."""
        with self.world.unit() as session:
            return self.world.rmm.vault.read(session, self.tenant, self.integration_id)

    def webhooks(self, client_id: str = keys.WEB_CLIENT_ID) -> list[Subscription]:
        """What the server has of an application."""
        return [one for one in self.lab.subscriptions if one.owner == client_id]

    @property
    def calls(self) -> int:
        """How often a webhook was set."""
        return self.lab.counters["PUT /v2/webhook"]

    def told(self, prefix: str = "webhook.") -> list[str]:
        """The connection's activity, oldest first."""
        found = self.world.rows(
            "SELECT action FROM rmm_audit WHERE action LIKE :prefix AND integration_id = :id ORDER BY at, id",
            prefix=f"{prefix}%",
            id=self.integration_id,
        )
        return [row["action"] for row in found]

    def map(self, external_id: str, client_id: str | None = None) -> UUID:
        """An organization, mapped where a client is given."""
        row = OrganizationMapping(
            tenant_id=self.tenant,
            id=new_id(),
            integration_id=self.integration_id,
            external_id=external_id,
            name=f"Organization {external_id}",
            client_id=client_id,
        )
        made = row.id
        with self.world.unit() as session:
            session.add(row)
        return made

    def application(self, client_id: str) -> None:
        """Another API application on the server."""
        with self.lab.lock:
            self.lab.applications[client_id] = Application(
                client_id, "s3cret", client_id, {"authorization_code", "refresh_token"}, set(SCOPES)
            )


@pytest.fixture
def server(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[NinjaConnection]:
    """The server, with no connection yet."""
    monkeypatch.setattr(http, "BACKOFF", 0.0)
    with ninjas() as start:
        ninja = start(20, 3)
        yield NinjaConnection(world, ninja.lab, ninja.url, tenant=world.tenant)


@pytest.fixture
def ninja(server: NinjaConnection) -> NinjaConnection:
    """A connection to it whose webhook is on, and known to nobody yet."""
    return server.connect().switch_on()
