"""A connection of the reference PSA to the tiny vendor, synced again and again, and what that took."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import requests
from flask import Flask
from sqlalchemy import text

from benchmarks import reading
from benchmarks.tactical import AGENTS
from reference_psa.seed import tenant_id
from reference_psa.seed_data import NORTHBEAM
from rmm_extension.domain.types import Connection
from rmm_extension.host import Actor
from rmm_extension.models import OrganizationMapping, new_id
from rmm_extension.services import connections, runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.inventory import sync_devices
from rmm_extension.services.unit import unit


class Bench:
    """A connection with mapped organizations, synced again and again."""

    def __init__(self, app: Flask, address: str, clients: int, source: str = "standard") -> None:
        self.rmm: Rmm = app.extensions["rmm"].services
        self.address = address
        self.clients = clients
        self.source = source
        self.actor = Actor(id="bench", name="Benchmark", tenant_id=tenant_id(NORTHBEAM))
        self.integration_id = self._connect()

    def _connect(self) -> UUID:
        made = Connection(
            tenant_id=self.actor.tenant_id,
            integration_id="",
            provider="tacticalrmm",
            instance_url=self._url("base"),
            secrets={"api_key": "k" * 32},
            settings={"source": self.source},
        )
        name = f"Benchmark {new_id()}"
        with unit(self.rmm) as session:
            row = connections.create(self.rmm, session, self.actor, name, made, catch_all=False)
            owners = [c.id for c in self.rmm.host.clients.search(session, self.actor.tenant_id)]
            session.add_all(
                OrganizationMapping(
                    tenant_id=self.actor.tenant_id,
                    id=new_id(),
                    integration_id=row.id,
                    external_id=str(number),
                    name=f"Client {number}",
                    client_id=owners[number % len(owners)],
                )
                for number in range(1, self.clients + 1)
            )
            return row.id

    def _url(self, variant: str) -> str:
        return f"{self.address}/{variant}-{self.clients}"

    def sync(self, variant: str) -> dict[str, int]:
        """One device sync of what the vendor says in this variant."""
        run = self._run(variant)
        counts = sync_devices(self.rmm, run)
        with unit(self.rmm) as session:
            runs.finish(session, run)
        if counts["processed"] != self.clients * AGENTS:
            raise RuntimeError(f"The sync left devices out: {counts}")
        return counts

    def _run(self, variant: str) -> runs.Run:
        with unit(self.rmm) as session:
            row = connections.get(session, self.actor.tenant_id, self.integration_id, lock=True)
            row.instance_url = self._url(variant)
            run_id = runs.start(
                self.rmm, session, self.actor, "device_sync", integration_id=row.id, subject={"full": False}
            )
        taken = runs.take(self.rmm, self.actor.tenant_id, run_id, 0)
        assert taken is not None
        return taken

    def forget(self) -> None:
        """As if nothing had ever been synced; tables as a running database keeps them."""
        with unit(self.rmm) as session:
            session.execute(text("TRUNCATE rmm_devices, assets CASCADE"))
            session.execute(text("UPDATE rmm_integrations SET last_sync_at = NULL"))

    def settle(self) -> None:
        """Let the database do now what would otherwise disturb the next measurement."""
        with self.rmm.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
            connection.execute(text("CHECKPOINT"))

    def limit(self, variant: str) -> float:
        """Seconds that only reading the same pages takes."""
        return reading.seconds(self._url(variant), self.clients)

    def calls(self, variant: str) -> None:
        """The calls of a routine sync, one after the other."""
        with requests.Session() as session:
            for path in ("clients/", "agents/?detail=false", "core/customfields/"):
                session.get(f"{self._url(variant)}/{path}").raise_for_status()
            for number in range(1, self.clients + 1):
                session.get(f"{self._url(variant)}/agents/", params={"client": number}).raise_for_status()


def seconds(work: Callable[[str], object], variant: str) -> float:
    """How long it takes."""
    gc.collect()
    start = time.perf_counter()
    work(variant)
    return time.perf_counter() - start


def status_mb(key: str) -> float:
    """A figure of this process's memory, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    found = next(line for line in lines if line.startswith(f"{key}:"))
    return int(found.split()[1]) / 1024


def peak_mb(app: Flask, address: str, clients: int, source: str, variant: str) -> float:
    """How far a first sync takes this process above what it holds after a small one, in MB."""
    with app.app_context():
        Bench(app, address, 1, source).sync(variant)
        bench = Bench(app, address, clients, source)
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5")
        idle = status_mb("VmRSS")
        bench.sync(variant)
        return status_mb("VmHWM") - idle
