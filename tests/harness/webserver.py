"""A real web server with two processes on a test's database."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from reference_psa.local.ports import free_port
from reference_psa.local.programs import web_server
from tests.harness.schema import KEYS
from tests.harness.wait import until
from tests.harness.world import World

ROOT = Path(__file__).parents[2]


def environment(world: World) -> dict[str, str]:
    """What a process needs to work on the world's database; no Redis, as nothing waits for it."""
    return {
        **os.environ,
        "DATABASE_URL": str(world.app.config["SQLALCHEMY_DATABASE_URI"]),
        "SECRET_KEY": "test",
        "RMM_SECRET_KEYS": KEYS,
        "RMM_REDIS_URL": "redis://127.0.0.1:1/0",
    }


@contextmanager
def web_processes(world: World, folder: Path) -> Iterator[str]:
    """The server's address."""
    port = free_port()
    with (folder / "web.log").open("wb") as log:
        process = subprocess.Popen(web_server(port), env=environment(world), cwd=ROOT, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _answers(f"{address}/healthz"), "the web server", 60)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False
