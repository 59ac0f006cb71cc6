"""What a long list of software takes of memory, in a process of its own: little, however long it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from benchmarks.software import vendor
from tests.harness.schema import app_config
from tests.harness.world import World

LISTED = 8_000
HERE = 300
MOST_MB = 90
"""Two pages of 250 lists and what is read of the next: the list itself is more than twice as long."""


def test_a_long_list_takes_no_more_memory_than_its_pages(world: World, populated_url: str) -> None:
    kept = {key: str(value) for key, value in app_config(populated_url).items() if key.startswith("RMM_")}
    env = {**os.environ, **kept, "DATABASE_URL": populated_url, "SECRET_KEY": "test"}
    with vendor() as address:
        argv = [sys.executable, "-m", "benchmarks.software", "peak", address, str(LISTED), str(HERE)]
        done = subprocess.run(argv, env=env, check=True, stdout=subprocess.PIPE, text=True, timeout=300)
    found = {figure["name"]: figure["value"] for figure in map(json.loads, done.stdout.splitlines())}
    assert found["software_body_mb"] > 2 * MOST_MB
    assert found["software_peak_mb"] < MOST_MB
