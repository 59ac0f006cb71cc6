"""The simulator as a process of its own, served by waitress."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from simulators.tacticalrmm import keys

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Base address of the process; it says so in its first line, once it listens."""
    command = [sys.executable, "-m", "simulators.tacticalrmm", "--port", "0", "--agents", "30"]
    command += ["--clients", "3", "--seed", "5", "--no-beta", "--alerts", "6", "--time-scale", "0"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1].rstrip("/")
        process.terminate()


def _get(url: str, path: str, **options: object) -> requests.Response:
    return requests.get(url + path, headers={"X-API-KEY": keys.ADMIN_KEY}, timeout=20, **options)  # type: ignore[arg-type]


def test_the_options_reach_the_server(url):
    state = requests.get(f"{url}/_control/api/state", timeout=20).json()
    assert (state["agents"], state["clients"], state["alerts"], state["beta"]) == (30, 3, 6, False)
    assert _get(url, "/beta/v1/").status_code == 404
    assert "Date" in _get(url, "/core/version/").headers


def test_a_redirect_stays_relative(url):
    assert _get(url, "/agents", allow_redirects=False).headers["Location"] == "/agents/"


@pytest.mark.parametrize("prefix", ["/agents/", "/clients/"])
def test_a_cut_body_is_cut_on_the_wire_too(url, prefix):
    fault = {"mode": "cut_body", "prefix": prefix, "count": 1}
    assert requests.post(f"{url}/_control/api/misbehaviour", json=fault, timeout=20).status_code == 200
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        _get(url, prefix)
    assert _get(url, prefix).status_code == 200
