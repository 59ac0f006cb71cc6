"""The permission table: what each role may do, found out without doing anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rmm_extension.domain.errors import AuthFailed
from rmm_extension.domain.types import PermissionLine
from rmm_extension.providers.tacticalrmm import TacticalRmm, permissions, roles
from simulators.tacticalrmm import keys
from simulators.tacticalrmm.roles import INTEGRATION, Role, User
from tests.providers.conftest import Simulator, connection_to
from tests.providers.wire import answer, serve

FEATURES = {
    "List clients": "can_list_clients",
    "List sites": "can_list_sites",
    "List devices": "can_list_agents",
    "Read alerts": "can_list_alerts",
    "Names of custom fields": "can_view_customfields",
    "Hardware facts (beta API)": "can_list_agents",
    "Resolve alerts": "can_manage_alerts",
    "Software": "can_list_software",
    "List scripts": "can_list_scripts",
    "Run scripts": "can_run_scripts",
    "Run commands": "can_send_cmd",
    "Reboot": "can_reboot_agents",
    "Output and exit codes": "can_list_agent_history",
    "Ping": "can_list_agents",
}


def table(
    tactical: TacticalRmm, simulator: Simulator, *switches: str, **settings: str
) -> dict[str, PermissionLine]:
    """The table of a key whose role has these switches."""
    user = User("probed", Role("probed", frozenset(switches)))
    key = simulator.lab.api_keys[keys.INTEGRATION_KEY]
    simulator.lab.api_keys[keys.INTEGRATION_KEY] = replace(key, user=user)
    found = list(tactical.permissions(simulator.connection(**settings)))
    assert all(line.message.endswith(".") and line.switches for line in found)
    return {line.feature: line for line in found}


def test_a_role_with_all_switches_may_do_everything(tactical: TacticalRmm, simulator: Simulator) -> None:
    found = table(tactical, simulator, *INTEGRATION)
    assert {name: line.state for name, line in found.items()} == dict.fromkeys(
        [*FEATURES, "Scope of the role"], "ok"
    )
    assert {name: line.switches[0] for name, line in found.items() if name in FEATURES} == FEATURES


@pytest.mark.parametrize("switch", sorted(INTEGRATION))
def test_one_switch_that_is_off_is_missing_where_it_is_needed(
    tactical: TacticalRmm, simulator: Simulator, switch: str
) -> None:
    found = table(tactical, simulator, *(INTEGRATION - {switch}))
    missing = {name for name, line in found.items() if line.state == "missing"}
    assert missing == {name for name, needed in FEATURES.items() if needed == switch}
    assert all(switch in found[name].message for name in missing)


def test_a_key_without_a_role_lacks_everything(tactical: TacticalRmm, simulator: Simulator) -> None:
    found = list(tactical.permissions(simulator.connection(keys.NOROLE_KEY)))
    assert {line.state for line in found if line.feature != "Scope of the role"} == {"missing"}


def test_a_superuser_may_do_everything(tactical: TacticalRmm, simulator: Simulator) -> None:
    found = list(tactical.permissions(simulator.connection(keys.ADMIN_KEY)))
    assert {line.state for line in found} == {"ok"}


def test_nothing_is_done_by_asking(tactical: TacticalRmm, simulator: Simulator) -> None:
    before = (dict(simulator.lab.alerts), list(simulator.lab.history))
    list(tactical.permissions(simulator.connection(keys.ADMIN_KEY)))
    assert (simulator.lab.alerts, simulator.lab.history) == before
    assert not simulator.lab.commands
    asked = {path.split("?")[0] for path in simulator.paths()}
    assert "GET /agents/" not in asked
    assert "GET /software/" not in asked
    changing = {path for path in asked if not path.startswith("GET ")} - {"PATCH /alerts/"}
    nothing = (permissions.NO_AGENT, "/alerts/2147483647/")
    assert len(changing) == 4
    assert all(any(name in path for name in nothing) for path in changing)
    reboots = {path.partition(" ")[0] for path in changing if path.endswith("/reboot/")}
    assert reboots == {"PATCH"}, "that plans one, and lacks the time; POST would reboot at once"


def test_no_real_agent_can_have_the_id_that_is_asked_about() -> None:
    assert len(permissions.NO_AGENT) >= 21
    assert not permissions.NO_AGENT.isalpha()


def test_a_scoped_role_is_warned_of_the_beta_api(tactical: TacticalRmm, simulator: Simulator) -> None:
    found = {line.feature: line for line in tactical.permissions(simulator.connection(keys.SCOPED_KEY))}
    scope = found["Scope of the role"]
    assert scope.state == "warning"
    assert "ignores the scope" in scope.message
    assert found["Run scripts"].state == "ok"


def test_without_the_beta_api_hardware_is_not_checked(
    tactical: TacticalRmm, start: Callable[..., Simulator]
) -> None:
    simulator = start(beta_enabled=False)
    found = table(tactical, simulator, *INTEGRATION)
    assert found["Hardware facts (beta API)"].state == "not_checked"
    assert "BETA_API_ENABLED" in found["Hardware facts (beta API)"].message
    assert found["Scope of the role"].state == "ok"


def test_with_the_standard_source_the_beta_api_is_not_asked(
    tactical: TacticalRmm, simulator: Simulator
) -> None:
    found = table(tactical, simulator, *INTEGRATION, source="standard")
    assert found["Hardware facts (beta API)"].state == "not_checked"
    assert not any("/beta/" in path for path in simulator.paths())


@pytest.mark.parametrize("mode", ["server_error", "throttled", "not_found_html", "dashboard_html"])
def test_an_answer_that_proves_nothing_is_not_checked(
    tactical: TacticalRmm, simulator: Simulator, mode: str
) -> None:
    simulator.fault(mode, prefix=f"/agents/{permissions.NO_AGENT}/runscript/")
    found = {line.feature: line for line in tactical.permissions(simulator.connection())}
    assert found["Run scripts"].state == "not_checked"
    assert found["Run commands"].state == "ok"


def test_a_server_that_knows_an_agent_of_that_name_proves_nothing(tactical: TacticalRmm) -> None:
    with serve(answer(200, b'"ok"')) as wire:
        found = {line.feature: line.state for line in tactical.permissions(connection_to(wire.url))}
    assert found["Run scripts"] == found["Resolve alerts"] == found["List devices"] == "not_checked"


def test_refused_credentials_end_the_check(tactical: TacticalRmm, simulator: Simulator) -> None:
    with pytest.raises(AuthFailed):
        list(tactical.permissions(simulator.connection(keys.EXPIRED_KEY)))


def test_the_roles_to_make_have_every_switch_that_is_asked_for() -> None:
    optional = {switch for _, switches in roles.OPTIONAL for switch in switches}
    assert {*roles.SMALLEST, *optional} == set(FEATURES.values())
    assert not optional & set(roles.SMALLEST)


def test_recorded_answers_tell_the_two_apart(recordings: Path) -> None:
    def status(name: str) -> int:
        return int(json.loads((recordings / f"{name}.json").read_text())["response"]["status"])

    assert status("act_nats_cmd_unknown_agent") == 404
    assert status("alert_put_missing_404") == 404
    assert {status(f"act_nats_{name}_forbidden") for name in ("cmd", "runscript")} == {403}
    assert status("alert_put_resolve_readonly_403") == 403
