"""Actions on a simulated server: every cell of the table of its answers, and what each really means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from rmm_extension.domain.actions import ActionState, ErrorCode, Order, Outcome, Target
from rmm_extension.domain.contracts.actions import check_output, load_input
from rmm_extension.domain.errors import (
    BadResponse,
    ConfigError,
    InvalidRequest,
    NotFound,
    PermissionMissing,
    RateLimited,
    Unavailable,
)
from rmm_extension.domain.platforms import suits
from rmm_extension.providers import http
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.no_answer import ConnectionRefused
from rmm_extension.providers.tacticalrmm import TacticalRmm, action_specs, actions, history
from simulators.tacticalrmm import keys
from simulators.tacticalrmm.lab import ScriptOutput
from simulators.tacticalrmm.models import Agent
from simulators.tacticalrmm.roles import INTEGRATION, Role, User
from tests.providers.conftest import LOOPBACK, Simulator, connection_to
from tests.providers.wire import answer, serve

SPECS = {spec.id: spec for spec in action_specs.MODULE.actions}
SCRIPT, COMMAND = "tacticalrmm.agents.run_script", "tacticalrmm.agents.run_command"
REBOOT, PING = "tacticalrmm.agents.reboot", "tacticalrmm.agents.ping"
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "command": (COMMAND, {"command": "whoami"}),
    "script": (SCRIPT, {"script_id": 3, "timeout": 5}),
    "forget": (SCRIPT, {"script_id": 3, "wait_for_output": False}),
    "reboot": (REBOOT, {}),
    "ping": (PING, {}),
}
DONE, HANDED_ON, FAILED = ActionState.SUCCEEDED, ActionState.REQUESTED, ActionState.FAILED
UNREACHABLE = (FAILED, ErrorCode.AGENT_UNREACHABLE)
TABLE: dict[str, dict[str, tuple[ActionState, ErrorCode | None]]] = {
    "ok": dict.fromkeys(("command", "script", "ping"), (DONE, None))
    | dict.fromkeys(("forget", "reboot"), (HANDED_ON, None)),
    "agent_down": dict.fromkeys(("command", "script", "reboot", "ping"), UNREACHABLE)
    | {"forget": (HANDED_ON, None)},
    "silent": {
        "command": UNREACHABLE,
        "script": (FAILED, ErrorCode.TIMEOUT),
        "forget": (HANDED_ON, None),
        "reboot": UNREACHABLE,
        "ping": (DONE, None),
    },
    "down": dict.fromkeys(("command", "script", "reboot"), UNREACHABLE)
    | {"forget": (HANDED_ON, None), "ping": (DONE, None)},
}


@dataclass
class Devices:
    """Our side, as an action sees it."""

    known: list[Target] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def find_devices(self, **wanted: Any) -> Sequence[Target]:
        self.asked.append(wanted)
        ids = wanted.get("external_ids")
        one, asset = wanted.get("external_id"), wanted.get("asset_id")
        return [
            target
            for target in self.known
            if (ids is None or target.external_id in ids)
            and (one is None or target.external_id == one)
            and (asset is None or target.asset_id == asset)
        ]


Do = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The history is looked at as often, without waiting."""
    monkeypatch.setattr(history, "PAUSES", (0.0, 0.0))


@pytest.fixture
def lab(start: Callable[..., Simulator]) -> Simulator:
    """A server whose waits take a thousandth of their time."""
    return start(time_scale=0.001)


def agent_of(lab: Simulator, plat: str = "windows") -> Agent:
    return next(one for one in lab.lab.agents() if one.plat == plat and lab.lab.status(one) == "online")


def without(lab: Simulator, switch: str) -> None:
    """Take a switch from the role of the integration's key."""
    user = User("limited", Role("limited", INTEGRATION - {switch}))
    key = lab.lab.api_keys[keys.INTEGRATION_KEY]
    lab.lab.api_keys[keys.INTEGRATION_KEY] = replace(key, user=user)


def target_of(agent: Agent, **changes: Any) -> Target:
    values = {"platform": agent.plat, "status": "online", "device_id": "d", "external_organization_id": "1"}
    return Target(**{"external_id": agent.agent_id, "name": agent.hostname, **values, **changes})


@pytest.fixture
def do(tactical: TacticalRmm, lab: Simulator) -> Do:
    """Does an action on a Windows agent that is online, its input checked and its output, too."""

    def run(action: str, key: str = keys.INTEGRATION_KEY, on: Target | None = None, **given: Any) -> Outcome:
        device = on or target_of(agent_of(lab))
        return perform(tactical, lab.connection(key), action, device, given)

    return run


def perform(
    tactical: TacticalRmm,
    connection: Any,
    action: str,
    device: Target,
    given: dict[str, Any],
    our: Any = None,
) -> Outcome:
    order = Order(action=action, input=load_input(SPECS[action], given), target=device)
    outcome = tactical.perform_action(connection, order, our or Devices())
    if outcome.output is not None:
        check_output(SPECS[action], outcome.output)
    return outcome


@pytest.mark.parametrize("nats, call", [(nats, call) for nats, calls in TABLE.items() for call in calls])
def test_every_answer_of_the_server_is_read_for_what_it_means(
    do: Do, lab: Simulator, nats: str, call: str
) -> None:
    lab.lab.nats = nats
    action, given = CALLS[call]
    outcome = do(action, **given)
    assert (outcome.state, outcome.error_code) == TABLE[nats][call]
    assert outcome.message.endswith(".")
    if call == "ping" and outcome.output:
        assert outcome.output["online"] is (nats == "ok")
    if nats != "ok" and call in ("command", "script"):
        assert outcome.output is None


def test_a_script_tells_its_output_and_its_exit_code(do: Do, lab: Simulator) -> None:
    lab.lab.script_output = ScriptOutput("free: 12 %\n", "", 0)
    outcome = do(SCRIPT, script_id=3)
    assert outcome.state is DONE
    assert outcome.output is not None
    assert (outcome.output["output"], outcome.output["exit_code"]) == ("free: 12 %\n", 0)
    assert outcome.output["seconds"] == 0.42
    assert outcome.message == f"“Disk Usage Report” ran on {agent_of(lab).hostname} and ended with code 0."


@pytest.mark.parametrize("code", [3, -1073741510])
def test_a_script_that_ends_with_an_error_has_failed_and_keeps_its_output(
    do: Do, lab: Simulator, code: int
) -> None:
    """Windows has negative codes, too: this one is a program that was interrupted."""
    lab.lab.script_output = ScriptOutput("half\n", "no rights", code)
    outcome = do(SCRIPT, script_id=3)
    assert (outcome.state, outcome.error_code) == (FAILED, ErrorCode.SCRIPT_FAILED)
    assert outcome.output is not None
    assert outcome.output["output"] == "half\nno rights"
    assert outcome.output["exit_code"] == code
    assert f"ended with code {code}." in outcome.message


@pytest.mark.parametrize("word", ["timeout", "natsdown"])
def test_a_script_may_print_what_the_server_says_when_it_fails(do: Do, lab: Simulator, word: str) -> None:
    lab.lab.script_output = ScriptOutput(f"{word}\n", "", 0)
    outcome = do(SCRIPT, script_id=3)
    assert outcome.state is DONE
    assert outcome.output is not None
    assert outcome.output["output"] == f"{word}\n"


def test_what_an_earlier_run_printed_proves_nothing_of_this_one(do: Do, lab: Simulator) -> None:
    lab.lab.script_output = ScriptOutput("timeout\n", "", 0)
    assert do(SCRIPT, script_id=3).state is DONE
    lab.lab.history[-1].time = lab.lab.history[-1].time.replace(year=2020)
    lab.lab.nats = "silent"
    assert do(SCRIPT, script_id=3, timeout=5).error_code is ErrorCode.TIMEOUT


def test_a_command_may_print_what_the_server_says_when_it_fails(do: Do, lab: Simulator) -> None:
    lab.lab.script_output = ScriptOutput("natsdown", "", 0)
    assert do(COMMAND, command="echo natsdown").state is DONE
    lab.lab.nats = "down"
    # Only what this run printed counts: an earlier one printed the same.
    lab.lab.history[-1].time = lab.lab.history[-1].time.replace(year=2020)
    assert do(COMMAND, command="echo natsdown").error_code is ErrorCode.AGENT_UNREACHABLE


def test_without_the_right_to_the_history_the_exit_code_is_not_known(do: Do, lab: Simulator) -> None:
    without(lab, "can_list_agent_history")
    outcome = do(SCRIPT, script_id=3)
    assert outcome.state is DONE
    assert outcome.output is not None
    assert outcome.output["exit_code"] is None
    assert outcome.output["output"]
    assert "exit code is not known: the role lacks the switch can_list_agent_history" in outcome.message


def test_two_runs_of_one_script_at_once_are_told_apart_by_their_output_or_not_at_all(lab: Simulator) -> None:
    results = [history.ScriptResults(stdout="a", retcode=0), history.ScriptResults(stdout="b", retcode=1)]
    runs = [
        history.HistoryRow(id=number, time=lab.lab.clock.now(), script_results=one)
        for number, one in enumerate(results)
    ]
    found = history.script_results(runs, "b\n")
    assert found is results[1]
    assert history.script_results(runs, "timeout") is None
    runs[0].script_results.stdout = "b"  # type: ignore[union-attr]
    assert history.script_results(runs, "b") is None


def test_a_script_for_another_platform_is_not_even_sent(do: Do, lab: Simulator) -> None:
    device = target_of(agent_of(lab, "linux"))
    outcome = do(SCRIPT, on=device, script_id=1)
    assert outcome.error_code is ErrorCode.VALIDATION_ERROR
    assert "is made for Windows, but" in outcome.message
    assert not lab.lab.commands
    assert do(SCRIPT, on=target_of(agent_of(lab, "linux"), platform=None), script_id=1).state is DONE


def test_a_script_that_is_gone_is_said_to_be(do: Do) -> None:
    assert do(SCRIPT, script_id=999).error_code is ErrorCode.NOT_FOUND


def test_without_arguments_those_of_the_script_are_taken(do: Do, lab: Simulator) -> None:
    lab.lab.scripts[2].args = ["-Days", "3"]
    do(SCRIPT, script_id=2)
    do(SCRIPT, script_id=2, args=["-Days", "9", ""])
    do(SCRIPT, script_id=2, args=[])
    assert [sent["args"] for sent in lab.lab.commands] == [["-Days", "3"], ["-Days", "9", ""], []]


def test_values_of_variables_are_not_in_the_output(do: Do, lab: Simulator) -> None:
    lab.lab.script_output = ScriptOutput("token is hunter2hunter2\n", "", 0)
    outcome = do(SCRIPT, script_id=3, env_vars=["TOKEN=hunter2hunter2"])
    assert outcome.output is not None
    assert outcome.output["output"] == "token is •••\n"


def test_the_key_of_the_connection_is_not_in_the_output(do: Do, lab: Simulator) -> None:
    lab.lab.script_output = ScriptOutput(f"key {keys.INTEGRATION_KEY}\nand\x00more", "", 0)
    output = do(COMMAND, command="set").output
    assert output is not None
    assert output["output"] == "key •••\nandmore"


def test_a_long_output_keeps_its_beginning_and_its_end(do: Do, lab: Simulator) -> None:
    lab.lab.script_output = ScriptOutput("first" + "x" * 300_000 + "last", "", 0)
    output = do(SCRIPT, script_id=3).output
    assert output is not None
    assert output["output_is_cut"]
    assert output["output"].startswith("first")
    assert output["output"].endswith("last")
    assert len(output["output"]) < 200_100
    assert "100,009 characters left out" in output["output"]


@pytest.mark.parametrize(
    "plat, given, shell",
    [
        ("windows", None, "powershell"),
        ("linux", None, "/bin/bash"),
        ("darwin", None, "/bin/bash"),
        ("windows", "cmd", "cmd"),
    ],
)
def test_the_shell_follows_the_platform(
    do: Do, lab: Simulator, plat: str, given: str | None, shell: str
) -> None:
    more = {"shell": given} if given else {}
    outcome = do(COMMAND, on=target_of(agent_of(lab, plat)), command="id", **more)
    assert outcome.state is DONE
    assert lab.lab.commands[-1]["shell"] == shell


@pytest.mark.parametrize(
    "plat, shell", [("linux", "powershell"), ("darwin", "cmd"), ("windows", "/bin/bash")]
)
def test_a_shell_that_the_platform_lacks_is_refused(do: Do, lab: Simulator, plat: str, shell: str) -> None:
    outcome = do(COMMAND, on=target_of(agent_of(lab, plat)), command="id", shell=shell)
    assert outcome.error_code is ErrorCode.VALIDATION_ERROR
    assert not lab.lab.commands


def test_an_unknown_platform_needs_a_shell(do: Do, lab: Simulator) -> None:
    outcome = do(COMMAND, on=target_of(agent_of(lab), platform=None), command="id")
    assert outcome.error_code is ErrorCode.VALIDATION_ERROR
    assert "Choose a shell" in outcome.message


@pytest.mark.parametrize("action, given, switch", [
    (SCRIPT, {"script_id": 3}, "can_run_scripts"),
    (COMMAND, {"command": "id"}, "can_send_cmd"),
    (REBOOT, {}, "can_reboot_agents"),
])  # fmt: skip
def test_a_missing_right_names_its_switch(
    do: Do, lab: Simulator, action: str, given: dict[str, Any], switch: str
) -> None:
    without(lab, switch)
    with pytest.raises(PermissionMissing, match=switch) as caught:
        do(action, **given)
    assert not caught.value.may_have_arrived


def test_an_agent_that_is_gone_is_said_to_be(do: Do, lab: Simulator) -> None:
    gone = target_of(agent_of(lab), external_id="Q" * 40)
    for action, given in (CALLS["command"], CALLS["script"], CALLS["reboot"], CALLS["ping"]):
        assert do(action, on=gone, **given).error_code is ErrorCode.NOT_FOUND


@pytest.mark.parametrize("action", [REBOOT, PING])
def test_a_host_that_is_no_api_says_nothing_of_the_agent(lab: Simulator, action: str) -> None:
    tactical = TacticalRmm(Runtime(allowed_networks=LOOPBACK))
    with (
        serve(answer(404, b"<html>", "text/html")) as wire,
        pytest.raises(NotFound, match="no Tactical RMM API at this address"),
    ):
        perform(tactical, connection_to(wire.url), action, target_of(agent_of(lab)), {})


def test_a_refusal_in_words_is_told_in_them(lab: Simulator) -> None:
    tactical = TacticalRmm(Runtime(allowed_networks=LOOPBACK))
    with (
        serve(answer(400, b'"Not today"')) as wire,
        pytest.raises(InvalidRequest, match="Tactical RMM refused: Not today") as caught,
    ):
        perform(tactical, connection_to(wire.url), REBOOT, target_of(agent_of(lab)), {})
    assert not caught.value.may_have_arrived


def test_a_time_out_of_ours_is_no_proof(tactical: TacticalRmm, lab: Simulator, monkeypatch: Any) -> None:
    monkeypatch.setattr(actions, "SERVER_WAITS", -0.9)
    lab.fault("slow", prefix="/agents/", seconds=0.6)
    with pytest.raises(Unavailable) as caught:
        perform(tactical, lab.connection(), COMMAND, target_of(agent_of(lab)), {"command": "x", "timeout": 1})
    assert caught.value.may_have_arrived


def test_we_wait_longer_than_the_server_does(tactical: TacticalRmm, lab: Simulator, monkeypatch: Any) -> None:
    patience: list[float | None] = []
    post = http.HttpClient.write

    def noted(self: Any, *args: Any, **more: Any) -> Any:
        patience.append(more.get("patience"))
        return post(self, *args, **more)

    monkeypatch.setattr(http.HttpClient, "write", noted)
    perform(tactical, lab.connection(), SCRIPT, target_of(agent_of(lab)), {"script_id": 3, "timeout": 3600})
    assert patience == [3630.0]


def test_what_is_asked_before_leaves_nothing_behind(tactical: TacticalRmm, lab: Simulator) -> None:
    lab.fault("server_error", prefix="/scripts/")
    with pytest.raises(Unavailable) as caught:
        perform(tactical, lab.connection(), SCRIPT, target_of(agent_of(lab)), {"script_id": 3})
    assert not caught.value.may_have_arrived


def test_a_throttled_request_was_not_done(do: Do, lab: Simulator) -> None:
    lab.fault("throttled", prefix="/agents/")
    with pytest.raises(RateLimited) as caught:
        do(REBOOT)
    assert not caught.value.may_have_arrived


def test_nothing_arrives_where_nobody_listens(tactical: TacticalRmm, lab: Simulator) -> None:
    with pytest.raises(ConnectionRefused) as caught:
        perform(tactical, connection_to("http://127.0.0.1:1"), REBOOT, target_of(agent_of(lab)), {})
    assert not caught.value.may_have_arrived


@pytest.mark.parametrize("status, body", [(502, b"<html>"), (504, b"<html>")])
def test_a_proxy_that_gave_up_waiting_is_no_proof(lab: Simulator, status: int, body: bytes) -> None:
    tactical = TacticalRmm(Runtime(allowed_networks=LOOPBACK))
    with serve(answer(status, body, "text/html")) as wire, pytest.raises(Unavailable) as caught:
        perform(tactical, connection_to(wire.url), REBOOT, target_of(agent_of(lab)), {})
    assert caught.value.may_have_arrived
    assert len(wire.heads) == 1


@pytest.mark.parametrize(
    "body, kind",
    [
        (b"<html>", "text/html"),
        (b'{"a": 1}', "application/json"),
        (b'"maybe"', "application/json"),
        (b'"o', "application/json"),
    ],
)
def test_an_answer_that_makes_no_sense_is_no_proof(lab: Simulator, body: bytes, kind: str) -> None:
    tactical = TacticalRmm(Runtime(allowed_networks=LOOPBACK))
    with serve(answer(200, body, kind)) as wire, pytest.raises(BadResponse) as caught:
        perform(tactical, connection_to(wire.url), REBOOT, target_of(agent_of(lab)), {})
    assert caught.value.may_have_arrived


def test_a_dropped_connection_is_no_proof(lab: Simulator) -> None:
    tactical = TacticalRmm(Runtime(allowed_networks=LOOPBACK))
    with serve(b"") as wire, pytest.raises(Unavailable) as caught:
        perform(tactical, connection_to(wire.url), REBOOT, target_of(agent_of(lab)), {})
    assert caught.value.may_have_arrived
    assert len(wire.heads) == 1


def test_scripts_are_found_by_a_part_of_their_name(do: Do) -> None:
    output = do("tacticalrmm.scripts.list", query="DISK").output
    assert output is not None
    assert [(one["id"], one["name"]) for one in output["scripts"]] == [(3, "Disk Usage Report")]
    everything = do("tacticalrmm.scripts.list", limit=2).output
    assert everything is not None
    assert everything["count"] == 2


def test_the_library_is_listed_without_what_is_hidden(tactical: TacticalRmm, lab: Simulator) -> None:
    found = {one.name: one for one in tactical.scripts(lab.connection())}
    assert "Old onboarding" not in found
    assert found["Linux - list upgrades"].platforms == ("linux",)
    assert suits("darwin", found["Disk Usage Report"].platforms)


def test_agents_are_found_here(tactical: TacticalRmm, lab: Simulator) -> None:
    our = Devices([target_of(agent_of(lab), asset_id="a1", os_name="Windows 11")])
    find = "tacticalrmm.agents.find"
    output = perform(tactical, lab.connection(), find, our.known[0], {"query": "x"}, our).output
    assert output is not None
    (found,) = output["agents"]
    assert (found["asset_id"], found["source"], found["agent_online"]) == ("a1", "local", True)
    assert our.asked == [{"external_id": None, "asset_id": None, "text": "x", "limit": 50}]
    assert not lab.paths()


def test_agents_are_found_at_the_server(tactical: TacticalRmm, lab: Simulator) -> None:
    agent = agent_of(lab)
    our = Devices([target_of(agent, asset_id="a1")])
    find, connection = "tacticalrmm.agents.find", lab.connection()
    for given in (
        {"query": agent.hostname.lower()},
        {"agent_id": agent.agent_id},
        {"asset_id": "a1"},
    ):
        output = perform(tactical, connection, find, our.known[0], {**given, "live": True}, our).output
        assert output is not None
        assert [(one["agent_id"], one["asset_id"], one["source"]) for one in output["agents"]] == [
            (agent.agent_id, "a1", "tacticalrmm")
        ]
    nobody = perform(tactical, connection, find, our.known[0], {"asset_id": "b", "live": True}, our).output
    assert nobody == {"agents": [], "count": 0}


def test_one_agent_is_read_as_it_is_now(do: Do, lab: Simulator) -> None:
    output = do("tacticalrmm.agents.get").output
    assert output is not None
    assert output["agent"]["agent_online"] is True
    gone = target_of(agent_of(lab), external_id="Q" * 40)
    assert do("tacticalrmm.agents.get", on=gone).error_code is ErrorCode.NOT_FOUND


def test_an_order_on_a_device_needs_one() -> None:
    with pytest.raises(ValueError, match="needs a device"):
        _ = Order(action=REBOOT, input={}).device


def test_a_connection_without_a_key_is_a_matter_of_settings(tactical: TacticalRmm, lab: Simulator) -> None:
    with pytest.raises(ConfigError):
        perform(tactical, lab.connection(""), REBOOT, target_of(agent_of(lab)), {})
