"""Lists whose rows are mixed: the patch sync, and the memory that it and a software sync take.

The vendor is a tiny NinjaOne in a process of its own (``python -m benchmarks.patches serve``); the first part
of a path is its number of devices, and row after row names another one. The path is the real one: the
provider with its rows put aside on disk, the sync, and a durable PostgreSQL.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from flask import Flask
from sqlalchemy import insert

from benchmarks import servers
from benchmarks.syncing import status_mb
from benchmarks.tiny_server import JsonHandler, serve, started
from reference_psa.seed import tenant_id
from reference_psa.seed_data import NORTHBEAM
from rmm_extension.domain.types import Connection
from rmm_extension.host import Actor
from rmm_extension.models import DeviceRow, new_id
from rmm_extension.services import connections, runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.patches import sync_patches
from rmm_extension.services.software import sync_software
from rmm_extension.services.unit import unit
from rmm_extension.testing.statements import StatementCounter, is_write

DEVICES = 1_000
ITEMS = 100
"""Patches of a device, and programs."""
MANY_DEVICES = 10_000
"""Devices of the list whose memory is measured, a million rows; as many as in :data:`DEVICES` are here."""
KINDS: dict[str, Callable[[Rmm, runs.Run], dict[str, int]]] = {
    "patch_sync": sync_patches,
    "software_sync": sync_software,
}


def run() -> Iterator[dict[str, Any]]:
    """Statements and writes of an unchanged second run over 100,000 patches, rates, peak memory."""
    with servers.database() as server, vendor() as address:
        app = servers.seeded_app(server)
        with app.app_context():
            bench = Bench(app, f"{address}/{DEVICES}", DEVICES)
            rows = DEVICES * ITEMS
            yield _figure("patch_first_per_second", rows / _seconds(bench), "rows/s")
            with StatementCounter() as sent:
                seconds = _seconds(bench)
            yield _figure("patch_unchanged_per_second", rows / seconds, "rows/s")
            yield _figure("patch_statements", sent.count, "statements")
            yield _figure("patch_writes", len(_patch_writes(sent.statements)), "statements")
        for kind, name in (("patch_sync", "patch_peak_mb"), ("software_sync", "software_mixed_peak_mb")):
            yield _figure(name, _peak(kind, address, MANY_DEVICES, DEVICES), "MB")


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
            provider="ninjaone",
            instance_url=address,
            auth_mode="client_credentials",
            secrets={"client_secret": "s" * 32},
            settings={"client_id": "benchmark"},
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
                "external_id": str(number),
                "external_organization_id": "1",
                "name": f"PC-{number}",
                "kind": "workstation",
                "status": "online",
            }
            for number in range(1, self.known + 1)
        ]
        with unit(self.rmm) as session:
            session.execute(insert(DeviceRow), rows)

    def sync(self, kind: str = "patch_sync") -> dict[str, int]:
        """One sync, from its taking to its end."""
        with unit(self.rmm) as session:
            run_id = runs.start(self.rmm, session, self.actor, kind, integration_id=self.integration_id)
        taken = runs.take(self.rmm, self.actor.tenant_id, run_id, 0)
        assert taken is not None
        counts = KINDS[kind](self.rmm, taken)
        with unit(self.rmm) as session:
            runs.finish(session, taken, counts)
        if counts["processed"] != self.known:
            raise RuntimeError(f"The sync left devices out: {counts}")
        return counts


def _patch_writes(statements: list[str]) -> list[str]:
    """Statements that write patches or devices; progress and events are not among them."""
    tables = ("rmm_patch", "rmm_device")
    return [text for text in statements if is_write(text) and any(name in text for name in tables)]


def _seconds(bench: Bench) -> float:
    gc.collect()
    start = time.perf_counter()
    bench.sync()
    return time.perf_counter() - start


def _figure(name: str, value: float, unit_: str) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit_}


def _peak(kind: str, address: str, listed: int, known: int) -> float:
    argv = [sys.executable, "-m", "benchmarks.patches", "peak", kind, address, str(listed), str(known)]
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout)


def _measure_peak(kind: str, address: str, listed: int, known: int) -> None:
    """Print the peak of a sync above the same process after a small one, in MB."""
    from reference_psa import create_app

    app = create_app()
    with app.app_context():
        Bench(app, f"{address}/10", 10).sync(kind)
        bench = Bench(app, f"{address}/{listed}", known)
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5")
        idle = status_mb("VmRSS")
        bench.sync(kind)
        print(round(status_mb("VmHWM") - idle, 3))


# The vendor


def vendor() -> AbstractContextManager[str]:
    """The address of a vendor in a process of its own."""
    return started("benchmarks.patches", "serve")


class _Vendor(JsonHandler):
    """Answers the reports, page by page; the name of a cursor is where it is."""

    def answer(self) -> None:
        """Answer a page."""
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        devices, name = int(parts.path.split("/")[1]), parts.path.rpartition("/")[2]
        body = _page(name, devices, int(query.get("cursor", 0)), int(query["pageSize"]))
        self.send_json(len(body), [body])

    def do_POST(self) -> None:  # noqa: N802 - the name that http.server calls
        """A token for everybody."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b'{"access_token":"t","token_type":"Bearer","expires_in":3600,"scope":"monitoring"}'
        self.send_json(len(body), [body])


def _page(name: str, devices: int, start: int, size: int) -> bytes:
    items = _ITEMS.get(name, ())
    end = min(start + size, devices * len(items))
    rows = (
        b'{"deviceId":%d,%s' % (place % devices + 1, items[place // devices]) for place in range(start, end)
    )
    cursor = b'{"name":"%d","offset":%d,"count":%d,"expires":1.9e9}' % (end, start, max(end - start, 0))
    return b'{"cursor":%s,"results":[%s]}' % (cursor, b",".join(rows))


def _rest(row: dict[str, Any]) -> bytes:
    """A row from behind its device on."""
    return json.dumps({**row, "timestamp": 1_780_000_000.5}).encode()[1:]


def _patch(number: int) -> bytes:
    return _rest(
        {
            "id": f"00000000-0000-4000-8000-{number:012d}",
            "name": f"2026-05 Cumulative Update for Windows 11 (KB{5_000_000 + number})",
            "severity": "IMPORTANT",
            "status": ("MANUAL", "APPROVED", "REJECTED", "FAILED")[number % 4],
            "type": "SECURITY_UPDATES",
            "kbNumber": f"KB{5_000_000 + number}",
        }
    )


def _program(number: int) -> bytes:
    return _rest(
        {
            "name": f"Example Runtime {number} Redistributable (x64)",
            "publisher": f"Publisher {number % 20}",
            "version": f"14.{number}.33810",
            "installDate": "2024-06-09",
            "location": f"C:\\Program Files\\Example {number}\\",
            "size": 81_000_000 + number,
            "productCode": f"{{{number:08d}-0000-4000-8000-000000000000}}",
        }
    )


_ITEMS = {
    "os-patches": tuple(_patch(number) for number in range(ITEMS)),
    "software": tuple(_program(number) for number in range(ITEMS)),
}

if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(_Vendor)
    else:
        _measure_peak(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
