"""Webhook ingest beside its limit: same server, workers and load, the limit measured before and after."""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Callable, Iterator
from itertools import count, pairwise
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import select

from benchmarks import limit, pages_data, servers
from benchmarks.load import Measured, drive, request_bytes
from reference_psa.local.postgres import PostgresServer
from reference_psa.models import Client
from reference_psa.seed import tenant_id
from reference_psa.seed_data import NORTHBEAM
from rmm_extension.domain.types import Connection
from rmm_extension.host import Actor
from rmm_extension.models import OrganizationMapping
from rmm_extension.services import connections, webhook_access
from rmm_extension.services.unit import unit
from rmm_extension.testing.statements import StatementCounter

WARM_UP = 300
REQUESTS = 2_000
ROUNDS = 3
TURN = 250
Body = Callable[[int], dict[str, Any]]


class Hook:
    """A connection's webhook: its address and how to send to it."""

    def __init__(self, url: str, secret: str) -> None:
        self.path, self._secret = url, secret
        self._numbers = count(1)

    def requests(self, address: tuple[str, int], amount: int, body: Body) -> list[bytes]:
        """Ready-made requests with numbers that were never used."""
        url = f"http://{address[0]}:{address[1]}{self.path}"
        headers = {"X-RMM-Webhook-Secret": self._secret}
        return [
            request_bytes(url, json.dumps(body(next(self._numbers))).encode(), headers) for _ in range(amount)
        ]


def run() -> Iterator[dict[str, Any]]:
    """Figures of DESIGN: ratios of rates and p99 to the limit, statements, a storm's exactness."""
    with servers.database() as server:
        app = servers.seeded_app(server)
        recorded, ticketed = _hook(app, catch_all=False), _hook(app, catch_all=True)
        yield from _statements(app, recorded, ticketed)
        env = servers.environment(server)
        with psycopg.connect(server.conninfo("psa"), autocommit=True) as connection:
            connection.execute(limit.TABLE)
        with servers.web("benchmarks.limit:app", env) as bare, servers.web("wsgi:app", env) as psa:
            yield from _ratios(bare, psa, recorded, ticketed)
            yield from _storm(server, psa, ticketed)
            yield from _tail(psa, ticketed)
            yield from _full_table(app, server, bare, psa, recorded)


def _ratios(
    bare: tuple[str, int], psa: tuple[str, int], recorded: Hook, ticketed: Hook
) -> Iterator[dict[str, Any]]:
    limits = Hook("/limit", "")
    cells: dict[str, tuple[Hook, Body]] = {
        "recorded": (recorded, _alert),
        "ticket": (ticketed, lambda number: _alert(number, check=number)),
        "replay": (recorded, lambda number: _alert(0)),
    }
    for name, (hook, body) in cells.items():
        before = _median(bare, limits, _alert, 8)
        found = _median(psa, hook, body, 8)
        after = _median(bare, limits, _alert, 8)
        bound = (before.rate + after.rate) / 2
        yield _figure(f"ingest_{name}_per_second", found.rate, "1/s")
        yield _figure(f"ingest_{name}_limit_per_second", bound, "1/s")
        yield _figure(f"ingest_{name}_ratio", found.rate / bound, "ratio")
        if name == "recorded":
            yield _figure("ingest_p99_ratio_8", found.p99_ms / max(before.p99_ms, after.p99_ms), "ratio")
    wide, bound_wide = _median(psa, recorded, _alert, 32), _median(bare, limits, _alert, 32)
    yield _figure("ingest_p99_ratio_32", wide.p99_ms / bound_wide.p99_ms, "ratio")


def _storm(server: PostgresServer, psa: tuple[str, int], hook: Hook) -> Iterator[dict[str, Any]]:
    agent = "storm".ljust(40, "x")
    requests = hook.requests(psa, 1_000, lambda number: _alert(number, check=number % 50, agent=agent))
    found = drive(psa, requests, 16)
    with psycopg.connect(server.conninfo("psa")) as connection:
        rows = connection.execute(
            "SELECT ticket_id, occurrence_count FROM rmm_alert_conditions WHERE dedup_key LIKE %s",
            (f"{agent}%",),
        ).fetchall()
    yield _figure("storm_tickets", len({ticket for ticket, _ in rows}), "tickets")
    yield _figure("storm_errors", found.errors, "answers")
    yield _figure("storm_inexact_counts", sum(counted != 20 for _, counted in rows), "conditions")
    yield _figure("storm_per_second", found.rate, "1/s")


def _tail(psa: tuple[str, int], hook: Hook) -> Iterator[dict[str, Any]]:
    """10,000 alerts of one condition: do the last 2,000 cost what the first 2,000 did?

    The last of one condition take turns with the first of the next, so that both meet the same machine.
    """
    agents = [f"tail{position}" for position in range(ROUNDS + 1)]
    _repeats(psa, hook, agents[0], 2_000)
    ratios: list[float] = []
    for ending, beginning in pairwise(agents):
        _repeats(psa, hook, ending, 6_000)
        for _ in range(2_000 // TURN):
            first = _repeats(psa, hook, beginning, TURN)
            ratios.append(_repeats(psa, hook, ending, TURN) / first)
    yield _figure("storm_tail_ratio", statistics.median(ratios), "ratio")


def _repeats(psa: tuple[str, int], hook: Hook, agent: str, amount: int) -> float:
    """The rate of so many further alerts of the agent's one condition."""
    requests = hook.requests(psa, amount, lambda number: _alert(number, check=7, agent=agent))
    found = drive(psa, requests, 8)
    if found.errors:
        raise RuntimeError(f"{found.errors} answers were not 2xx.")
    return found.rate


def _full_table(
    app: Flask, server: PostgresServer, bare: tuple[str, int], psa: tuple[str, int], hook: Hook
) -> Iterator[dict[str, Any]]:
    """The rate against the limit's with 1,000,000 alerts stored, beside the same with few."""
    empty = _against_limit(bare, psa, hook)
    with app.app_context():
        engine = app.extensions["rmm"].services.db.engine
        pages_data.fill(server.conninfo("psa"), engine, tenant_id(NORTHBEAM))
    with psycopg.connect(server.conninfo("psa"), autocommit=True) as connection:
        connection.execute(limit.FILL)
    full = _against_limit(bare, psa, hook)
    yield _figure("ingest_full_table_ratio", full / empty, "ratio")


def _against_limit(bare: tuple[str, int], psa: tuple[str, int], hook: Hook) -> float:
    limits = Hook("/limit", "")
    before = _median(bare, limits, _alert, 8).rate
    found = _median(psa, hook, _alert, 8).rate
    return found / ((before + _median(bare, limits, _alert, 8).rate) / 2)


def _statements(app: Flask, recorded: Hook, ticketed: Hook) -> Iterator[dict[str, Any]]:
    client, numbers = app.test_client(), count(10_000_000)
    first = _alert(next(numbers), check=999, agent="counted")
    for hook in (recorded, ticketed):
        _post(client, hook, first)
    paths = {
        "replay": (recorded, first),
        "recorded": (recorded, _alert(next(numbers))),
        "occurrence": (ticketed, _alert(next(numbers), check=999, agent="counted")),
        "ticket": (ticketed, _alert(next(numbers), check=1_000)),
    }
    counted: list[StatementCounter] = []
    for name, (hook, body) in paths.items():
        with StatementCounter() as sent:
            _post(client, hook, body)
        counted.append(sent)
        yield _figure(f"statements_{name}", sent.count, "statements")
    # A replay writes nothing, so it has nothing to commit; a commit of its own would show.
    writing = sum(1 for sent in counted if sent.writes)
    yield _figure("commits_per_event", sum(sent.commits for sent in counted) / writing, "commits")
    yield _figure("rollbacks_per_event", sum(sent.rollbacks for sent in counted) / len(paths), "rollbacks")


def _post(client: Any, hook: Hook, body: dict[str, Any]) -> None:
    answer = client.post(hook.path, json=body, headers={"X-RMM-Webhook-Secret": hook._secret})
    if answer.status_code != 200:
        raise RuntimeError(f"{answer.status_code}: {answer.text}")


def _analyze() -> None:
    """Refresh the statistics, as autovacuum has in a database that lives longer than a benchmark."""
    with psycopg.connect(os.environ["BENCH_CONNINFO"], autocommit=True) as connection:
        connection.execute("ANALYZE")


def _median(address: tuple[str, int], hook: Hook, body: Body, connections_: int) -> Measured:
    drive(address, hook.requests(address, WARM_UP, body), connections_)
    _analyze()
    rounds = [drive(address, hook.requests(address, REQUESTS, body), connections_) for _ in range(ROUNDS)]
    if any(one.errors for one in rounds):
        raise RuntimeError(f"{sum(one.errors for one in rounds)} answers were not 2xx.")
    return Measured(
        statistics.median(one.rate for one in rounds), statistics.median(one.p99_ms for one in rounds), 0
    )


def _hook(app: Flask, *, catch_all: bool) -> Hook:
    """A connection with a webhook whose organization belongs to a client; with or without a rule."""
    tenant = tenant_id(NORTHBEAM)
    actor = Actor(id="bench", name="Benchmark", tenant_id=tenant)
    rmm = app.extensions["rmm"].services
    address = Connection(
        tenant_id=tenant, integration_id="", provider="tacticalrmm", instance_url="http://127.0.0.1:9"
    )
    with app.app_context(), unit(rmm) as session:
        row = connections.create(rmm, session, actor, f"bench {catch_all}", address, catch_all=catch_all)
        client_id = session.scalars(select(Client.id).where(Client.tenant_id == tenant).limit(1)).one()
        session.add(
            OrganizationMapping(
                tenant_id=tenant, integration_id=row.id, external_id="1", name="Bench", client_id=client_id
            )
        )
        hook = webhook_access.switch_on(rmm, session, actor, row.id)
    return Hook(hook.url.removeprefix(rmm.settings.public_url or ""), hook.secret or "")


def _alert(number: int, check: int | None = None, agent: str | None = None) -> dict[str, Any]:
    return {
        "event": "failure",
        "alert_id": str(number),
        "alert_type": "check",
        "severity": "error",
        "agent_id": agent or f"agent{number % 500}".ljust(40, "x"),
        "client_id": "1",
        "site_id": "3",
        "check_id": str(number if check is None else check),
        "task_id": "None",
        "alert_time": "2026-11-21 02:06:46.015151+00:00",
        "resolved_on": "None",
    }


def _figure(name: str, value: float, unit_: str) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit_}
