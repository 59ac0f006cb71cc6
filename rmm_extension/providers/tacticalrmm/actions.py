"""Doing things on agents, and what Tactical RMM's answers to that really mean.

Its server (1.5.1) hands requests to the agent over NATS and answers in odd ways when that fails:

==================  ==================  =====================  ========================  ==================
call                agent answers       agent not connected    agent is silent           NATS is down
==================  ==================  =====================  ========================  ==================
command             200 output          500 web page           400 "Unable to contact"   200 "natsdown"
script, waited for  200 output          500 web page           200 "timeout"             200 "natsdown"
script, handed on   200 "X will now …"  the same               the same                  the same
reboot              200 "ok"            500 web page           400 "Unable to contact"   400 the same
ping                200 online          500 web page           200 offline               200 offline
==================  ==================  =====================  ========================  ==================

So a 200 is no proof, and a script that prints the word "timeout" is told from one that timed out only by the
agent's history (:mod:`.history`). Nothing here is sent twice.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

from rmm_extension.domain.actions import (
    ErrorCode,
    Order,
    Outcome,
    Target,
    failed,
    kept_output,
    requested,
    succeeded,
)
from rmm_extension.domain.errors import NotFound, ProviderError, nothing_done
from rmm_extension.domain.platforms import platform_label, suits
from rmm_extension.providers.reply import Reply
from rmm_extension.providers.tacticalrmm import history
from rmm_extension.providers.tacticalrmm.client import Refused, TacticalClient, WrongHost
from rmm_extension.providers.tacticalrmm.schemas import Ping, ScriptDetail

SERVER_WAITS = 30.0
"""Seconds that the server may take beyond the time limit: 3 for the agent, 13 for NATS, and some more."""
NATS_DOWN, TIMED_OUT, UNABLE = "natsdown", "timeout", "unable to contact the agent"
_SHORTEST_HIDDEN = 6


def run_script(client: TacticalClient, order: Order) -> Outcome:
    """Run a script of the library. The server does not look at its platforms, so we do."""
    device, wish = order.device, order.input
    with nothing_done():
        script = client.script(wish["script_id"])
    if script is None:
        return failed(ErrorCode.NOT_FOUND, "This script is no longer in Tactical RMM's library.")
    if problem := _misfit(script, device):
        return failed(ErrorCode.VALIDATION_ERROR, problem)
    body = _script_body(script, wish)
    hidden = tuple(one.partition("=")[2] for one in body["env_vars"])
    started = time.monotonic()
    try:
        reply = _post(client, device, "runscript", body, wish["timeout"])
    except ProviderError as error:
        return _unreached(error, device, "The script may have begun.")
    answer = reply.decode(str)
    if not wish["wait_for_output"]:
        said = client.redact(answer)
        return requested(
            f"Tactical RMM says: “{said}”. Nobody will say whether it reached the device or how it ended.",
            _ran(device, vendor_response=said),
        )
    since = history.began(reply, time.monotonic() - started)
    report = history.script_report(client, device.external_id, script.id, since, answer)
    return _script_outcome(client, order, script, answer, report, hidden)


def run_command(client: TacticalClient, order: Order) -> Outcome:
    """Run a command line; the server tells its output only."""
    device, wish = order.device, order.input
    shell = wish.get("shell") or _usual_shell(device)
    if problem := _wrong_shell(shell, device):
        return failed(ErrorCode.VALIDATION_ERROR, problem)
    body = {"shell": shell, "cmd": wish["command"], "custom_shell": None}
    body |= {"timeout": wish["timeout"], "run_as_user": wish["run_as_user"]}
    started = time.monotonic()
    try:
        reply = _post(client, device, "cmd", body, wish["timeout"])
    except ProviderError as error:
        return _unreached(error, device, "The command may have begun.")
    answer = reply.decode(str)
    since = history.began(reply, time.monotonic() - started)
    if _is_word(answer, NATS_DOWN) and not history.printed(
        client, device.external_id, wish["command"], since, answer
    ):
        return failed(ErrorCode.AGENT_UNREACHABLE, _nats_is_down(device))
    output, is_cut = kept_output(client.hide(answer))
    return succeeded(
        f"The command ran on {device.name}. Its exit code is not known: Tactical RMM does not tell it.",
        _ran(device, output=output, output_is_cut=is_cut),
    )


def reboot(client: TacticalClient, order: Order) -> Outcome:
    """Restart the device at once."""
    device = order.device
    try:
        reply = _post(client, device, "reboot", None, 0)
    except ProviderError as error:
        return _unreached(error, device)
    said = reply.decode(str)
    if not _is_word(said, "ok"):
        raise reply.misshapen(f"The answer to a reboot is {said[:40]!r}")
    return requested(
        f"{device.name} accepted the reboot. Nobody will say when it is back.",
        {"reboot_requested": True, "agent_id": device.external_id},
    )


def ping(client: TacticalClient, order: Order) -> Outcome:
    """Whether the agent answers now."""
    device = order.device
    try:
        found = client.read(_path(device, "ping")).decode(Ping)
    except ProviderError as error:
        return _unreached(error, device)
    is_online = found.status == "online"
    words = f"{device.name} answers." if is_online else f"{device.name} does not answer."
    return succeeded(words, {"agent_id": device.external_id, "online": is_online})


def _post(
    client: TacticalClient, device: Target, call: str, body: dict[str, Any] | None, timeout: int
) -> Reply:
    return client.write("POST", _path(device, call), json=body, patience=timeout + SERVER_WAITS)


def _path(device: Target, call: str) -> str:
    return f"/agents/{quote(device.external_id, safe='')}/{call}/"


def _script_body(script: ScriptDetail, wish: dict[str, Any]) -> dict[str, Any]:
    """Every key the server reads; one that is missing is its unhandled error."""
    return {
        "script": script.id,
        "output": "wait" if wish["wait_for_output"] else "forget",
        "args": wish.get("args", script.args or []),
        "env_vars": wish.get("env_vars", script.env_vars or []),
        "run_as_user": wish["run_as_user"],
        "timeout": wish["timeout"],
        "emails": [],
        "emailMode": "default",
        "custom_field": None,
        "save_all_output": False,
    }


def _script_outcome(
    client: TacticalClient,
    order: Order,
    script: ScriptDetail,
    answer: str,
    report: history.Report,
    hidden: tuple[str, ...],
) -> Outcome:
    """What a script's answer and the agent's history say together."""
    device, results = order.device, report.results
    if results is None and _is_word(answer, NATS_DOWN):
        return failed(ErrorCode.AGENT_UNREACHABLE, _nats_is_down(device))
    if results is None and _is_word(answer, TIMED_OUT):
        seconds = order.input["timeout"]
        return failed(
            ErrorCode.TIMEOUT,
            f"{device.name} reported nothing within {seconds} seconds. “{script.name}” may still be running.",
        )
    text = _without(client.hide(history.output_of(results) if results else answer), hidden)
    output, is_cut = kept_output(text)
    code = results.retcode if results else None
    ran = _ran(device, output=output, output_is_cut=is_cut, exit_code=code, seconds=_seconds(results))
    what = f"“{script.name}” ran on {device.name}"
    if code is None:
        why = report.why_not or "the agent did not report it"
        return succeeded(f"{what}. Its exit code is not known: {why}.", ran)
    if code != 0:
        return failed(ErrorCode.SCRIPT_FAILED, f"{what} and ended with code {code}.", ran)
    return succeeded(f"{what} and ended with code 0.", ran)


def _ran(device: Target, **more: Any) -> dict[str, Any]:
    return {
        "run_requested": True,
        "agent_id": device.external_id,
        "output": None,
        "exit_code": None,
        "seconds": None,
        "output_is_cut": False,
        "vendor_response": None,
        **more,
    }


def _seconds(results: Any) -> float | None:
    try:
        return round(float(results.execution_time), 3)
    except (AttributeError, TypeError, ValueError):
        return None


def _without(text: str, hidden: tuple[str, ...]) -> str:
    for value in sorted(hidden, key=len, reverse=True):
        if len(value) >= _SHORTEST_HIDDEN:
            text = text.replace(value, "•••")
    return text


def _unreached(error: ProviderError, device: Target, unless: str = "") -> Outcome:
    """The outcome of an error that says that the agent could not be reached; any other goes on."""
    if error.status == 500:
        return failed(ErrorCode.AGENT_UNREACHABLE, f"{device.name} is not connected to Tactical RMM.")
    if isinstance(error, Refused) and _is_word(error.said, UNABLE):
        words = f"Tactical RMM could not reach {device.name}: it did not answer in time."
        return failed(ErrorCode.AGENT_UNREACHABLE, f"{words} {unless}".strip())
    if isinstance(error, NotFound) and not isinstance(error, WrongHost):
        return failed(ErrorCode.NOT_FOUND, f"Tactical RMM does not know {device.name} (any more).")
    raise error


def _nats_is_down(device: Target) -> str:
    return f"Tactical RMM's message service (NATS) is down: nothing reached {device.name}."


def _is_word(answer: str, word: str) -> bool:
    return answer.strip().rstrip(".").casefold() == word


def _misfit(script: ScriptDetail, device: Target) -> str | None:
    """Why the script is not for the device, in words."""
    made_for = script.supported_platforms or []
    if device.platform is None or suits(device.platform, made_for):
        return None
    names = " and ".join(map(platform_label, made_for))
    here = platform_label(device.platform)
    return f"“{script.name}” is made for {names}, but {device.name} runs {here}."


def _usual_shell(device: Target) -> str | None:
    if device.platform is None:
        return None
    return "powershell" if device.platform == "windows" else "/bin/bash"


def _wrong_shell(shell: str | None, device: Target) -> str | None:
    if shell is None:
        return f"Choose a shell: it is not known which system {device.name} runs."
    if device.platform is not None and (device.platform == "windows") != (shell != "/bin/bash"):
        here = platform_label(device.platform)
        return f"{device.name} runs {here}, which has no {shell}."
    return None
