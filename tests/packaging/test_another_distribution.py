"""A provider of another distribution: two wheels in an empty environment, and nothing of this repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.harness.schema import KEYS
from tests.packaging import wheels
from tests.packaging.wheels import PROJECT

HERE = Path(__file__).parent
HOST = ("flask-login", "flask-migrate", "email-validator")
"""What the reference PSA needs beside the extension."""


def pip(python: Path) -> list[str]:
    """A pip that installs into that environment; skips where there is none."""
    for found in ([sys.executable, "-m", "pip"], ["pip3"], ["pip"]):
        command = [*found, "--python", str(python)]
        if (
            shutil.which(found[0])
            and not subprocess.run([*command, "--version"], capture_output=True).returncode
        ):
            return command
    pytest.skip("no pip here that can install into another environment (22.3 or newer)")


@pytest.fixture(scope="module")
def environment(extension_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with both wheels. No index is asked: what they need is installed here."""
    folder = tmp_path_factory.mktemp("acme")
    source = shutil.copytree(HERE / "acme", folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    acme = wheels.build(source, folder / "acme")
    store = folder / "wheels"
    store.mkdir()
    for name, installed in wheels.needed(["rmm-extension", *HOST]).items():
        if name != "rmm-extension":
            wheels.repack(installed, store)
    shutil.copy(extension_wheel, store)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    offline = ["install", "--no-index", "--no-compile", "--find-links", str(store), str(acme), *HOST]
    done = subprocess.run([*pip(python), *offline], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return python


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the reference PSA, the story and Acme's server: nothing else can be imported from it."""
    folder = tmp_path_factory.mktemp("host")
    shutil.copytree(PROJECT / "reference_psa", folder / "reference_psa")
    for name in ("acme_server.py", "acme_story.py"):
        shutil.copy(HERE / name, folder)
    return folder


def run(environment: Path, host: Path, *argv: str, **more: str) -> str:
    """What a program of that environment prints, run in the host's folder."""
    env = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": "test",
        "RMM_SECRET_KEYS": KEYS,
        "PYTHONWARNINGS": "error",
        **more,
    }
    done = subprocess.run(
        [str(environment), *argv], cwd=host, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_is_listed(environment: Path, host: Path, populated_url: str) -> None:
    told = run(
        environment,
        host,
        "-m",
        "flask",
        "--app",
        "reference_psa",
        "rmm",
        "providers",
        DATABASE_URL=populated_url,
    )
    (line,) = (line for line in told.splitlines() if "acme" in line)
    assert "Acme RMM" in line


def test_it_does_all_that_a_vendor_does(environment: Path, host: Path, populated_url: str) -> None:
    told: dict[str, Any] = json.loads(run(environment, host, "acme_story.py", populated_url).splitlines()[-1])
    assert Path(told.pop("from")).is_relative_to(environment.parents[1])
    assert "alert_reset" in told.pop("after closing")
    client = "Harbour Dental Care"
    assert told == {
        "learned": "Northwind IT",
        "devices": ["ACME-1", "ACME-2", "ACME-3"],
        "assets": 3,
        "forged": 401,
        "webhook": [
            {"recorded": True, "outcome": "ticket_created"},
            {"recorded": True, "outcome": "skipped", "reason": "duplicate"},
        ],
        "tickets": [[client, False], [client, False]],
        "cleared": ["a1"],
        "offered": True,
        "rebooted": ["m1"],
        "action": "requested",
    }
