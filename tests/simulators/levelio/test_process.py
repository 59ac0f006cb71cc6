"""The simulator as a process of its own, as `make run` starts it beside the other vendors'."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from simulators.levelio import keys
from simulators.ninjaone.fleet import FleetOptions
from simulators.ninjaone.lab import Lab as NinjaOne
from simulators.ninjaone.twins import twins
from simulators.tacticalrmm import create_app as create_tactical
from simulators.tacticalrmm.app import lab_of

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Base address of the process; it says so in its first line, once it listens."""
    command = [sys.executable, "-m", "simulators.levelio", "--port", "0", "--devices", "30", "--twins"]
    command += ["--alerts", "4"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1].rstrip("/")
        process.terminate()


def _ask(url, path):
    return requests.get(url + path, headers={"Authorization": keys.READONLY_KEY}, timeout=20).json()


def test_the_options_reach_the_server(url):
    state = _ask(url, "/_control/api/state")
    assert state["devices"] == 50
    assert len(_ask(url, "/v2/alerts?limit=100")["data"]) == 4
    assert requests.get(f"{url}/_control/", timeout=20).status_code == 200


def test_some_machines_are_those_of_the_other_vendors(url):
    groups = {row["id"]: row for row in _ask(url, "/v2/groups?limit=100")["data"]}

    def company(group_id):
        row = groups[group_id]
        return company(row["parent_id"]) if row["parent_id"] else row["name"]

    rows = [row for row in _ask(url, "/v2/devices?limit=100")["data"] if row["group_id"]]
    here = {(company(row["group_id"]), row.get("serial_number"), row["hostname"]) for row in rows}
    tactical = lab_of(create_tactical())
    assert len(here & _of_tactical(tactical)) == 20
    assert len(here & _of_ninjaone()) == 20
    nested = [row for row in rows[-20:] if groups[row["group_id"]]["parent_id"]]
    assert nested, "some are in groups below their company's"


def _of_tactical(lab):
    return {
        (lab.client_of(one).name, one.hardware.serial, one.hostname) for one in lab.agents() if one.hardware
    }


def _of_ninjaone():
    lab = NinjaOne(FleetOptions(devices=1, twins=twins()))
    organizations = lab.fleet.organizations
    return {
        (organizations[one.organization_id].name, one.hardware.serial, one.system_name)
        for one in lab.devices()
        if one.hardware
    }
