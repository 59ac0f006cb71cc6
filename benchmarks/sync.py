"""Device sync beside its limit: downloading the same pages and decoding them with orjson, in the same run.

The vendor is a tiny server in a process of its own (``python -m benchmarks.sync serve``): 10 clients of 1,000
agents, 5 KB each. The path is the real one: the Tactical RMM provider, the sync, the reference PSA's adapters
and a durable PostgreSQL.
"""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import orjson
import requests
from flask import Flask
from sqlalchemy import text

from benchmarks import servers
from reference_psa.seed import tenant_id
from reference_psa.seed_data import NORTHBEAM
from rmm_extension.domain.types import Connection
from rmm_extension.host import Actor
from rmm_extension.models import OrganizationMapping, new_id
from rmm_extension.services import connections, runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.inventory import sync_devices
from rmm_extension.services.unit import unit
from rmm_extension.testing.statements import StatementCounter

CLIENTS = 10
AGENTS = 1_000
MANY_CLIENTS = 100
ROUNDS = 3
ROW_BYTES = 5_000
VARIANTS = ("base", "seen", "changed")
"""What the vendor says: at first, with every ``last_seen`` moved, with a changed value in every row."""
MEASURED = {"first": "base", "unchanged": "base", "seen": "seen", "changed": "changed"}


def run() -> Iterator[dict[str, Any]]:
    """Ratios to the limit, statements per 10,000 devices, peak memory for 100,000."""
    with servers.database() as server, vendor() as address:
        app = servers.seeded_app(server)
        with app.app_context():
            bench = Bench(app, address, CLIENTS)
            bench.sync("base")
            yield from _ratios(bench)
            yield from _statements(bench)
        yield from _peak(address)


class Bench:
    """A connection with mapped organizations, synced again and again."""

    def __init__(self, app: Flask, address: str, clients: int) -> None:
        self.rmm: Rmm = app.extensions["rmm"].services
        self.address = address
        self.clients = clients
        self.actor = Actor(id="bench", name="Benchmark", tenant_id=tenant_id(NORTHBEAM))
        self.integration_id = self._connect()

    def _connect(self) -> UUID:
        made = Connection(
            tenant_id=self.actor.tenant_id,
            integration_id="",
            provider="tacticalrmm",
            instance_url=self._url("base"),
            secrets={"api_key": "k" * 32},
            settings={"source": "standard"},
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

    def settle(self) -> None:
        """Let the database do now what would otherwise disturb the next measurement."""
        with self.rmm.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
            connection.execute(text("CHECKPOINT"))

    def limit(self, variant: str) -> None:
        """Download the pages and decode them: what a sync cannot do without, by the usual means."""
        with requests.Session() as session:
            for number in range(1, self.clients + 1):
                answer = session.get(f"{self._url(variant)}/agents/", params={"client": number})
                assert len(orjson.loads(answer.content)) == AGENTS


def _ratios(bench: Bench) -> Iterator[dict[str, Any]]:
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in MEASURED}
    for _ in range(ROUNDS):
        bench.forget()
        for name, variant in MEASURED.items():
            bench.settle()
            before = _seconds(bench.limit, variant)
            taken = _seconds(bench.sync, variant)
            after = _seconds(bench.limit, variant)
            found[name].append((taken, (before + after) / 2))
    devices = bench.clients * AGENTS
    for name, rounds in found.items():
        seconds = statistics.median(taken for taken, _ in rounds)
        yield _figure(f"sync_{name}_per_second", devices / seconds, "1/s")
        yield _figure(
            f"sync_{name}_ratio", statistics.median(bound / taken for taken, bound in rounds), "ratio"
        )
    limits = statistics.median(bound for rounds in found.values() for _, bound in rounds)
    yield _figure("sync_limit_per_second", devices / limits, "1/s")


def _statements(bench: Bench) -> Iterator[dict[str, Any]]:
    bench.forget()
    for name in ("first", "unchanged"):
        with StatementCounter() as sent:
            bench.sync("base")
        yield _figure(f"sync_statements_{name}", sent.count, "statements")


def _seconds(work: Callable[[str], object], variant: str) -> float:
    gc.collect()
    start = time.perf_counter()
    work(variant)
    return time.perf_counter() - start


def _figure(name: str, value: float, unit_: str) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit_}


def _peak(address: str) -> Iterator[dict[str, Any]]:
    """A process of its own: memory of one measurement would hide in another's."""
    argv = [sys.executable, "-m", "benchmarks.sync", "peak", address]
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True)
    yield json.loads(done.stdout)


def _measure_peak(address: str) -> None:
    """Print the peak of 100,000 devices above the same process after a small sync."""
    from reference_psa import create_app

    app = create_app()
    with app.app_context():
        Bench(app, address, 1).sync("base")
        bench = Bench(app, address, MANY_CLIENTS)
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5")
        idle = _status_mb("VmRSS")
        bench.sync("base")
        figure = _figure("sync_peak_mb", _status_mb("VmHWM") - idle, "MB")
    print(json.dumps(figure))


def _status_mb(key: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    found = next(line for line in lines if line.startswith(f"{key}:"))
    return int(found.split()[1]) / 1024


# The vendor


@contextmanager
def vendor() -> Iterator[str]:
    """The address of a vendor in a process of its own."""
    argv = [sys.executable, "-m", "benchmarks.sync", "serve"]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(timeout=20)


def _serve() -> None:
    for variant in VARIANTS:
        for number in range(1, CLIENTS + 1):
            _kept_page(variant, number)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Vendor)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


class _Vendor(BaseHTTPRequestHandler):
    """Answers what the provider asks, under a path that names the variant."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer with JSON."""
        parts = urlsplit(self.path)
        _, fleet, path = parts.path.split("/", 2)
        variant, clients = fleet.split("-")
        body = _body(variant, int(clients), path, parse_qs(parts.query))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _body(variant: str, clients: int, path: str, query: dict[str, list[str]]) -> bytes:
    if path == "agents/" and "client" in query:
        number = int(query["client"][0])
        return _kept_page(variant, number) if number <= CLIENTS else _page(variant, number)
    if path == "agents/":
        return _id_map(clients)
    if path == "clients/":
        return _clients(clients)
    return b"[]"


@cache
def _clients(clients: int) -> bytes:
    rows = [{"id": n, "name": f"Client {n}", "agent_count": AGENTS} for n in range(1, clients + 1)]
    return json.dumps(rows).encode()


@cache
def _id_map(clients: int) -> bytes:
    rows = [
        {
            "id": n * AGENTS + i,
            "agent_id": _agent_id(n, i),
            "hostname": f"PC-{n}-{i}",
            "client": f"Client {n}",
        }
        for n in range(1, clients + 1)
        for i in range(AGENTS)
    ]
    return json.dumps(rows).encode()


@cache
def _kept_page(variant: str, number: int) -> bytes:
    return _page(variant, number)


def _page(variant: str, number: int) -> bytes:
    return b"[" + b",".join(_agent(variant, number, index) for index in range(AGENTS)) + b"]"


def _agent_id(client: int, index: int) -> str:
    return f"{client:04d}{index:06d}".ljust(40, "a")


def _agent(variant: str, client: int, index: int) -> bytes:
    """One row of ``GET /agents/``, filled up with fields that nobody reads."""
    minute = 30 if variant == "seen" else 0
    row: dict[str, Any] = {
        "agent_id": _agent_id(client, index),
        "alert_template": None,
        "hostname": f"PC-{client}-{index}",
        "site_name": f"Site {index % 4}",
        "client_name": f"Client {client}",
        "monitoring_type": "server" if index % 10 == 0 else "workstation",
        "description": "Bought in 2024, second floor",
        "needs_reboot": False,
        "pending_actions_count": 0,
        "status": "online",
        "overdue_text_alert": False,
        "overdue_email_alert": False,
        "overdue_dashboard_alert": False,
        "last_seen": f"2026-06-01T12:{minute:02d}:{index % 60:02d}.{index:06d}Z",
        "boot_time": 1780000000.0 + index,
        "checks": {
            "total": 8,
            "passing": 8,
            "failing": 0,
            "warning": 0,
            "info": 0,
            "has_failing_checks": False,
        },
        "maintenance_mode": False,
        "logged_username": f"user{index}",
        "italic": False,
        "block_policy_inheritance": False,
        "plat": "windows",
        "goarch": "amd64",
        "has_patches_pending": False,
        "version": "2.11.0" if variant != "changed" else "2.12.0",
        "operating_system": "Windows 11 Pro, 64 bit v23H2 (build 22631.3593)",
        "public_ip": f"203.0.113.{index % 250}",
        "cpu_model": ["13th Gen Intel(R) Core(TM) i5-13500"],
        "graphics": "Intel(R) UHD Graphics 770",
        "local_ips": f"10.{client % 250}.{index // 250}.{index % 250}",
        "make_model": "Dell Inc. OptiPlex 7010",
        "physical_disks": ["Samsung SSD 980 PRO 512GB 477 GB NVMe"],
        "serial_number": f"SN{client:04d}{index:06d}",
        "custom_fields": [],
        "unread": [],
    }
    room = (ROW_BYTES - len(json.dumps(row))) // len(json.dumps(_UNREAD))
    row["unread"] = [_UNREAD] * room
    return json.dumps(row).encode()


_UNREAD = {"name": "wuauserv", "status": "running", "pid": 4321, "start_type": "manual", "delayed": False}

if __name__ == "__main__":
    if sys.argv[1] == "serve":
        _serve()
    else:
        _measure_peak(sys.argv[2])
