"""Actions against recorded answers of a real Tactical RMM 1.5.1; skipped where they are not at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import responses

from rmm_extension.domain.actions import ActionState, ErrorCode, Target
from rmm_extension.domain.errors import PermissionMissing
from rmm_extension.domain.platforms import suits
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.tacticalrmm import TacticalRmm, history
from tests.providers.conftest import connection_to
from tests.providers.tacticalrmm.test_actions import COMMAND, PING, REBOOT, SCRIPT, Devices, perform
from tests.providers.tacticalrmm.test_recordings import BASE, load, replay

OK, FAILED, HANDED_ON = ActionState.SUCCEEDED, ActionState.FAILED, ActionState.REQUESTED
UNREACHABLE, TIMEOUT = ErrorCode.AGENT_UNREACHABLE, ErrorCode.TIMEOUT
WAITED: dict[str, Any] = {"script_id": 1, "timeout": 10}
HANDED: dict[str, Any] = {**WAITED, "wait_for_output": False}
WHOAMI: dict[str, Any] = {"command": "whoami", "shell": "cmd", "timeout": 5}

RECORDED = [
    ("act_nats_cmd", COMMAND, WHOAMI, OK, None),
    ("act_nats_cmd_agent_silent_timeout", COMMAND, WHOAMI, FAILED, UNREACHABLE),
    ("act_nats_cmd_unknown_agent", COMMAND, WHOAMI, FAILED, ErrorCode.NOT_FOUND),
    ("act_nonats_cmd", COMMAND, WHOAMI, FAILED, UNREACHABLE),
    ("act_nats_runscript_wait", SCRIPT, WAITED, OK, None),
    ("act_natsup_agentdown_runscript_wait_500", SCRIPT, WAITED, FAILED, UNREACHABLE),
    ("act_silent_runscript_wait", SCRIPT, WAITED, FAILED, TIMEOUT),
    ("act_nonats_runscript_wait", SCRIPT, WAITED, FAILED, UNREACHABLE),
    ("act_nats_runscript_forget", SCRIPT, HANDED, HANDED_ON, None),
    ("act_natsup_agentdown_runscript_forget", SCRIPT, HANDED, HANDED_ON, None),
    ("act_nonats_runscript_forget", SCRIPT, HANDED, HANDED_ON, None),
    ("act_nats_reboot_now", REBOOT, {}, HANDED_ON, None),
    ("act_natsup_agentdown_reboot_500", REBOOT, {}, FAILED, UNREACHABLE),
    ("act_silent_reboot", REBOOT, {}, FAILED, UNREACHABLE),
    ("act_nonats_reboot_now", REBOOT, {}, FAILED, UNREACHABLE),
    ("act_nats_ping", PING, {}, OK, None),
    ("act_natsup_agentdown_ping_500", PING, {}, FAILED, UNREACHABLE),
    ("act_silent_ping", PING, {}, OK, None),
    ("act_nonats_ping", PING, {}, OK, None),
]


@pytest.fixture(autouse=True)
def looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The history is looked at without waiting."""
    monkeypatch.setattr(history, "PAUSES", (0.0, 0.0))


def play(recordings: Path, name: str, action: str, given: dict[str, Any], read: str) -> Any:
    """The outcome of an action that is answered as recorded, with the history of ``read``."""
    asked = load(recordings, name)["request"]
    agent_id = asked["path"].split("/")[2]
    replay(recordings, "script_detail", "GET", "/scripts/1/")
    replay(recordings, read, "GET", f"/agents/{agent_id}/history/")
    replay(recordings, name, asked["method"], asked["path"])
    device = Target(
        device_id="d",
        external_id=agent_id,
        external_organization_id="1",
        name="PC",
        status="online",
        platform="windows",
    )
    return perform(TacticalRmm(Runtime(base_urls={})), connection_to(BASE), action, device, given, Devices())


@responses.activate
@pytest.mark.parametrize("name, action, given, state, code", RECORDED, ids=[row[0] for row in RECORDED])
def test_a_recorded_answer_is_read_for_what_it_means(
    recordings: Path,
    name: str,
    action: str,
    given: dict[str, Any],
    state: ActionState,
    code: ErrorCode | None,
) -> None:
    outcome = play(recordings, name, action, given, "act_nats_history")
    assert (outcome.state, outcome.error_code) == (state, code)


@responses.activate
def test_what_a_recorded_run_printed_is_kept_and_its_exit_code_not_known(recordings: Path) -> None:
    outcome = play(recordings, "act_nats_runscript_wait", SCRIPT, WAITED, "act_nats_history")
    assert outcome.output["output"] == "script stdout line\nand stderr"
    assert outcome.output["exit_code"] is None
    assert "Its exit code is not known" in outcome.message


@responses.activate
@pytest.mark.parametrize("name, action, given, switch", [
    ("act_nats_cmd_forbidden", COMMAND, WHOAMI, "can_send_cmd"),
    ("act_nats_runscript_forbidden", SCRIPT, WAITED, "can_run_scripts"),
])  # fmt: skip
def test_a_recorded_refusal_names_the_switch(
    recordings: Path, name: str, action: str, given: dict[str, Any], switch: str
) -> None:
    with pytest.raises(PermissionMissing, match=switch):
        play(recordings, name, action, given, "act_nats_history")


@responses.activate
@pytest.mark.parametrize("name", ["act_nats_runscript_missing_env_vars", "act_nats_cmd_missing_fields"])
def test_every_key_that_the_server_needs_is_sent(recordings: Path, name: str) -> None:
    """It answered 500 where one was left out."""
    assert load(recordings, name)["response"]["status"] == 500
    is_script = "runscript" in name
    answered = "act_nats_runscript_wait" if is_script else "act_nats_cmd"
    action, given = (SCRIPT, WAITED) if is_script else (COMMAND, WHOAMI)
    play(recordings, answered, action, given, "act_nats_history")
    sent = next(call.request for call in responses.calls if call.request.method == "POST")
    assert set(load(recordings, answered)["request"]["body"]) <= set(json.loads(sent.body or b"{}"))


@responses.activate
def test_the_recorded_library_is_read(recordings: Path) -> None:
    replay(recordings, "scripts_list", "GET", "/scripts/")
    found = {one.name: one for one in TacticalRmm(Runtime(base_urls={})).scripts(connection_to(BASE))}
    assert found["Clear Print Spooler"].platforms == ("windows",)
    assert suits("linux", found["Check temp dir"].platforms)
    assert found["Deno hello"].default_timeout == 90
