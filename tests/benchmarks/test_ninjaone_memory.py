"""What a full sync of 20,000 devices of NinjaOne takes of memory, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from benchmarks.ninja_vendor import vendor
from tests.harness.schema import app_config
from tests.harness.world import World

MOST_MB = 80


def test_what_is_kept_of_the_reports_is_small(world: World, populated_url: str) -> None:
    """All reports are held until the last device is written: less than 1 KB for each."""
    config = app_config(populated_url)
    kept = {key: str(value) for key, value in config.items() if key.startswith("RMM_")}
    env = {**os.environ, **kept, "DATABASE_URL": populated_url, "SECRET_KEY": "test"}
    with vendor() as address:
        argv = [sys.executable, "-m", "benchmarks.ninjaone", "test", address]
        done = subprocess.run(argv, env=env, check=True, stdout=subprocess.PIPE, text=True, timeout=240)
    assert json.loads(done.stdout)["value"] < MOST_MB
