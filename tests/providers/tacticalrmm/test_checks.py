"""The connection test, in words for each thing that can be wrong."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from rmm_extension.domain.types import Check, Connection
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.tacticalrmm import TacticalRmm
from simulators.tacticalrmm import keys
from tests.providers.conftest import Simulator, connection_to
from tests.providers.wire import answer, serve

HTML = "text/html; charset=utf-8"


def run(tactical: TacticalRmm, connection: Connection) -> dict[str, Check]:
    found = list(tactical.check(connection))
    for check in found:
        assert check.state in ("ok", "warning", "failed", "not_checked")
        assert check.message.endswith("."), check
        assert check.remedy is None or check.remedy.endswith("."), check
        assert all(secret not in repr(check) for secret in connection.secrets.values() if secret)
    return {check.name: check for check in found}


def first(tactical: TacticalRmm, reply: bytes) -> Check:
    """The line on server and key for a server that always answers so."""
    with serve(reply) as wire:
        found = run(tactical, connection_to(wire.url))
    assert {check.state for name, check in found.items() if name != "Server and sign-in"} == {"not_checked"}
    return found["Server and sign-in"]


def test_all_is_well(simulator: Simulator, tactical: TacticalRmm) -> None:
    found = run(tactical, simulator.connection())
    assert {name: check.state for name, check in found.items()} == {
        "Server and sign-in": "ok",
        "Clients": "ok",
        "Agents": "ok",
        "Alerts": "ok",
        "Custom fields": "ok",
        "Beta API": "ok",
        "Features": "ok",
    }
    assert "40" in found["Agents"].message


@pytest.mark.parametrize(
    "status, kind, body, words",
    [
        (200, HTML, b"<!doctype html><title>Tactical RMM</title>", "dashboard"),
        (404, HTML, b"<!doctype html><h1>Not Found</h1>", "no Tactical RMM API at this address"),
        (400, HTML, b"<!doctype html><h1>Bad Request (400)</h1>", "ALLOWED_HOSTS"),
        (500, HTML, b"<!doctype html><h1>Server Error (500)</h1>", "failed inside"),
        (502, HTML, b"<html>Bad Gateway", "temporarily unavailable"),
        (401, "application/json", b'{"detail": "Invalid token."}', "does not know this API key"),
        (401, "application/json", b'{"detail": "The token has expired."}', "has expired"),
        (401, "application/json", b'{"detail": "User inactive or deleted."}', "inactive"),
        (401, "application/json", b'{"detail": "Authentication credentials were not provided."}', "proxy"),
        (401, HTML, b"<html>", "does not know this API key"),
        (403, "application/json", b'{"detail": "no"}', "no permission"),
        (200, "application/json", b'{"count": "many"}', "has an unexpected shape."),
        (200, "application/json", b'"0.0', "not whole JSON"),
    ],
)
def test_answers_in_words(tactical: TacticalRmm, status: int, kind: str, body: bytes, words: str) -> None:
    check = first(tactical, answer(status, body, kind))
    assert check.state == "failed"
    assert words in check.message


def test_throttled_tells_how_long(tactical: TacticalRmm) -> None:
    check = first(tactical, answer(429, b"{}", Retry_After="57"))
    assert "57 seconds" in check.message


def test_a_redirect_to_another_host(tactical: TacticalRmm) -> None:
    check = first(tactical, answer(302, b"", Location="https://rmm.example.com/login"))
    assert "rmm.example.com" in check.message


def test_nobody_listens(tactical: TacticalRmm) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    check = run(tactical, connection_to(f"http://127.0.0.1:{port}"))["Server and sign-in"]
    assert "refused or dropped" in check.message
    assert check.remedy


def test_a_name_that_does_not_exist(tactical: TacticalRmm) -> None:
    check = run(tactical, connection_to("https://no-such-host.invalid"))["Server and sign-in"]
    assert "was not found" in check.message


def test_no_tls_on_that_port(tactical: TacticalRmm) -> None:
    with serve(answer(400), unasked=True) as wire:
        check = run(tactical, connection_to(wire.url.replace("http:", "https:")))["Server and sign-in"]
    assert "TLS" in check.message
    assert check.state == "failed"


def test_a_private_address_is_refused_in_words() -> None:
    strict = TacticalRmm(Runtime(base_urls={}))
    check = run(strict, connection_to("https://127.0.0.1"))["Server and sign-in"]
    assert "not a public address" in check.message
    assert check.state == "failed"


@pytest.mark.parametrize(
    "key, words",
    [
        (keys.EXPIRED_KEY, "expired"),
        (keys.INACTIVE_KEY, "inactive"),
        ("X" * 32, "does not know this API key"),
        ("", "missing"),
    ],
)
def test_keys(simulator: Simulator, tactical: TacticalRmm, key: str, words: str) -> None:
    check = run(tactical, simulator.connection(key))["Server and sign-in"]
    assert check.state == "failed"
    assert words in check.message


@pytest.mark.parametrize("key", [keys.NOPERM_KEY, keys.NOROLE_KEY])
def test_missing_permissions_name_the_switch(simulator: Simulator, tactical: TacticalRmm, key: str) -> None:
    found = run(tactical, simulator.connection(key))
    assert found["Server and sign-in"].state == "ok"
    for name, switch, state in (
        ("Clients", "can_list_clients", "failed"),
        ("Agents", "can_list_agents", "failed"),
        ("Alerts", "can_list_alerts", "warning"),
        ("Custom fields", "can_view_customfields", "warning"),
    ):
        assert switch in found[name].message
        assert found[name].state == state


@pytest.mark.parametrize(
    "source, state, words",
    [
        ("auto", "warning", "left out until BETA_API_ENABLED=True"),
        ("beta", "failed", "BETA_API_ENABLED"),
        ("standard", "not_checked", "Not used"),
    ],
)
def test_beta_off(
    start: Callable[..., Simulator], tactical: TacticalRmm, source: str, state: str, words: str
) -> None:
    simulator = start(beta_enabled=False)
    check = run(tactical, simulator.connection(source=source))["Beta API"]
    assert check.state == state
    assert words in check.message
    assert any("/beta/" in path for path in simulator.paths()) == (source != "standard")


def test_beta_ignores_the_scope_of_a_role(simulator: Simulator, tactical: TacticalRmm) -> None:
    check = run(tactical, simulator.connection(keys.SCOPED_KEY))["Beta API"]
    assert check.state == "warning"
    assert "shows 4 clients where the role sees only 1" in check.message


def test_a_test_changes_nothing(simulator: Simulator, tactical: TacticalRmm) -> None:
    before = (dict(simulator.lab.alerts), list(simulator.lab.history))
    run(tactical, simulator.connection(keys.ADMIN_KEY))
    assert (simulator.lab.alerts, simulator.lab.history) == before
    assert not simulator.lab.commands


def test_features_that_the_role_lacks_are_named_with_their_switches(
    simulator: Simulator, tactical: TacticalRmm
) -> None:
    check = run(tactical, simulator.connection(keys.READONLY_KEY))["Features"]
    assert check.state == "warning"
    assert check.message == "The role does not allow: Resolve alerts, Run scripts, Run commands, Reboot."
    assert "can_manage_alerts, can_run_scripts, can_send_cmd, can_reboot_agents" in (check.remedy or "")


def test_features_that_cannot_be_asked_for_are_not_checked(
    simulator: Simulator, tactical: TacticalRmm
) -> None:
    simulator.fault("server_error", prefix="/software/")
    assert run(tactical, simulator.connection())["Features"].state == "not_checked"
