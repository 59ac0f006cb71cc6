"""Commands, scripts, reboots and pings, answering as the real server does, oddities included.

| call            | ok              | agent not connected | silent agent       | NATS down          |
|-----------------|-----------------|---------------------|--------------------|--------------------|
| cmd             | 200 output      | 500 HTML            | 400 unable         | 200 "natsdown"     |
| runscript wait  | 200 output      | 500 HTML            | 200 "timeout"      | 200 "natsdown"     |
| runscript other | 200 will be run | the same            | the same           | the same           |
| reboot/shutdown | 200 "ok"        | 500 HTML            | 400 unable         | 400 unable         |
| reboot later    | 200 object      | 500 HTML            | 400 "timeout"      | 400 "natsdown"     |
| ping            | 200 online      | 500 HTML            | 200 offline        | 200 offline        |
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from simulators.tacticalrmm.agents import allowed_agent
from simulators.tacticalrmm.endpoints import Action, Endpoint, body, current_user, lab
from simulators.tacticalrmm.models import Agent, HistoryRow, Script
from simulators.tacticalrmm.nats import CONNECT_SECONDS, state_for, wait
from simulators.tacticalrmm.placeholders import PLACEHOLDER, agent_scope, resolve
from simulators.tacticalrmm.replies import ApiError, Crash, missing, need

UNABLE = "Unable to contact the agent"
WAITS_FOR_OUTPUT = ("wait", "note")


def _reach(agent: Agent, patience: float, down_seconds: float = CONNECT_SECONDS) -> str:
    """Talk to the agent for as long as the real server would; a missing agent is its unhandled error."""
    state = state_for(lab(), agent)
    if state == "agent_down":
        raise Crash("nats: no responders")
    wait(lab(), {"silent": patience, "down": down_seconds}.get(state, 0))
    return state


def _target(agent_id: str) -> Agent:
    with lab().lock:
        return allowed_agent(agent_id)


def _record(agent: Agent, kind: str, command: str = "", script: Script | None = None) -> HistoryRow:
    """Write the history row, as the server does before it sends anything."""
    with lab().lock:
        row = HistoryRow(
            lab().take_id("history"), agent.pk, lab().clock.now(), kind, current_user().name, command
        )
        row.script_id = script.id if script else None
        lab().history.append(row)
    return row


def _note(agent: Agent, func: str, **details: Any) -> None:
    """Keep what was sent towards the agent, for the control API."""
    with lab().lock:
        entry = {"at": lab().clock.now().isoformat(), "agent_id": agent.agent_id, "func": func, **details}
        lab().commands.append(entry)


def command(agent_id: str) -> str:
    """Run a shell command and wait for its output."""
    agent, data = _target(agent_id), body()
    shell, text, timeout, _ = (need(data, key) for key in ("shell", "cmd", "timeout", "run_as_user"))
    row = _record(agent, "cmd_run", text)
    _note(agent, "rawcmd", shell=shell, cmd=text)
    state = _reach(agent, int(timeout) + 2)
    if state == "silent":
        raise ApiError(400, UNABLE)
    if state == "down":
        return "natsdown"
    output = lab().script_output
    row.results = (
        (output.stderr or output.stdout) if agent.plat == "windows" else output.stdout + output.stderr
    )
    return row.results


def run_script(agent_id: str) -> str:
    """Run a script of the library; the server does not look at supported_platforms."""
    agent, data = _target(agent_id), body()
    script = lab().scripts.get(int(need(data, "script")))
    if script is None:
        raise missing("Script")
    output, args, env, _, timeout = (
        need(data, key) for key in ("output", "args", "env_vars", "run_as_user", "timeout")
    )
    row = _record(agent, "script_run", script=script)
    sent = {"args": _expand(agent, script, args), "env_vars": _expand(agent, script, env)}
    _note(agent, "runscript", script=script.id, output=output, **sent)
    if output in WAITS_FOR_OUTPUT:
        return _script_answer(agent, row, int(timeout) + 3)
    state = state_for(lab(), agent)
    if state == "down":
        wait(lab(), CONNECT_SECONDS)
    if state == "ok":
        _fill_result(row)
    return f"{script.name} will now be run on {agent.hostname}"


def _script_answer(agent: Agent, row: HistoryRow, patience: int) -> str:
    """Output without an exit code; failures to reach the agent are texts with status 200."""
    state = _reach(agent, patience)
    if state != "ok":
        return {"silent": "timeout", "down": "natsdown"}[state]
    _fill_result(row)
    return lab().script_output.stdout + lab().script_output.stderr


def _fill_result(row: HistoryRow) -> None:
    output = lab().script_output
    row.script_results = {
        "id": row.id,
        "stdout": output.stdout,
        "stderr": output.stderr,
        "retcode": output.retcode,
        "execution_time": 0.42,
    }


def _expand(agent: Agent, script: Script, texts: list[str]) -> list[str]:
    """Placeholders become quoted values; a quote inside is doubled for PowerShell, key-store secrets too."""
    with lab().lock:
        scope = agent_scope(lab(), agent)

    def replace(match: re.Match[str]) -> str:
        value = resolve(scope, match[1], match[2])
        return "'" + (value.replace("'", "''") if script.shell == "powershell" else value) + "'"

    return [PLACEHOLDER.sub(replace, str(text)) for text in texts]


def _power(agent_id: str, func: str) -> str:
    agent = _target(agent_id)
    _note(agent, func)
    if _reach(agent, 10) != "ok":
        raise ApiError(400, UNABLE)
    if func == "rebootnow":
        agent.boot_time, agent.needs_reboot = lab().clock.timestamp(), False
    return "ok"


def reboot(agent_id: str) -> str:
    """Reboot now."""
    return _power(agent_id, "rebootnow")


def shutdown(agent_id: str) -> str:
    """Shut down now."""
    return _power(agent_id, "shutdown")


def reboot_later(agent_id: str) -> dict[str, str]:
    """Reboot at a time of the agent's own clock; Windows only."""
    agent, data = _target(agent_id), body()
    if agent.plat != "windows":
        raise ApiError(400, f"Not currently implemented for {agent.plat}")
    moment = _local_time(str(need(data, "datetime")))
    _note(agent, "schedtask", datetime=moment.isoformat())
    state = _reach(agent, 10)
    if state != "ok":
        raise ApiError(400, {"silent": "timeout", "down": "natsdown"}[state])
    task = f"TacticalRMM_SchedReboot_{agent.agent_id[:10]}"
    return {"time": moment.strftime("%B %d, %Y at %I:%M %p"), "agent": agent.hostname, "task_name": task}


def _local_time(text: str) -> datetime:
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M")  # noqa: DTZ007 - the agent's own, unnamed zone
    except ValueError as error:
        raise ApiError(400, "Invalid date") from error
    if moment < lab().clock.now().replace(tzinfo=None):
        raise ApiError(400, "Date cannot be set in the past")
    return moment


def ping(agent_id: str) -> dict[str, str]:
    """Ask the agent itself, not its last check-in."""
    agent = _target(agent_id)
    state = _reach(agent, 7.5, down_seconds=13)
    return {"name": agent.hostname, "status": "online" if state == "ok" else "offline"}


def history(agent_id: str) -> list[dict[str, Any]]:
    """Commands and scripts of the agent; the only place with an exit code."""
    agent = allowed_agent(agent_id)
    return [_history_row(row) for row in lab().history if row.agent_pk == agent.pk]


def _history_row(row: HistoryRow) -> dict[str, Any]:
    script = lab().scripts.get(row.script_id or 0)
    return {
        "id": row.id,
        **({"script_name": script.name} if script else {}),
        "time": row.time.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "type": row.type,
        "command": row.command,
        "username": row.username,
        "results": row.results,
        "script_results": row.script_results,
        "collector_all_output": False,
        "save_to_agent_note": False,
        "agent": row.agent_pk,
        "script": row.script_id,
        "custom_field": None,
    }


def _free(view: Any, permission: str) -> Action:
    """A view that may wait, so it takes the lock itself."""
    return Action(view, permission, locked=False)


BASE = "/agents/<agent_id:agent_id>"
ENDPOINTS = [
    Endpoint(f"{BASE}/cmd/", "OPTIONS, POST", {"POST": _free(command, "can_send_cmd")}),
    Endpoint(f"{BASE}/runscript/", "OPTIONS, POST", {"POST": _free(run_script, "can_run_scripts")}),
    Endpoint(
        f"{BASE}/reboot/",
        "POST, PATCH, OPTIONS",
        {"POST": _free(reboot, "can_reboot_agents"), "PATCH": _free(reboot_later, "can_reboot_agents")},
    ),
    Endpoint(f"{BASE}/shutdown/", "POST, OPTIONS", {"POST": _free(shutdown, "can_reboot_agents")}),
    Endpoint(f"{BASE}/ping/", "GET, OPTIONS", {"GET": _free(ping, "can_list_agents")}),
    Endpoint(f"{BASE}/history/", "GET, HEAD, OPTIONS", {"GET": Action(history, "can_list_agent_history")}),
]
