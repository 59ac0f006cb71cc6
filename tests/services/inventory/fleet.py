"""A simulated Tactical RMM server, the reference PSA that syncs it over HTTP, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import text

from reference_psa import create_app
from reference_psa.db import db
from reference_psa.models import Client, Tenant
from rmm_extension.domain.types import Connection
from rmm_extension.host import Actor
from rmm_extension.models import OrganizationMapping, new_id
from rmm_extension.services import connections, runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.inventory import refresh_device, sync_devices
from rmm_extension.services.unit import unit
from simulators.tacticalrmm import keys
from simulators.tacticalrmm.app import create_app as create_simulator
from simulators.tacticalrmm.app import lab_of
from simulators.tacticalrmm.fleet import FleetOptions
from simulators.tacticalrmm.lab import Lab, ScheduledDrift
from simulators.tacticalrmm.models import Agent
from simulators.testing import serve_in_thread
from tests.harness.schema import app_config

ADA = Actor("ada", "Ada", "t1")


@dataclass
class Fleet:
    """The vendor's ``lab`` and the connection to it; every client of the vendor is a client here."""

    app: Flask
    url: str
    lab: Lab
    integration_id: UUID = field(default_factory=new_id)

    @property
    def rmm(self) -> Rmm:
        found: Rmm = self.app.extensions["rmm"].services
        return found

    def connect(self, key: str = keys.INTEGRATION_KEY, **settings: Any) -> Fleet:
        """Make the tenant, its clients and the mapped connection."""
        wanted = Connection(
            tenant_id="t1",
            integration_id="",
            provider="tacticalrmm",
            instance_url=self.url,
            secrets={"api_key": key},
            settings=settings,
        )
        with unit(self.rmm) as session:
            session.add(Tenant(id="t1", name="One", edition="enterprise"))
            session.flush()
            for one in self.lab.fleet.clients.values():
                session.add(Client(tenant_id="t1", id=f"c{one.id}", name=one.name))
            session.flush()
            row = connections.create(self.rmm, session, ADA, "Tactical", wanted, catch_all=False)
            self.integration_id = row.id
            for one in self.lab.fleet.clients.values():
                session.add(self._mapping(one.id, one.name))
        return self

    def _mapping(self, client: int, name: str) -> OrganizationMapping:
        return OrganizationMapping(
            tenant_id="t1",
            id=new_id(),
            integration_id=self.integration_id,
            external_id=str(client),
            name=name,
            client_id=f"c{client}",
        )

    def run(self, kind: str = "device_sync", **subject: Any) -> runs.Run:
        """A run in the hands of a worker."""
        with unit(self.rmm) as session:
            run_id = runs.start(
                self.rmm, session, ADA, kind, integration_id=self.integration_id, subject=subject
            )
        taken = runs.take(self.rmm, "t1", run_id, 0)
        assert taken is not None
        return taken

    def sync(self, **subject: Any) -> dict[str, int]:
        """A whole device sync; the counts that are not zero."""
        return self._finished(self.run(**subject), sync_devices)

    def refresh(self, agent: Agent) -> dict[str, int]:
        """A refresh of one device; the counts that are not zero."""
        return self._finished(self.run("device_refresh", external_id=agent.agent_id), refresh_device)

    def _finished(self, run: runs.Run, handler: Any) -> dict[str, int]:
        counts: dict[str, int] = handler(self.rmm, run)
        with unit(self.rmm) as session:
            runs.finish(session, run)
        return {name: count for name, count in counts.items() if count}

    def drift(self, prefix: str, after: int, agent: Agent | None = None, site_id: int | None = None) -> None:
        """Delete, move or add an agent as soon as so many requests were answered."""
        plan = ScheduledDrift(prefix, after, agent.agent_id if agent else "", site_id)
        self.lab.scheduled.append(plan)

    def agents_of(self, client: int) -> list[Agent]:
        """The client's agents, in the order of the beta list."""
        mine = [one for one in self.lab.agents() if self.lab.client_of(one).id == client]
        return sorted(mine, key=lambda one: one.pk)

    def site_of(self, client: int) -> int:
        """One of the client's sites."""
        return next(site.id for site in self.lab.fleet.sites.values() if site.client_id == client)

    def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        with unit(self.rmm) as session:
            return [dict(row._mapping) for row in session.execute(text(statement), values)]

    def device(self, agent: Agent) -> dict[str, Any]:
        (row,) = self.rows("SELECT * FROM rmm_devices WHERE external_id = :id", id=agent.agent_id)
        return row

    def asset(self, agent: Agent) -> dict[str, Any]:
        """The asset of an agent with its workstation or server row."""
        (row,) = self.rows(
            "SELECT a.*, to_jsonb(coalesce(w, null)) AS workstation, to_jsonb(coalesce(s, null)) AS server"
            " FROM rmm_devices d JOIN assets a ON a.tenant_id = d.tenant_id AND a.id = d.asset_id"
            " LEFT JOIN workstation_assets w ON w.tenant_id = a.tenant_id AND w.asset_id = a.id"
            " LEFT JOIN server_assets s ON s.tenant_id = a.tenant_id AND s.asset_id = a.id"
            " WHERE d.external_id = :id",
            id=agent.agent_id,
        )
        return row

    def vitals(self, agent: Agent) -> dict[str, Any]:
        row = self.asset(agent)
        return row["workstation"] or row["server"] or {}

    def missing(self) -> set[str]:
        """External ids of the devices that some listing did not name."""
        found = self.rows("SELECT external_id FROM rmm_devices WHERE missing_since IS NOT NULL")
        return {row["external_id"] for row in found}

    def inactive(self) -> int:
        return len(self.rows("SELECT 1 FROM assets WHERE status = 'inactive'"))

    def requests(self) -> list[str]:
        """Paths asked for since the last call, without their queries."""
        found = [entry["path"] for entry in self.lab.requests]
        self.lab.requests.clear()
        return found


@contextmanager
def fleets(database_url: str) -> Iterator[Callable[..., Fleet]]:
    """Starts simulated servers of any size, each with a connection; settings are the connection's."""
    stops = []
    app = create_app(app_config(database_url))

    def run(agents: int = 80, clients: int = 2, row_kb: int = 4, **settings: Any) -> Fleet:
        simulator = create_simulator(FleetOptions(agents, clients, 7, row_kb))
        url, stop = serve_in_thread(simulator)
        stops.append(stop)
        return Fleet(app, url, lab_of(simulator)).connect(**({"beta_page_size": 25} | settings))

    try:
        with app.app_context():
            yield run
            db.session.remove()
            db.engine.dispose()
    finally:
        for stop in stops:
            stop()
