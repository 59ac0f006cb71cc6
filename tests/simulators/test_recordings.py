"""The simulator against recorded exchanges with a real server: status, content type and JSON shape.

The recordings are not part of the project: they are used where they are at hand.
"""

from __future__ import annotations

import functools
import json
import re
import threading
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pyotp
import pytest

from simulators.tacticalrmm import keys
from simulators.tacticalrmm.fleet import FleetOptions, build_fleet
from simulators.tacticalrmm.status import status_of
from tests.harness.recordings import recordings_of

FOLDER = recordings_of("tacticalrmm")
NAMES = sorted(path.stem for path in FOLDER.glob("*.json")) if FOLDER.is_dir() else []

pytestmark = pytest.mark.skipif(not NAMES, reason=f"no recordings of a real server in {FOLDER}")

NO_EXCHANGE = {
    "agents_status_expected_60": "a table of statuses without a request; checked by its own test below",
    "webhook_mode_selfsigned": "outcome of a TLS receiver that is not trusted; no request was recorded",
}
"""Recordings that are not exchanges, by name, with the reason."""

NO_ORPHAN = (r"^\$\[\]\.(hostname|agent_id|client|site)$", "trimmed to rows that all have an agent")
SHAPE_EXCEPTIONS: dict[str, tuple[str, str]] = {
    "beta_agent_detail_1": (r"\.wmi_detail", "WMI classes carry a few invented columns, not all"),
    "agents_detail_windows": (r"\.wmi_detail", "WMI classes carry a few invented columns, not all"),
    "agents_detail_linux": (r"custom_fields\[\]\.value", "the recorded agent has no checkbox field"),
    "alerts_patch_severity_error": NO_ORPHAN,
    "alerts_patch_time_30d": NO_ORPHAN,
    "alerts_patch_time_30d_str": NO_ORPHAN,
    "software_agent_windows": (r"\.software", "the recorded agent reports only name and version"),
}
"""Parts of an answer whose keys differ on purpose: recording -> (path, reason)."""

API_KEYS = {
    "LABADMINKEY": keys.ADMIN_KEY,
    "labadminkey": keys.ADMIN_KEY.lower(),
    "LABREADONLYKEY": keys.READONLY_KEY,
    "LABNOPERMKEY": keys.NOPERM_KEY,
    "LABNOROLEKEY": keys.NOROLE_KEY,
    "LABSCOPEDKEY": keys.SCOPED_KEY,
    "LABEXPIREDKEY": keys.EXPIRED_KEY,
    "LABINACTIVEKEY": keys.INACTIVE_KEY,
    "LABINTEGRATIONKEY": keys.INTEGRATION_KEY,
}
USERS = {
    "admin": keys.PASSWORD_USER,
    "totpuser": keys.TOTP_USER,
    "psareadonly": keys.BLOCKED_USER,
    "inactiveuser": keys.INACTIVE_USER,
}
WRONG_PASSWORDS = ("nope", "bad", "x")


@functools.cache
def load(name: str) -> dict[str, Any]:
    """One recording."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return found


def exchanges() -> list[str]:
    """Recordings of a request to the server and its answer."""
    return [name for name in NAMES if "response" in load(name) and name not in NO_EXCHANGE]


def deliveries() -> list[str]:
    """Recordings of webhooks the server sent because of an alert."""
    return [name for name in NAMES if "response" not in load(name) and name not in NO_EXCHANGE]


# --- what a recording needs ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world(shared):
    """A server with one agent of each kind, some history, and one alert to work on."""
    agents = shared.agents()
    windows = [a for a in agents if a["plat"] == "windows" and a["serial"] and not a["maintenance_mode"]]
    online = next(a for a in windows if a["status"] == "online")
    pick = {
        "windows": online,
        "offline": next(a for a in windows if a["status"] == "overdue"),
        "unreachable": next(a for a in windows if a["status"] == "online" and a is not online),
        "linux": next(a for a in agents if a["plat"] == "linux"),
        "darwin": next(a for a in agents if a["plat"] == "darwin"),
        "never": next(a for a in agents if shared.lab.fleet.agents[a["pk"]].never_seen),
    }
    shared.control(f"agents/{online['agent_id']}/set", custom={"PSA Asset Tag": "TAG-1"})
    _run_command(shared, online["agent_id"])
    for agent in (online, pick["unreachable"]):
        _run_script(shared, agent["agent_id"])
    return shared, pick


def _run_command(server, agent_id: str) -> None:
    body = {"shell": "cmd", "cmd": "dir", "timeout": 1, "run_as_user": False}
    server.call("POST", f"/agents/{agent_id}/cmd/", json=body)


def _run_script(server, agent_id: str) -> None:
    body = {"script": 1, "output": "forget", "args": [], "env_vars": [], "run_as_user": False, "timeout": 1}
    server.call("POST", f"/agents/{agent_id}/runscript/", json=body)


def _agent_for(name: str, path: str, pick: dict[str, Any]) -> str:
    """The simulator's agent that stands for the recorded one."""
    if re.search(r"/(Q|Z){40}/", path):
        return re.search(r"/((?:Q|Z){40})/", path)[1]  # type: ignore[index]
    kind = "windows"
    if "linux" in name:
        kind = "linux"
    elif "darwin" in name:
        kind = "darwin"
    elif "never_checked_in" in name:
        kind = "never"
    elif "offline_agent" in name:
        kind = "offline"
    elif "agentdown" in name:
        kind = "unreachable"
    found: str = pick[kind]["agent_id"]
    return found


def _path(name: str, path: str, pick: dict[str, Any], alert_id: int) -> str:
    agent_id = _agent_for(name, path, pick)
    path = re.sub(r"(?<=[/=])[A-Za-z]{40}(?=/|$)", agent_id, path)
    return re.sub(r"^/alerts/[1-9]/", f"/alerts/{alert_id}/", path)


def _nats_state(name: str) -> str:
    for prefix, state in (
        ("act_nonats", "down"),
        ("act_natsup_agentdown", "agent_down"),
        ("act_silent", "silent"),
    ):
        if name.startswith(prefix):
            return state
    return "silent" if "silent" in name else "ok"


def _headers(name: str, recorded: dict[str, str], tokens: dict[str, str]) -> dict[str, str]:
    headers = {key: value for key, value in recorded.items() if key in ("X-API-KEY", "Authorization")}
    if "X-API-KEY" in headers:
        known = [mine for prefix, mine in API_KEYS.items() if headers["X-API-KEY"].startswith(prefix)]
        headers["X-API-KEY"] = known[0] if known else headers["X-API-KEY"]
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if token:
        headers["Authorization"] = f"{scheme} {tokens.get(name, token)}"
    return headers


def _login(server, user: str) -> str:
    """A fresh token of a password login."""
    body = {"username": user, "password": keys.PASSWORD}
    reply = server.call("POST", "/v2/checkcreds/", None, json=body).json()
    if reply.get("totp"):
        body["twofactor"] = pyotp.TOTP(keys.TOTP_SECRET).at(server.lab.clock.now())
        reply = server.call("POST", "/v2/login/", None, json=body).json()
    token: str = reply["token"]
    return token


def _tokens(server, name: str) -> dict[str, str]:
    """The token a recording used, in the state it was in."""
    if name not in (
        "auth_token_use_knox",
        "auth_token_use_login_token",
        "auth_logout",
        "auth_token_after_logout",
        "auth_token_expired",
    ):
        return {}
    token = _login(server, keys.PASSWORD_USER)
    if name == "auth_token_after_logout":
        server.call("POST", "/logout/", None, headers={"Authorization": f"Token {token}"})
    if name == "auth_token_expired":
        server.control("time", shift_seconds=181)
    return {name: token}


def _body(server, name: str, body: Any, pick: dict[str, Any], alert_id: int, receiver_url: str) -> Any:
    if not isinstance(body, dict):
        return body
    body = dict(body)
    if "username" in body:
        body["username"] = USERS.get(body["username"], body["username"])
    if "password" in body and body["password"] not in WRONG_PASSWORDS:
        body["password"] = keys.PASSWORD
    if "twofactor" in body and body["twofactor"] != "000000":
        body["twofactor"] = _code(server, name, body["twofactor"])
    if isinstance(body.get("script"), int) and body["script"] != 9999:
        body["script"] = 1
    if "run_instance_id" in body:
        body |= {"run_instance_id": pick["windows"]["agent_id"], "pattern": f"{receiver_url}/hook"}
    if isinstance(body.get("agent"), int):
        body["agent"] = pick["windows"]["pk"]
    if "alerts" in body:
        body["alerts"] = [alert_id]
    return body


def _code(server, name: str, recorded: Any) -> Any:
    """A TOTP code as good or bad as the recorded one."""
    age = {"auth_login_code_4m50s_old": 270, "auth_login_wrong_totp": 3600}.get(name, 0)
    moment = server.lab.clock.timestamp() - age
    code = pyotp.TOTP(keys.TOTP_SECRET).at(int(moment))
    if isinstance(recorded, int):
        while code.startswith("0"):
            moment -= 30
            code = pyotp.TOTP(keys.TOTP_SECRET).at(int(moment))
        return int(code)
    return code


ROWS_COMPARED = 20

# --- comparing ----------------------------------------------------------------------------------------


def kinds(value: Any) -> str:
    """The JSON type, numbers of both sorts counting as one."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    return type(value).__name__


def differences(real: Any, mine: Any, path: str = "$") -> list[str]:
    """Where the shapes differ. Null and an empty recorded object match anything."""
    if real is None or mine is None or real == {}:
        return []
    if kinds(real) != kinds(mine):
        return [f"{path}: {kinds(real)} recorded, {kinds(mine)} simulated"]
    if isinstance(real, dict):
        found = [f"{path}.{key}: missing" for key in sorted(set(real) - set(mine))]
        found += [f"{path}.{key}: not in the recording" for key in sorted(set(mine) - set(real))]
        for key in set(real) & set(mine):
            found += differences(real[key], mine[key], f"{path}.{key}")
        return found
    if isinstance(real, list) and real and mine:
        return _list_differences(real, mine, path)
    return []


def _list_differences(real: list[Any], mine: list[Any], path: str) -> list[str]:
    """Rows come in several shapes (by platform, with or without an agent): each must be a recorded one."""
    for row in mine[:ROWS_COMPARED]:
        nearest: list[str] = []
        for sample in real:
            found = differences(sample, row, f"{path}[]")
            if not found:
                break
            nearest = found if not nearest or len(found) < len(nearest) else nearest
        else:
            return nearest
    return []


def _excepted(name: str, found: list[str]) -> list[str]:
    pattern = SHAPE_EXCEPTIONS.get(name, ("$^", ""))[0]
    return [line for line in found if not re.search(pattern, line.partition(":")[0])]


def _main_type(value: str) -> str:
    return value.partition(";")[0]


@pytest.mark.parametrize("name", exchanges())
def test_the_answer_has_the_recorded_form(name, world, receiver):
    server, pick = world
    recorded = load(name)["request"]
    alert_id = server.control("alerts/trigger", agent_id=pick["windows"]["agent_id"])["alert_id"]
    server.control("nats", state=_nats_state(name))
    server.control("beta", on=not name.startswith("beta_off"))
    server.lab.throttle_hits.clear()
    headers = _headers(name, recorded["headers"], _tokens(server, name))
    body = _body(server, name, recorded.get("body"), pick, alert_id, receiver.url)
    if name == "auth_checkcreds_throttled_429":
        for _ in range(10):
            server.call("POST", recorded["path"], None, json=body)
    path = _path(name, recorded["path"], pick, alert_id)
    reply = server.call(recorded["method"], path, None, headers=headers, json=body, allow_redirects=False)
    _compare(name, load(name)["response"], reply)


def _compare(name: str, real: dict[str, Any], reply: Any) -> None:
    assert reply.status_code == real["status"], reply.text[:300]
    if "Content-Type" in real["headers"]:
        assert _main_type(reply.headers["Content-Type"]) == _main_type(real["headers"]["Content-Type"])
    for header in ("Allow", "WWW-Authenticate"):
        if header in real["headers"]:
            assert reply.headers[header] == real["headers"][header]
    assert ("Retry-After" in reply.headers) == ("Retry-After" in real["headers"])
    if "json" in real:
        assert _excepted(name, differences(real["json"], reply.json())) == []
        _compare_error(real, reply)
    elif real.get("text"):
        assert reply.text == real["text"]


def _compare_error(real: dict[str, Any], reply: Any) -> None:
    """Error bodies are the same to the letter, numbers aside."""
    if real["status"] >= 400:
        digits = functools.partial(re.sub, r"\d+", "N")
        assert digits(json.dumps(reply.json())) == digits(json.dumps(real["json"]))


# --- webhooks -----------------------------------------------------------------------------------------


def _recorded_actions() -> dict[str, str]:
    """Body templates of the recorded URL actions, by name."""
    return {row["name"]: row["rest_body"] for row in load("webhook_urlaction_list")["response"]["json"]}


def _sent(server, receiver, name: str) -> dict[str, Any]:
    """Let an alert of the recorded kind fail and recover; returns the row and what arrived."""
    style = "full" if "_full_" in name else "min"
    bodies = _recorded_actions()
    server.lab.global_store["psa_token"] = "value"
    server.control(
        "webhook",
        url=f"{receiver.url}/hook",
        headers='{"Content-Type": "application/json", "X-Trmm-Secret": "{{global.psa_token}}"}',
        failure_body=bodies[f"{style} fail"],
        resolved_body=bodies[f"{style} resolved"],
    )
    result = {}
    if "task" in name or "check_script" in name:
        result = {"description": 'Backup "nightly"' if "task" in name else "Script Check"}
        result["stdout"] = 'Volume "Data"' if "failure" in name or "task" in name else "ok"
    kind = next((k for k in ("check", "task") if k in name), "availability")
    sent = server.control("alerts/trigger", agent_id=_webhook_agent(server, name), type=kind, **result)
    if name.endswith("resolved"):
        receiver.got.clear()
        passing = {} if "task" in name else {"stdout": "ok", "retcode": 0}
        server.control(f"alerts/{sent['alert_id']}/resolve", **passing)
    row: dict[str, Any] = server.get(f"/alerts/{sent['alert_id']}/").json()
    return row


def _webhook_agent(server, name: str) -> str:
    """An agent at a client or site with the sort of name the recording is about."""
    tests = {
        "quote": lambda row: '"' in row["client"],
        "unicode": lambda row: not row["client"].isascii(),
        "backslash": lambda row: "\\" in row["site"] and '"' not in row["client"],
    }
    fits = next((test for word, test in tests.items() if word in name), lambda row: '"' not in row["client"])
    rows = [row for row in server.agents(maintenance_mode=False, open_alerts=[]) if fits(row)]
    found: str = rows[0]["agent_id"]
    return found


PLAIN = [name for name in deliveries() if "_mode_" not in name]


@pytest.mark.parametrize("name", PLAIN)
def test_webhooks_have_the_recorded_form(name, server, receiver):
    row = _sent(server, receiver, name)
    real, mine = load(name)["request"], receiver.got[0]
    assert mine["method"] == real["method"]
    assert _header_names(mine["headers"]) == _header_names(real["headers"])
    assert mine["raw"].startswith('"{') == real["body_is_double_encoded_string"]
    if not real["body_is_double_encoded_string"]:
        assert differences(real["body_json"], json.loads(mine["raw"])) == []
        assert list(json.loads(mine["raw"])) == list(real["body_json"])
    for key, text in load(name)["alert_row_after"].items():
        assert (str(row[key]) == "None") == (text == "None"), key


def _header_names(headers: list[Any]) -> list[str]:
    """Names in lower case, in any order; the client's own User-Agent is compared with its value."""
    return sorted(key.lower() + (f"={value}" if key == "User-Agent" else "") for key, value in headers)


MODES = {
    "badheaders": {"headers": "not json"},
    "emptybodyheaders": {"headers": ""},
    "err500": {},
    "get": {"method": "get", "url": "/hook?alert={{alert.id}}&host={{agent.hostname}}&c={{client.name}}"},
    "redirect": {"url": "/redirect"},
    "refused": {"host": "http://127.0.0.1:9"},
    "https_selfsigned_like": {"scheme": "https"},
    "slow": {},
}


@pytest.mark.parametrize("name", [name for name in deliveries() if "_mode_" in name])
def test_failing_webhooks_leave_the_recorded_traces(name, server, receiver):
    real = load(name)
    options = dict(MODES[real["mode"]])
    base = options.pop("host", receiver.url).replace("http:", options.pop("scheme", "http") + ":")
    receiver.status = 500 if real["mode"] == "err500" else 200
    answered = threading.Event()
    if real["mode"] == "slow":
        server.control("time", webhook_timeout=0.2)
        receiver.on_request = lambda: answered.wait(10)
    url = base + options.pop("url", "/hook")
    server.control("webhook", url=url, secret="s", secret_header="X-Trmm-Secret", **options)
    agent = _webhook_agent(server, name)
    sent = server.control("alerts/trigger", agent_id=agent)
    answered.set()
    row = server.get(f"/alerts/{sent['alert_id']}/").json()
    assert str(row["action_retcode"]) == real["alert_row_after"]["action_retcode"]
    assert row["action_run"]
    assert row["resolved_action_run"] is None
    assert _error_kind(row["action_stdout"]) == _error_kind(real["alert_row_after"]["action_stdout"])
    assert [_form(r) for r in receiver.got] == [_form(r) for r in real["requests"]]


def _form(request: dict[str, Any]) -> tuple[str, list[str]]:
    return request["method"], _header_names(request["headers"])


def _error_kind(text: str) -> str:
    """The part of an error's text that does not name a host, a port or a library line."""
    known = ("Connection refused", "timed out", "WRONG_VERSION_NUMBER", "no attribute 'items'")
    return next((part for part in known if part in text), "answered")


# --- statuses -----------------------------------------------------------------------------------------


def test_the_status_rule_gives_the_recorded_statuses():
    """The table was read within seconds of the rows, so one common moment has to explain all of it."""
    expected = load("agents_status_expected_60")
    rows = load("beta_agent_list_page1000_trimmed60")["response"]["json"]["results"]
    read = parsedate_to_datetime(expected["server_date"])
    moments = [read + timedelta(seconds=seconds) for seconds in range(6)]
    assert any(_statuses(rows, moment) == expected["status"] for moment in moments)


def _statuses(rows: list[dict[str, Any]], now: datetime) -> dict[str, str]:
    agent = build_fleet(FleetOptions(agents=1), now).agents[1]
    found = {}
    for row in rows:
        agent.never_seen = row["last_seen"] is None
        agent.silent_since = datetime.fromisoformat(row["last_seen"]) if row["last_seen"] else None
        agent.offline_time, agent.overdue_time = row["offline_time"], row["overdue_time"]
        found[row["agent_id"]] = status_of(agent, now)
    return found
