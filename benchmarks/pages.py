"""Whole pages, one client, mixed filters: 1,000,000 alerts, 1,000,000 patches, 100,000 devices."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from time import perf_counter
from typing import Any

import psycopg
from flask import Flask
from flask.testing import FlaskClient

from benchmarks import servers
from benchmarks.pages_data import CLIENTS, DEVICES, fill
from reference_psa.db import db
from reference_psa.seed import demo_id, tenant_id
from reference_psa.seed_data import NORTHBEAM

WARM_UP, REQUESTS = 60, 300
ADMIN = "admin@northbeam.example"
Address = Callable[["Pick"], str]


def run() -> Iterator[dict[str, Any]]:
    """The 95th percentile (and the median) of each page in ms."""
    with servers.database() as server:
        app = servers.seeded_app(server)
        with app.app_context():
            fill(server.conninfo("psa"), db.engine, tenant_id(NORTHBEAM))
        with psycopg.connect(server.conninfo("psa")) as connection:
            pick = Pick(connection)
        client = signed_in(app)
        for name, addresses in PAGES.items():
            times = measure(client, addresses, pick)
            yield _figure(f"page_{name}_median_ms", statistics.median(times))
            yield _figure(f"page_{name}_ms", statistics.quantiles(times, n=20)[18])


class Pick:
    """Ids and words out of the data; the same ones in every run."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._random = random.Random(7)
        tenant = tenant_id(NORTHBEAM)
        self._alerts = _column(
            connection,
            "SELECT DISTINCT alert_id FROM rmm_alert_events WHERE tenant_id = %s ORDER BY 1 LIMIT 2000",
            tenant,
        )
        self._connections = _column(
            connection,
            "SELECT id FROM rmm_integrations WHERE tenant_id = %s AND name LIKE 'Bench%%' ORDER BY name",
            tenant,
        )
        self._devices = _column(
            connection, "SELECT id FROM rmm_devices WHERE tenant_id = %s ORDER BY name LIMIT 2000", tenant
        )

    def alert(self) -> str:
        """An alert with a history."""
        return self._random.choice(self._alerts)

    def device(self) -> str:
        """A device."""
        return self._random.choice(self._devices)

    def connection(self) -> str:
        """A connection; the fourth is the small one of the other vendor."""
        return self._random.choice(self._connections)

    def client(self) -> str:
        """A client: the first ones have most of the devices, the last ones few."""
        return f"bench-{self._random.randint(1, CLIENTS)}"

    def number(self) -> int:
        """The number of a device."""
        return self._random.randrange(DEVICES)


PAGES: dict[str, list[Address]] = {
    "alerts": [
        lambda pick: "alerts",
        lambda pick: "alerts?state=open",
        lambda pick: "alerts?state=active&severity=critical",
        lambda pick: "alerts?state=suppressed",
        lambda pick: f"alerts?client={pick.client()}",
        lambda pick: f"alerts?client={pick.client()}&state=open",
        lambda pick: f"alerts?client={pick.client()}&severity=critical",
        lambda pick: f"alerts?connection={pick.connection()}",
        lambda pick: f"alerts?connection={pick.connection()}&state=active&severity=major",
        lambda pick: "alerts?provider=ninjaone&state=open",
        lambda pick: "alerts?provider=ninjaone&severity=critical",
        lambda pick: f"alerts?device={pick.device()}",
        lambda pick: "alerts?severity=none&time=7d",
        lambda pick: "alerts?time=24h",
        lambda pick: "alerts?client=nobody",
        lambda pick: "alerts?attention=1",
        lambda pick: "alerts?lost=1",
    ],
    "alerts_search": [
        lambda pick: "alerts?q=disk",
        lambda pick: "alerts?q=backup+job+veeam+failed&state=open",
        lambda pick: f"alerts?q={pick.number():06}",
        lambda pick: f"alerts?q=SRV&client={pick.client()}",
        lambda pick: f"alerts?q=error+{1000 + pick.number() % 9000}",
        lambda pick: "alerts?q=no+such+words+anywhere",
        lambda pick: f"alerts?q=Kerberos&connection={pick.connection()}&state=active",
        lambda pick: "alerts?q=printer&severity=critical&provider=ninjaone",
    ],
    "devices": [
        lambda pick: "devices",
        lambda pick: f"devices?client={pick.client()}",
        lambda pick: f"devices?client={pick.client()}&status=offline",
        lambda pick: "devices?status=overdue&kind=server",
        lambda pick: f"devices?connection={pick.connection()}",
        lambda pick: f"devices?q={pick.number():06}",
        lambda pick: "devices?q=srv-001",
        lambda pick: "devices?q=nothing-like-this",
        lambda pick: "devices?deleted=1",
        lambda pick: "devices?status=not_online&kind=server",
        lambda pick: "devices?alerts=active",
        lambda pick: f"devices?alerts=active&client={pick.client()}",
        lambda pick: "devices?patches=yes&status=online",
        lambda pick: "devices?patches=unknown",
        lambda pick: "devices?reboot=yes",
        lambda pick: f"devices?reboot=yes&connection={pick.connection()}",
        lambda pick: "devices?managed=none",
        lambda pick: "devices?managed=unmapped",
        lambda pick: "devices?provider=ninjaone&status=overdue",
        lambda pick: "devices?unseen=7d",
        lambda pick: "devices?unseen=never",
        lambda pick: "devices?missing=once",
        lambda pick: "devices?kept=1",
        lambda pick: "devices?version=2.9.1",
        lambda pick: "devices?version=0.0.0",
        lambda pick: "devices?patches=failed",
        lambda pick: "devices?antivirus=at_risk&status=offline",
        lambda pick: "devices?threats=1",
        lambda pick: "devices?scan=old",
        lambda pick: "devices?approval=1",
        lambda pick: f"devices?patches=os&client={pick.client()}",
    ],
    "device": [lambda pick: f"devices/{pick.device()}"],
    "fleet": [lambda pick: "fleet"],
    "compliance": [
        lambda pick: "compliance",
        lambda pick: "compliance?with=failed&sort=failed",
        lambda pick: f"compliance?connection={pick.connection()}",
        lambda pick: f"compliance?client={pick.client()}",
        lambda pick: "compliance?sort=os&page=3",
    ],
    "patches": [
        lambda pick: "patches",
        lambda pick: "patches?status=failed",
        lambda pick: "patches?q=KB50300",
        lambda pick: "patches?status=installed&kind=software",
        lambda pick: f"patches?client={pick.client()}",
        lambda pick: f"patches/devices?q=KB50300{10 + pick.number() % 89}",
    ],
    "alert": [lambda pick: f"alerts/{pick.alert()}"],
}
"""Addresses of each figure, asked in turn."""


def signed_in(app: Flask) -> FlaskClient:
    """A browser in which the administrator is signed in."""
    client = app.test_client()
    tenant = tenant_id(NORTHBEAM)
    with client.session_transaction() as cookie:
        cookie["_user_id"] = f"{tenant}/{demo_id(NORTHBEAM, 'users', ADMIN)}"
        cookie["_fresh"] = True
    return client


def measure(client: FlaskClient, addresses: list[Address], pick: Pick) -> list[float]:
    """Times of whole pages in ms, after a warm-up."""
    times = []
    for number, address in enumerate(islice(cycle(addresses), WARM_UP + REQUESTS)):
        path = f"/rmm/{address(pick)}"
        started = perf_counter()
        answer = client.get(path)
        took = perf_counter() - started
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status_code}")
        if number >= WARM_UP:
            times.append(took * 1000)
    return times


def _column(connection: psycopg.Connection, query: str, *values: str) -> list[str]:
    return [str(row[0]) for row in connection.execute(query, values)]


def _figure(name: str, value: float) -> dict[str, Any]:
    return {"name": name, "value": round(value, 2), "unit": "ms"}
