"""What long lists of mixed rows take of memory, in a process of its own: little, however long they are."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from benchmarks.patches import ITEMS, KINDS, vendor
from tests.harness.schema import app_config
from tests.harness.world import World

LISTED = 4_000
HERE = 300
MOST_MB = {"patch_sync": 60, "software_sync": 70}
"""Two pages of 10,000 patches or 25,000 programs and what is put aside of them: decoded, the list would take
some hundred bytes for each of its rows."""


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_long_list_takes_no_more_memory_than_its_pages(world: World, populated_url: str, kind: str) -> None:
    kept = {key: str(value) for key, value in app_config(populated_url).items() if key.startswith("RMM_")}
    env = {**os.environ, **kept, "DATABASE_URL": populated_url, "SECRET_KEY": "test"}
    assert 1.5 * max(MOST_MB.values()) * 2**20 < LISTED * ITEMS * 300
    with vendor() as address:
        argv = [sys.executable, "-m", "benchmarks.patches", "peak", kind, address, str(LISTED), str(HERE)]
        done = subprocess.run(argv, env=env, check=True, stdout=subprocess.PIPE, text=True, timeout=300)
    assert float(done.stdout) < MOST_MB[kind]
