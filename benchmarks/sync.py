"""Device sync beside its limit: only reading the same pages, in the same run (:mod:`benchmarks.reading`).

The vendor is :mod:`benchmarks.tactical`: 10 clients of 1,000 agents. The path is the real one: the Tactical
RMM provider, the sync, the reference PSA's adapters and a durable PostgreSQL.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks import servers
from benchmarks.syncing import Bench, peak_mb, seconds
from benchmarks.tactical import AGENTS, CLIENTS, SLOW, VARIANTS, vendor
from rmm_extension.jobs.worker import spare_the_collector
from rmm_extension.testing.statements import StatementCounter

MANY_CLIENTS = 100
FEW_CLIENTS = 3
ROUNDS = 3
MEASURED = {"first": "base", "unchanged": "base", "seen": "seen", "changed": "changed"}
PEAKS = {
    "sync_peak_mb": (MANY_CLIENTS, "standard", "base"),
    "sync_peak_big_mb": (CLIENTS, "beta", "base"),
    "standard": (20, "standard", "base"),
    "beta": (20, "beta", "light"),
}
"""Clients, source and what the vendor says, for each figure of memory; the last two are a test's."""


def run() -> Iterator[dict[str, Any]]:
    """Ratios to the limit, statements per 10,000 devices, a slow vendor, peak memory."""
    with servers.database() as server, vendor() as address:
        app = servers.seeded_app(server)
        # What a worker does before its first job.
        spare_the_collector()
        with app.app_context():
            bench = Bench(app, address, CLIENTS)
            bench.sync("base")
            yield from _ratios(bench)
            yield from _statements(bench)
            bench.forget()
            yield _routine(Bench(app, address, FEW_CLIENTS))
        yield from _peaks(address)


def _ratios(bench: Bench) -> Iterator[dict[str, Any]]:
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in MEASURED}
    for variant in VARIANTS:
        # The vendor makes its pages when they are first asked for.
        bench.limit(variant)
    for _ in range(ROUNDS):
        bench.forget()
        for name, variant in MEASURED.items():
            bench.settle()
            before = bench.limit(variant)
            taken = seconds(bench.sync, variant)
            after = bench.limit(variant)
            found[name].append((taken, (before + after) / 2))
    devices = bench.clients * AGENTS
    for name, rounds in found.items():
        middle = statistics.median(taken for taken, _ in rounds)
        yield _figure(f"sync_{name}_per_second", devices / middle, "1/s")
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


def _routine(bench: Bench) -> dict[str, Any]:
    """A routine sync, in which every device was seen again, beside the same calls one after the other."""
    bench.sync("base")
    found = []
    for _ in range(ROUNDS):
        bench.sync("base")
        bench.settle()
        before = seconds(bench.calls, SLOW)
        taken = seconds(bench.sync, SLOW)
        after = seconds(bench.calls, SLOW)
        found.append(taken / ((before + after) / 2))
    return _figure("tactical_routine_ratio", statistics.median(found), "ratio")


def _figure(name: str, value: float, unit: str) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit}


def _peaks(address: str) -> Iterator[dict[str, Any]]:
    """A process of its own for each: memory of one measurement would hide in another's."""
    for name in ("sync_peak_mb", "sync_peak_big_mb"):
        argv = [sys.executable, "-m", "benchmarks.sync", name, address]
        done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True)
        yield json.loads(done.stdout)


def _measure(name: str, address: str) -> None:
    from reference_psa import create_app

    print(json.dumps(_figure(name, peak_mb(create_app(), address, *PEAKS[name]), "MB")))


if __name__ == "__main__":
    _measure(*sys.argv[1:])
