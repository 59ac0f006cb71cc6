"""Scripts, commands, reboots and pings, and the faults that can be switched on."""

from __future__ import annotations

import pytest
import requests

from simulators.tacticalrmm import keys

RUN = {"script": 1, "output": "wait", "args": [], "env_vars": [], "run_as_user": False, "timeout": 10}
CMD = {"shell": "cmd", "cmd": "whoami", "timeout": 5, "run_as_user": False}
LATER = {"datetime": "2099-01-15T03:00"}
UNABLE = "Unable to contact the agent"
HTML = object()

TRUTH = {
    "ok": {"cmd": (200, "out\n"), "wait": (200, "out\n"), "reboot": (200, "ok"), "ping": (200, "online")},
    "agent_down": {"cmd": (500, HTML), "wait": (500, HTML), "reboot": (500, HTML), "later": (500, HTML)}
    | {"ping": (500, HTML)},
    "silent": {
        "cmd": (400, UNABLE),
        "wait": (200, "timeout"),
        "reboot": (400, UNABLE),
        "later": (400, "timeout"),
    }
    | {"ping": (200, "offline")},
    "down": {"cmd": (200, "natsdown"), "wait": (200, "natsdown"), "reboot": (400, UNABLE)}
    | {"later": (400, "natsdown"), "ping": (200, "offline")},
}
CALLS = {
    "cmd": ("POST", "cmd", CMD),
    "wait": ("POST", "runscript", RUN),
    "reboot": ("POST", "reboot", None),
    "later": ("PATCH", "reboot", LATER),
    "ping": ("GET", "ping", None),
}


@pytest.fixture
def agent(server):
    server.control("script-output", stdout="out\n")
    return server.agent(status="online", plat="windows")["agent_id"]


def _act(server, agent, name, body=None, **options):
    method, path, default = CALLS[name]
    return server.call(method, f"/agents/{agent}/{path}/", json=body or default, **options)


@pytest.mark.parametrize("state, call", [(state, call) for state, calls in TRUTH.items() for call in calls])
def test_the_truth_table(server, agent, state, call):
    server.control("nats", state=state)
    status, answer = TRUTH[state][call]
    reply = _act(server, agent, call)
    assert reply.status_code == status
    if answer is HTML:
        assert reply.headers["Content-Type"].startswith("text/html")
    else:
        body = reply.json()
        assert (body["status"] if call == "ping" else body) == answer


@pytest.mark.parametrize("state", ["ok", "agent_down", "silent", "down"])
def test_forgetting_always_succeeds(server, agent, state):
    server.control("nats", state=state)
    name = server.ask(f"agents/{agent}")["hostname"]
    for output in ("forget", "zzz"):
        assert (
            _act(server, agent, "wait", RUN | {"output": output})
            .json()
            .endswith(f"will now be run on {name}")
        )


def test_an_agent_that_is_not_online_is_not_connected(server, agent):
    server.control(f"agents/{agent}/offline", minutes=600, alert=False)
    assert _act(server, agent, "cmd").status_code == 500


def test_missing_keys_unknown_objects_and_permissions(server, agent):
    assert _act(server, agent, "cmd", {"shell": "cmd", "cmd": "x"}).status_code == 500
    assert _act(server, agent, "wait", {k: v for k, v in RUN.items() if k != "env_vars"}).status_code == 500
    assert _act(server, agent, "wait", RUN | {"script": 999}).json() == {
        "detail": "No Script matches the given query."
    }
    assert _act(server, "Q" * 40, "cmd").json() == {"detail": "No Agent matches the given query."}
    assert _act(server, agent, "cmd", key=keys.READONLY_KEY).status_code == 403


def test_reboot_later(server, agent):
    linux = server.agent(plat="linux")["agent_id"]
    name = server.ask(f"agents/{agent}")["hostname"]
    body = _act(server, agent, "later").json()
    assert (body["time"], body["agent"]) == ("January 15, 2099 at 03:00 AM", name)
    assert _act(server, agent, "later", {"datetime": "tomorrow"}).json() == "Invalid date"
    assert (
        _act(server, agent, "later", {"datetime": "2020-01-15T03:00"}).json()
        == "Date cannot be set in the past"
    )
    assert _act(server, linux, "later").json() == "Not currently implemented for linux"


def test_history_has_the_exit_code(server, agent):
    server.control("script-output", stdout="out", stderr="err", retcode=3)
    assert _act(server, agent, "wait").json() == "outerr"
    row = server.get(f"/agents/{agent}/history/").json()[-1]
    assert row["script_results"]["retcode"] == 3
    assert row["script_name"] == "Restart Print Service"
    assert "script_name" not in _history_of_command(server, agent)


def _history_of_command(server, agent):
    _act(server, agent, "cmd")
    return server.get(f"/agents/{agent}/history/").json()[-1]


def test_arguments_are_expanded_and_quoted_key_store_included(server):
    roofing = next(c for c in server.ask("clients") if "'" in c["name"])
    agent = next(a for a in server.agents(status="online") if a["client_id"] == roofing["id"])["agent_id"]
    body = RUN | {"script": 6, "args": ["-Client", "{{client.name}}"], "env_vars": ["T={{global.psa_token}}"]}
    _act(server, agent, "wait", body)
    sent = server.ask("commands")[-1]
    assert sent["args"][1] == "'O''Neill & Daughters Roofing'"
    assert sent["env_vars"] == [f"T='{keys.GLOBAL_STORE['psa_token']}'"]


def test_scripts_are_filtered(shared):
    names = lambda query: len(shared.get(f"/scripts/{query}").json())  # noqa: E731
    assert (names(""), names("?showHiddenScripts=true"), names("?showCommunityScripts=false")) == (6, 7, 4)


@pytest.mark.parametrize(
    "mode, status, kind",
    [
        ("unauthorized", 401, "application/json"),
        ("forbidden", 403, "application/json"),
        ("not_found_html", 404, "text/html"),
        ("throttled", 429, "application/json"),
        ("server_error", 500, "text/html"),
        ("dashboard_html", 200, "text/html"),
        ("wrong_shape", 200, "application/json"),
        ("redirect", 302, ""),
        ("slow", 200, "application/json"),
    ],
)
def test_misbehaviour_is_limited_to_its_prefix_and_count(server, mode, status, kind):
    server.control("misbehaviour", mode=mode, prefix="/clients/", count=1, seconds=0)
    assert server.get("/core/version/").json() == "0.0.203"
    reply = server.get("/clients/", allow_redirects=False)
    assert reply.status_code == status
    assert reply.headers.get("Content-Type", "").startswith(kind)
    assert server.get("/clients/").json()[0]["sites"]


def test_throttling_carries_retry_after(server):
    server.control("misbehaviour", mode="throttled", retry_after="17")
    assert server.get("/clients/").headers["Retry-After"] == "17"
    server.control("misbehaviour/clear")
    assert server.get("/clients/").status_code == 200


def test_a_cut_body_ends_early(server):
    server.control("misbehaviour", mode="cut_body", prefix="/agents/", count=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        server.get("/agents/")
    assert len(server.get("/agents/").json()) == 60


def test_an_unknown_mode_is_refused(server):
    reply = requests.post(f"{server.url}/_control/api/misbehaviour", json={"mode": "moody"}, timeout=10)
    assert reply.status_code == 400
    assert "mode is one of" in reply.json()["error"]


def test_counters_and_log(server):
    server.get("/clients/?x=1", keys.INTEGRATION_KEY)
    server.get("/nope/", None)
    assert server.ask("counters") == {"GET /clients/": 1, "GET /nope/": 1}
    first, second = server.ask("requests")
    assert (first["status"], first["user"], second["status"]) == (200, "labblocked", 404)
    server.control("counters/reset")
    assert server.ask("counters") == {}


def test_the_control_page_and_its_forms(server):
    page = requests.get(f"{server.url}/_control/?search=online", timeout=10).text
    assert "<script" not in page
    assert "/_control/static/control.css" in page
    assert requests.get(f"{server.url}/_control/static/control.css", timeout=10).status_code == 200
    agent = server.agent(status="online")["agent_id"]
    reply = requests.post(
        f"{server.url}/_control/api/alerts/trigger", data={"agent_id": agent, "type": "check"}, timeout=10
    )
    assert reply.status_code == 200
    assert "note=" in reply.url
    assert "alert_id" in reply.text


def test_reset_gives_the_first_fleet_back(server):
    before = [row["agent_id"] for row in server.agents()]
    server.control(f"agents/{before[0]}/delete")
    server.control("reset")
    assert [row["agent_id"] for row in server.agents()] == before
