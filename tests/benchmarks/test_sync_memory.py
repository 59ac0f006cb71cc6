"""What a first sync of 20,000 devices takes of memory, in a process of its own: as much as one of a few."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from benchmarks.tactical import vendor
from tests.harness.schema import app_config
from tests.harness.world import World

MOST_MB = 120


@pytest.mark.parametrize("source", ["standard", "beta"])
def test_a_large_fleet_takes_no_more_memory_than_its_pages(
    world: World, populated_url: str, source: str
) -> None:
    config = app_config(populated_url)
    kept = {key: str(value) for key, value in config.items() if key.startswith("RMM_")}
    env = {**os.environ, **kept, "DATABASE_URL": populated_url, "SECRET_KEY": "test"}
    with vendor() as address:
        argv = [sys.executable, "-m", "benchmarks.sync", source, address]
        done = subprocess.run(argv, env=env, check=True, stdout=subprocess.PIPE, text=True, timeout=120)
    assert json.loads(done.stdout)["value"] < MOST_MB
