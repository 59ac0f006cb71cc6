"""A provider and an action of other distributions: three wheels in an empty environment, and nothing of this
repository."""

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
    """The Python of an environment with all wheels. No index is asked: what they need is installed here."""
    folder = tmp_path_factory.mktemp("others")
    brought = [_built(folder, name) for name in ("acme", "toolbox")]
    store = folder / "wheels"
    store.mkdir()
    for name, installed in wheels.needed(["rmm-extension", *HOST]).items():
        if name != "rmm-extension":
            wheels.repack(installed, store)
    shutil.copy(extension_wheel, store)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    offline = ["install", "--no-index", "--no-compile", "--find-links", str(store), *brought, *HOST]
    done = subprocess.run([*pip(python), *offline], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return python


def _built(folder: Path, name: str) -> str:
    """The wheel of one of the other distributions."""
    source = shutil.copytree(HERE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return str(wheels.build(source, folder / f"{name}-wheel"))


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the reference PSA and the stories with their needs: nothing else is imported from it."""
    folder = tmp_path_factory.mktemp("host")
    shutil.copytree(PROJECT / "reference_psa", folder / "reference_psa")
    for name in ("acme_server.py", "acme_story.py", "toolbox_story.py"):
        shutil.copy(HERE / name, folder)
    shutil.copy(PROJECT / "tests" / "forms" / "browser.py", folder / "form_browser.py")
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


def test_an_action_with_every_kind_of_input_needs_no_template(
    environment: Path, host: Path, populated_url: str
) -> None:
    """In the palette, drawn, judged, stored, published and done: by its contract alone."""
    printed = run(environment, host, "toolbox_story.py", populated_url)
    told: dict[str, Any] = json.loads(printed.splitlines()[-1])
    for name in ("from", "pack"):
        assert Path(told.pop(name)).is_relative_to(environment.parents[1])
    assert told.pop("wrong") == {
        "in_name": "Fill this in.",
        "in_count": "Give a whole number from 1 to 10.",
        "in_ratio": "Give a number from 0 to 1.",
        "in_days": "Choose among: mo, tu, we.",
        "in_begins": "There is no such time on that day: the clocks are set forward over it.",
        "in_window.start": "This time zone is not known. Choose one such as Europe/Berlin.",
        "in_window.end": "Fill this in.",
        "in_items.0.label": "Fill this in.",
        "in_items.0.amount": "Give a whole number from 1 to 99.",
        "in_extra": "This must be JSON: an object in braces or a list in brackets.",
    }
    assert told.pop("given") == {
        "name": "A <b>thing</b>",
        "note": "Two\nlines {{ as they are }}",
        "password": True,
        "count": 3,
        "ratio": 0.5,
        "size": "l",
        "days": ["mo", "we"],
        "loud": True,
        "tags": ["one", "two"],
        "begins": "2026-11-22T10:00:00+01:00",
        "window": {"start": "2026-11-22T10:00:00+00:00"},
        "items": [{"label": "bolt", "amount": 4}, {"label": "nut", "amount": 1}],
        "extra": {"deep": [1, {"er": None}]},
    }
    assert told == {
        "offered": True,
        "not drawn": [],
        "still wrong": {},
        "shown again": {
            "in_days": ["mo", "we"],
            "in_begins": ["2026-11-22T10:00"],
            "in_items.1.label": ["nut"],
        },
        "secret shown": False,
        "state": "published",
        "state of the step": "succeeded",
        "message": "A <b>thing</b> is made.",
        "people": [True, True],
        "ends after it began": True,
        "kept": "••••••",
        "written down": 1,
    }
