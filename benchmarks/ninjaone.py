"""Device sync of NinjaOne: what it asks for, how long it takes beside its calls alone, and its memory.

The vendor is :mod:`benchmarks.ninja_vendor`. The path is the real one: the NinjaOne provider, the sync, the
reference PSA's adapters and a durable PostgreSQL.
"""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import requests
from flask import Flask

from benchmarks import servers
from benchmarks.ninja_vendor import LISTS, ORGANIZATIONS, QUICK, REPORTS, SLOW, vendor
from benchmarks.syncing import status_mb
from reference_psa.seed import tenant_id
from reference_psa.seed_data import NORTHBEAM
from rmm_extension.domain.types import Connection
from rmm_extension.host import Actor
from rmm_extension.jobs.worker import spare_the_collector
from rmm_extension.models import OrganizationMapping, new_id
from rmm_extension.services import connections, runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.inventory import sync_devices
from rmm_extension.services.unit import unit
from rmm_extension.testing.statements import StatementCounter

DEVICES = 10_000
FEW_DEVICES = 3_000
MANY_DEVICES = 100_000
ROUNDS = 3
PEAKS = {"ninjaone_peak_mb": (MANY_DEVICES, True), "test": (20_000, True)}
"""Devices, and whether hardware is wanted, for each figure of memory; the last one is a test's."""


def run() -> Iterator[dict[str, Any]]:
    """Calls and statements for 10,000 devices, the ratio to a slow vendor's own time, peak memory."""
    with servers.database() as server, vendor() as address:
        app = servers.seeded_app(server)
        spare_the_collector()
        with app.app_context():
            yield from _costs(Bench(app, address, DEVICES))
            yield _routine(Bench(app, address, FEW_DEVICES))
        argv = [sys.executable, "-m", "benchmarks.ninjaone", "ninjaone_peak_mb", address]
        done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True)
        yield json.loads(done.stdout)


class Bench:
    """A connection with mapped organizations, synced again and again."""

    def __init__(self, app: Flask, address: str, devices: int) -> None:
        self.rmm: Rmm = app.extensions["rmm"].services
        self.address = address
        self.devices = devices
        self.actor = Actor(id="bench", name="Benchmark", tenant_id=tenant_id(NORTHBEAM))
        self.integration_id = self._connect()

    def _connect(self) -> UUID:
        made = Connection(
            tenant_id=self.actor.tenant_id,
            integration_id="",
            provider="ninjaone",
            instance_url=self.url(QUICK),
            auth_mode="client_credentials",
            secrets={"client_secret": "s" * 32},
            settings={"client_id": "benchmark"},
        )
        with unit(self.rmm) as session:
            name = f"Benchmark {new_id()}"
            row = connections.create(self.rmm, session, self.actor, name, made, catch_all=False)
            owners = [c.id for c in self.rmm.host.clients.search(session, self.actor.tenant_id)]
            session.add_all(
                OrganizationMapping(
                    tenant_id=self.actor.tenant_id,
                    id=new_id(),
                    integration_id=row.id,
                    external_id=str(number),
                    name=f"Place {number}",
                    client_id=owners[number % len(owners)],
                )
                for number in range(1, ORGANIZATIONS + 1)
            )
            return row.id

    def url(self, speed: str) -> str:
        """The account's address."""
        return f"{self.address}/{speed}-{self.devices}"

    def sync(self, speed: str = QUICK, *, full: bool = False) -> dict[str, int]:
        """One device sync."""
        with unit(self.rmm) as session:
            row = connections.get(session, self.actor.tenant_id, self.integration_id, lock=True)
            row.instance_url = self.url(speed)
            run_id = runs.start(
                self.rmm, session, self.actor, "device_sync", integration_id=row.id, subject={"full": full}
            )
        taken = runs.take(self.rmm, self.actor.tenant_id, run_id, 0)
        assert taken is not None
        counts = sync_devices(self.rmm, taken)
        with unit(self.rmm) as session:
            runs.finish(session, taken)
        if counts["processed"] != self.devices:
            raise RuntimeError(f"The sync left devices out: {counts}")
        return counts

    def calls(self, speed: str) -> None:
        """The calls of a routine sync, one after the other."""
        with requests.Session() as session:
            for name in LISTS:
                for query in ({}, {"after": ORGANIZATIONS}):
                    self._get(session, speed, name, query)
            for name in REPORTS:
                for start in range(0, self.devices + 1, 1000):
                    query = {"cursor": start} if start else {}
                    self._get(session, speed, f"queries/{name}", query)
            for after in range(0, self.devices + 1, 1000):
                self._get(session, speed, "devices-detailed", {"after": after} if after else {})

    def _get(self, session: requests.Session, speed: str, path: str, query: dict[str, int]) -> None:
        url = f"{self.url(speed)}/v2/{path}"
        session.get(url, params={"pageSize": 1000, **query}).raise_for_status()

    def asked(self) -> int:
        """How many requests the vendor answered since the last call."""
        return int(requests.get(f"{self.address}/calls", timeout=30).text)


def _costs(bench: Bench) -> Iterator[dict[str, Any]]:
    bench.sync(full=True)
    bench.asked()
    for name, full in (("ninjaone_sync_calls", False), ("ninjaone_full_sync_calls", True)):
        with StatementCounter() as sent:
            counts = bench.sync(full=full)
        yield _figure(name, bench.asked(), "requests")
        yield _figure(name.replace("calls", "statements"), sent.count, "statements")
        if counts["unchanged"] != bench.devices:
            raise RuntimeError(f"Unchanged devices were written: {counts}")


def _routine(bench: Bench) -> dict[str, Any]:
    """A routine sync that finds nothing changed, beside the same calls one after the other."""
    bench.sync(full=True)
    found = []
    for _ in range(ROUNDS):
        before = _seconds(lambda: bench.calls(SLOW))
        taken = _seconds(lambda: bench.sync(SLOW))
        after = _seconds(lambda: bench.calls(SLOW))
        found.append(taken / ((before + after) / 2))
    return _figure("ninjaone_routine_ratio", statistics.median(found), "ratio")


def _seconds(work: Callable[[], object]) -> float:
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _figure(name: str, value: float, unit_of: str) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit_of}


def peak_mb(app: Flask, address: str, devices: int, *, full: bool) -> float:
    """How far a first sync takes this process above what it holds after a small one, in MB."""
    with app.app_context():
        Bench(app, address, 1000).sync(full=full)
        bench = Bench(app, address, devices)
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5")
        idle = status_mb("VmRSS")
        bench.sync(full=full)
        return status_mb("VmHWM") - idle


def _measure(name: str, address: str) -> None:
    from reference_psa import create_app

    devices, full = PEAKS[name]
    print(json.dumps(_figure(name, peak_mb(create_app(), address, devices, full=full), "MB")))


if __name__ == "__main__":
    _measure(*sys.argv[1:])
