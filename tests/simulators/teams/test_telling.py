"""What the simulated Bot Connector sends to a bot, and the control page."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from simulators.teams import keys
from tests.harness.recordings import example
from tests.harness.teams import SimulatedTeams

ROOT = Path(__file__).resolve().parents[3]


def _sent(teams: SimulatedTeams) -> list[dict[str, Any]]:
    """The activities that are waiting, as a bot would get them."""
    return [json.loads(one["body"]) for one in teams.deliver()]


@pytest.fixture(autouse=True)
def listening(teams: SimulatedTeams) -> None:
    """The bot has an endpoint."""
    teams.listen_at("http://127.0.0.1:9/api/messages/x")


def _keys_of(value: Any, path: str = "") -> set[str]:
    if isinstance(value, dict):
        return {found for key, inner in value.items() for found in _keys_of(inner, f"{path}.{key}")} | {path}
    if isinstance(value, list):
        return {found for inner in value for found in _keys_of(inner, f"{path}[]")} | {path}
    return {path}


# What Microsoft's examples have, and a bot has no use for.
LEFT_OUT = {".locale", ".channelData.source", ".channelData.source.name"}


@pytest.mark.parametrize(
    "name, place, kind",
    [
        ("installationUpdate-add", "Service desk", "installationUpdate"),
        ("conversationUpdate-bot-added-to-team", "Service desk", "conversationUpdate"),
        ("conversationUpdate-bot-added-personal", "Priya Raman", "conversationUpdate"),
    ],
)
def test_an_installation_is_told_in_microsofts_words(
    teams: SimulatedTeams, name: str, place: str, kind: str
) -> None:
    path = example(f"teams-{name}.json")
    if not path.is_file():
        pytest.skip(f"no example of Microsoft at {path}")
    official = _keys_of(json.loads(path.read_text(encoding="utf-8"))["body"])
    teams.install(place)
    (found,) = [one for one in _sent(teams) if one["type"] == kind]
    missing = {one for one in official - _keys_of(found) if not one.startswith(".entities")} - LEFT_OUT
    assert missing == set()


def test_what_happens_in_teams_is_told_in_its_order(teams: SimulatedTeams) -> None:
    teams.install("Service desk")
    teams.write("Service desk", "hello", channel="Alerts")
    teams.remove("Service desk")
    found = _sent(teams)
    assert [(one["type"], one.get("action")) for one in found] == [
        ("installationUpdate", "add"),
        ("conversationUpdate", None),
        ("message", None),
        ("installationUpdate", "remove"),
        ("conversationUpdate", None),
    ]
    assert ";messageid=" in found[2]["conversation"]["id"]
    assert found[4]["membersRemoved"] == [{"id": f"28:{keys.APP_ID}"}]


def test_what_a_bot_cannot_take_now_is_sent_again_so_often(teams: SimulatedTeams) -> None:
    teams.write("Priya Raman", "once")
    assert [one["attempt"] for one in teams.deliver()] == [1]
    assert teams.lab.courier.waiting() == []
    teams.lab.settings.change(attempts=3)
    teams.write("Priya Raman", "three times")
    assert [one["attempt"] for _ in range(4) for one in teams.deliver()] == [1, 2, 3]


def test_a_bot_without_an_endpoint_hears_nothing(teams: SimulatedTeams) -> None:
    teams.listen_at(None)
    teams.install("Priya Raman")
    assert teams.lab.courier.waiting() == []
    assert teams.lab.person(name="Priya Raman").apps == {keys.APP_ID}


@pytest.mark.parametrize(
    "path, body",
    [
        ("people/99/install", {}),
        ("teams/99/install", {}),
        ("people/1/install", {"app_id": "x"}),
        ("people/1/write", {"text": "x", "forge": "nonsense"}),
        ("people/1/write", {}),
        ("teams/1/write", {"text": "x", "channel": "nowhere"}),
        (f"bots/{keys.APP_ID}/endpoint", {"url": "ftp://x"}),
        ("settings", {"region": "mars"}),
    ],
)
def test_a_command_that_makes_no_sense_is_refused(
    teams: SimulatedTeams, path: str, body: dict[str, str]
) -> None:
    reply = requests.post(f"{teams.url}/_control/api/{path}", json=body, timeout=20)
    assert reply.status_code == 400
    assert reply.json()["error"]


def test_the_page_shows_what_was_written_and_escapes_it(teams: SimulatedTeams) -> None:
    teams.control("people", name="<b>Eve</b>")
    page = requests.get(f"{teams.url}/_control/", timeout=20).text
    assert "&lt;b&gt;Eve&lt;/b&gt;" in page
    assert "<b>Eve</b>" not in page
    for word in ("Service desk", keys.APP_ID, keys.CLIENT_SECRET, keys.DIRECTORY_ID):
        assert word in page


def test_a_reset_forgets_everything(teams: SimulatedTeams) -> None:
    teams.install("Priya Raman")
    teams.control("keys/rotate", keep=False)
    teams.control("reset")
    state = teams.ask("state")
    assert state["keys"] == ["sim-key-1", "sim-key-2"]
    assert all(not one["apps"] for one in teams.ask("people"))
    assert teams.lab.courier.waiting() == []


def test_it_runs_as_a_program() -> None:
    command = [sys.executable, "-m", "simulators.teams", "--port", "0"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1].rstrip("/")
        openid = requests.get(f"{url}/v1/.well-known/openidconfiguration", timeout=20).json()
        assert openid["jwks_uri"] == f"{url}/v1/.well-known/keys"
        process.terminate()
