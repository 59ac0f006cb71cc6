"""The simulator as a process of its own, as `make run` starts it beside Tactical RMM's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from simulators.ninjaone import keys
from simulators.tacticalrmm import create_app as create_tactical
from simulators.tacticalrmm.app import lab_of

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Base address of the process; it says so in its first line, once it listens."""
    command = [sys.executable, "-m", "simulators.ninjaone", "--port", "0", "--devices", "40", "--twins"]
    command += ["--alerts", "5", "--redirect-uri=http://psa.test/a", "--redirect-uri=http://psa.test/b"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1].rstrip("/")
        process.terminate()


def test_the_options_reach_the_server(url):
    state = requests.get(f"{url}/_control/api/state", timeout=20).json()
    assert (state["devices"], state["organizations"], state["alerts"]) == (60, 12, 5)
    (web,) = [
        one
        for one in requests.get(f"{url}/_control/api/applications", timeout=20).json()
        if one["client_id"] == keys.WEB_CLIENT_ID
    ]
    assert web["redirect_uris"] == ["http://psa.test/a", "http://psa.test/b"]


def test_some_machines_are_tactical_rmms_too(url):
    form = {"grant_type": "client_credentials", "client_id": keys.MACHINE_CLIENT_ID}
    form["client_secret"] = keys.MACHINE_CLIENT_SECRET
    token = requests.post(f"{url}/ws/oauth/token", data=form, timeout=20).json()["access_token"]

    def ask(path):
        return requests.get(url + path, headers={"Authorization": f"Bearer {token}"}, timeout=20).json()

    names = {one["id"]: one["name"] for one in ask("/v2/organizations")}
    owners = {one["id"]: names[one["organizationId"]] for one in ask("/v2/devices")}
    rows = ask("/v2/queries/computer-systems")["results"]
    here = {(owners[row["deviceId"]], row["serialNumber"], row["name"]) for row in rows}
    tactical = lab_of(create_tactical())
    there = {
        (tactical.client_of(one).name, one.hardware.serial, one.hostname)
        for one in tactical.agents()
        if one.hardware
    }
    assert len(here & there) == 20
