"""Software sync: what an unchanged second run sends to the database, how fast it is, and its peak of memory.

The vendor is a tiny server in a process of its own (``python -m benchmarks.software serve``) that makes its
one long list row by row. The path is the real one: the Tactical RMM provider, the sync and a durable
PostgreSQL.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import insert

from benchmarks import servers
from benchmarks.tiny_server import JsonHandler, serve, started
from reference_psa.seed import tenant_id
from reference_psa.seed_data import NORTHBEAM
from rmm_extension.domain.types import Connection
from rmm_extension.host import Actor
from rmm_extension.models import DeviceRow, new_id
from rmm_extension.services import connections, runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.software import sync_software
from rmm_extension.services.unit import unit
from rmm_extension.testing.statements import StatementCounter, is_write

DEVICES = 1_000
ITEMS = 100
"""Products of a device, 240 bytes each: 24 KB, as the vendor's own."""
MANY_DEVICES = 20_000
"""Devices of the list whose memory is measured; as many as in :data:`DEVICES` are here, the rest ignored."""
PRODUCTS = 3_000
"""Products that a device's are picked from."""


def run() -> Iterator[dict[str, Any]]:
    """Statements and writes of an unchanged second run over 100,000 rows, rates, peak memory."""
    with servers.database() as server, vendor() as address:
        app = servers.seeded_app(server)
        with app.app_context():
            bench = Bench(app, f"{address}/{DEVICES}", DEVICES)
            rows = DEVICES * ITEMS
            yield _figure("software_first_per_second", rows / _seconds(bench), "rows/s")
            with StatementCounter() as sent:
                seconds = _seconds(bench)
            yield _figure("software_unchanged_per_second", rows / seconds, "rows/s")
            yield _figure("software_statements", sent.count, "statements")
            yield _figure("software_writes", len(_software_writes(sent.statements)), "statements")
        argv = [sys.executable, "-m", "benchmarks.software", "peak", address, str(MANY_DEVICES), str(DEVICES)]
        done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True)
        yield from map(json.loads, done.stdout.splitlines())


class Bench:
    """A connection with ``known`` devices that are here, synced again and again."""

    def __init__(self, app: Flask, address: str, known: int) -> None:
        self.rmm: Rmm = app.extensions["rmm"].services
        self.known = known
        self.actor = Actor(id="bench", name="Benchmark", tenant_id=tenant_id(NORTHBEAM))
        self.integration_id = self._connect(address)
        self._add_devices()

    def _connect(self, address: str) -> UUID:
        made = Connection(
            tenant_id=self.actor.tenant_id,
            integration_id="",
            provider="tacticalrmm",
            instance_url=address,
            secrets={"api_key": "k" * 32},
        )
        with unit(self.rmm) as session:
            name = f"Benchmark {new_id()}"
            return connections.create(self.rmm, session, self.actor, name, made, catch_all=False).id

    def _add_devices(self) -> None:
        rows = [
            {
                "tenant_id": self.actor.tenant_id,
                "id": new_id(),
                "integration_id": self.integration_id,
                "external_id": _agent_id(number),
                "external_organization_id": "1",
                "name": f"PC-{number}",
                "kind": "workstation",
                "status": "online",
            }
            for number in range(self.known)
        ]
        with unit(self.rmm) as session:
            session.execute(insert(DeviceRow), rows)

    def sync(self) -> dict[str, int]:
        """One software sync, from its taking to its end."""
        with unit(self.rmm) as session:
            run_id = runs.start(
                self.rmm, session, self.actor, "software_sync", integration_id=self.integration_id
            )
        taken = runs.take(self.rmm, self.actor.tenant_id, run_id, 0)
        assert taken is not None
        counts = sync_software(self.rmm, taken)
        with unit(self.rmm) as session:
            runs.finish(session, taken, counts)
        if counts["processed"] != self.known:
            raise RuntimeError(f"The sync left devices out: {counts}")
        return counts


def _software_writes(statements: list[str]) -> list[str]:
    """Statements that write software or devices; progress and events are not among them."""
    tables = ("rmm_software", "rmm_device")
    return [text for text in statements if is_write(text) and any(name in text for name in tables)]


def _seconds(bench: Bench) -> float:
    gc.collect()
    start = time.perf_counter()
    bench.sync()
    return time.perf_counter() - start


def _figure(name: str, value: float, unit_: str) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit_}


def _measure_peak(address: str, listed: int, known: int) -> None:
    """Print the peak of a sync above the same process after a small one, and how much it read."""
    from reference_psa import create_app

    app = create_app()
    with app.app_context():
        Bench(app, f"{address}/10", 10).sync()
        bench = Bench(app, f"{address}/{listed}", known)
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5")
        idle = _status_mb("VmRSS")
        bench.sync()
        peak = _status_mb("VmHWM") - idle
    body = sum(len(piece) for piece in _listing(listed)) / 2**20
    for figure in (_figure("software_peak_mb", peak, "MB"), _figure("software_body_mb", body, "MB")):
        print(json.dumps(figure))


def _status_mb(name: str) -> float:
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name)]
    return int(line.split()[1]) / 1024


# The vendor


def vendor() -> AbstractContextManager[str]:
    """The address of a vendor in a process of its own; the path behind it says how many agents it has."""
    return started("benchmarks.software", "serve")


class _Vendor(JsonHandler):
    """Answers the id map and the list of software."""

    def answer(self) -> None:
        """Answer piece by piece."""
        _, agents, path = self.path.partition("?")[0].split("/", 2)
        make = _listing if path == "software/" else _id_map
        self.send_json(sum(len(piece) for piece in make(int(agents))), make(int(agents)))


def _id_map(agents: int) -> Iterator[bytes]:
    rows = [
        {"id": number + 1, "agent_id": _agent_id(number), "hostname": f"PC-{number}", "client": "One"}
        for number in range(agents)
    ]
    yield json.dumps(rows).encode()


def _agent_id(number: int) -> str:
    return f"{number:08d}".ljust(40, "a")


def _listing(agents: int) -> Iterator[bytes]:
    yield b"["
    for number in range(agents):
        picked = ((number * 37 + item * 29) % PRODUCTS for item in range(ITEMS))
        row = b'{"id":%d,"software":[%s],"agent":%d}' % (
            number + 1,
            b",".join(_PRODUCTS[product] for product in picked),
            number + 1,
        )
        yield b"," + row if number else row
    yield b"]"


def _product(number: int) -> bytes:
    return json.dumps(
        {
            "name": f"Example Runtime {number} Redistributable (x64)",
            "size": "81.4 MB",
            "source": "",
            "version": f"14.{number}.33810",
            "location": f"C:\\Program Files\\Example {number}\\",
            "publisher": f"Publisher {number % 200}",
            "uninstall": f"MsiExec.exe /X{{{number:08d}-0000}}",
            "install_date": "2024-6-09",
        }
    ).encode()


_PRODUCTS = [_product(number) for number in range(PRODUCTS)]

if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(_Vendor)
    else:
        _measure_peak(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
