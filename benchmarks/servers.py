"""A database of its own and web servers on free ports, for as long as a benchmark runs."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from flask import Flask

from reference_psa import create_app, setup
from reference_psa.local.postgres import DURABLE, PostgresServer

SETTINGS = {**DURABLE, "shared_buffers": "1GB"}
WORKERS = ("--worker-class", "sync", "--workers", "2")
"""The worker class of every figure: gunicorn's sync, two processes."""


@contextmanager
def database() -> Iterator[PostgresServer]:
    """A durable PostgreSQL with an empty database ``psa``, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="rmm-bench-") as home:
        Path(home).chmod(0o755)
        with PostgresServer(Path(home), SETTINGS) as server:
            import psycopg

            with psycopg.connect(server.conninfo(), autocommit=True) as connection:
                connection.execute("CREATE DATABASE psa")
            yield server


def environment(server: PostgresServer, **more: str) -> dict[str, str]:
    """What the processes of a benchmark are started with; no Redis, as nothing waits for it here."""
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith(("RMM_", "DATABASE_"))},
        "DATABASE_URL": server.url("psa"),
        "SECRET_KEY": "benchmark",
        "RMM_SECRET_KEYS": f"bench:{base64.b64encode(bytes(32)).decode()}",
        "RMM_ALLOWED_NETWORKS": "127.0.0.0/8",
        "BENCH_CONNINFO": server.conninfo("psa"),
        **more,
    }


def seeded_app(server: PostgresServer) -> Flask:
    """The reference PSA on that database, migrated, with its demonstration data."""
    os.environ.update(environment(server))
    app = create_app()
    setup.upgrade_database(app)
    setup.seed_database(app)
    return app


@contextmanager
def web(target: str, env: dict[str, str]) -> Iterator[tuple[str, int]]:
    """gunicorn with ``target``; yields its address once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address: tuple[str, int] = probe.getsockname()
    bind = f"{address[0]}:{address[1]}"
    argv = [sys.executable, "-m", "gunicorn", *WORKERS, "--bind", bind, "--log-level", "warning", target]
    process = subprocess.Popen(argv, env=env)
    try:
        _await(address)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


def _await(address: tuple[str, int]) -> None:
    deadline = monotonic() + 30
    while monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(address) == 0:
                return
        sleep(0.05)
    raise RuntimeError(f"Nothing answers on {address}.")
