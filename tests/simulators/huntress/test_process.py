"""The simulator as a process of its own, as `make run` starts it beside the others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from simulators.huntress import keys
from simulators.tacticalrmm import create_app as create_tactical
from simulators.tacticalrmm.app import lab_of

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Base address of the process; it says so in its first line, once it listens."""
    command = [sys.executable, "-m", "simulators.huntress", "--port", "0", "--agents", "40", "--twins"]
    command += ["--incidents", "5", "--escalations", "1", "--retry-scale", "0.01"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1].rstrip("/")
        process.terminate()


def test_the_options_reach_the_server(url):
    state = requests.get(f"{url}/_control/api/state", timeout=20).json()
    sizes = [state[name] for name in ("agents", "organizations", "incidents", "escalations")]
    assert sizes == [60, 12, 5, 1]
    assert state["settings"]["retry_scale"] == 0.01
    assert (state["settings"]["rate_limit"], state["settings"]["rate_enforced"]) == (60, True)


def test_some_machines_are_tactical_rmms_too(url):
    def ask(path, name):
        pair = (keys.READER_KEY, keys.READER_SECRET)
        return requests.get(f"{url}{path}?limit=500", auth=pair, timeout=20).json()[name]

    here = {(row["hostname"], row["serial_number"]) for row in ask("/v1/agents", "agents")}
    tactical = lab_of(create_tactical())
    there = {(one.hostname, one.hardware.serial) for one in tactical.agents() if one.hardware}
    assert len(here & there) == 20
