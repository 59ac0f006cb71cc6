"""Reconciliation of alerts: what it sends to the database when nothing has changed.

The vendor is a tiny HTTP server with 2,000 active alerts; the path is the real one, from a worker's taking of
the run to its end.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from flask import Flask

from benchmarks import servers
from benchmarks.tiny_server import JsonHandler, address, listening
from reference_psa.seed import tenant_id
from reference_psa.seed_data import NORTHBEAM
from rmm_extension.domain.types import Connection
from rmm_extension.host import Actor
from rmm_extension.jobs.execute import perform
from rmm_extension.services import connections, runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.unit import unit
from rmm_extension.testing.statements import StatementCounter, is_write

ALERTS = 2_000


def run() -> Iterator[dict[str, Any]]:
    """Statements and writes of a reconciliation of 2,000 live alerts that changes nothing, and its time."""
    with servers.database() as server, vendor() as address:
        app = servers.seeded_app(server)
        with app.app_context():
            bench = Bench(app, address)
            started = time.perf_counter()
            bench.reconcile(bench.start())
            yield _figure("reconcile_first_per_second", ALERTS / (time.perf_counter() - started), "1/s")
            run_id = bench.start()
            started = time.perf_counter()
            with StatementCounter() as sent:
                bench.reconcile(run_id)
            seconds = time.perf_counter() - started
            counts = bench.counts(run_id)
        if counts != {"processed": ALERTS}:
            raise RuntimeError(f"The reconciliation changed something: {counts}")
        yield _figure("reconcile_seconds", seconds, "s")
        yield _figure("reconcile_statements", sent.count, "statements")
        yield _figure("reconcile_writes", len(_alert_writes(sent.statements)), "statements")


class Bench:
    """A connection whose alerts are recorded by no rule, reconciled again and again."""

    def __init__(self, app: Flask, address: str) -> None:
        self.rmm: Rmm = app.extensions["rmm"].services
        self.actor = Actor(id="bench", name="Benchmark", tenant_id=tenant_id(NORTHBEAM))
        made = Connection(
            tenant_id=self.actor.tenant_id,
            integration_id="",
            provider="tacticalrmm",
            instance_url=address,
            secrets={"api_key": "k" * 32},
        )
        with unit(self.rmm) as session:
            row = connections.create(self.rmm, session, self.actor, "Benchmark", made, catch_all=False)
            self.integration_id: UUID = row.id

    def start(self) -> UUID:
        """Queue a run."""
        with unit(self.rmm) as session:
            return runs.start(
                self.rmm, session, self.actor, "alert_reconcile", integration_id=self.integration_id
            )

    def reconcile(self, run_id: UUID) -> None:
        """Do the run, from its taking to its end."""
        outcome = perform(self.rmm, self.actor.tenant_id, run_id, 0)
        if outcome != "succeeded":
            raise RuntimeError(f"The reconciliation {outcome}.")

    def counts(self, run_id: UUID) -> dict[str, int]:
        """What the run counted."""
        with unit(self.rmm) as session:
            return dict(runs.get(session, self.actor.tenant_id, run_id).counts)


def _alert_writes(statements: list[str]) -> list[str]:
    """Statements that write alerts or their history; progress and events are not among them."""
    return [text for text in statements if is_write(text) and "rmm_alert" in text]


def _figure(name: str, value: float, unit_: str) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit_}


@contextmanager
def vendor() -> Iterator[str]:
    """The address of a vendor with many active alerts."""
    server = listening(_Vendor)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield address(server)
    finally:
        server.shutdown()
        server.server_close()


class _Vendor(JsonHandler):
    """Answers the two requests of a listing."""

    listing = json.dumps(
        [
            {
                "id": number,
                "hostname": f"PC-{number}",
                "agent_id": f"{number:06d}".ljust(40, "a"),
                "client": "Client 1",
                "site": "Site 1",
                "alert_time": "2026-06-01T12:00:00.000000Z",
                "alert_type": "check",
                "message": f"PC-{number} has failed check: Disk space on drive C:",
                "severity": "error",
                "resolved": False,
                "snoozed": False,
                "hidden": False,
                "action_run": None,
                "action_retcode": None,
                "agent": number,
                "assigned_check": number,
                "assigned_task": None,
            }
            for number in range(1, ALERTS + 1)
        ]
    ).encode()
    clients = json.dumps([{"id": 1, "name": "Client 1", "agent_count": ALERTS, "sites": []}]).encode()

    def answer(self) -> None:
        """Answer with the active alerts, or with the clients."""
        body = self.listing if self.command == "PATCH" else self.clients
        self.send_json(len(body), [body])
