"""The connection test and the table of permissions."""

from __future__ import annotations

from typing import Any

import pytest
import responses

from rmm_extension.domain.errors import AuthFailed
from rmm_extension.domain.types import Check, PermissionLine
from rmm_extension.providers import http
from rmm_extension.providers.huntress.checks import FIRST, KEY_LINE
from tests.providers.huntress.accounts import asked, connection, huntress, lists, says

ACCOUNT = {"id": 5, "name": "Acme MSP", "subdomain": "acme-msp", "status": "enabled"}
USER = {"id": 9, "email": "soc@acme.example", "name": "Kim"}
LISTS = ("/v1/organizations", "/v1/agents", "/v1/incident_reports", "/v1/escalations")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BACKOFF", 0.0)


def answers(user: Any = USER, account: Any = ACCOUNT, refused: tuple[str, ...] = ()) -> None:
    says("/v1/account", {"account": account})
    says("/v1/actor", {"account": ACCOUNT, "user": user})
    for path in LISTS:
        if path in refused:
            says(path, {"error": "no"}, 403)
        else:
            lists(path, [])


def checked() -> dict[str, Check]:
    return {one.name: one for one in huntress().check(connection(settings={}))}


def permitted() -> dict[str, PermissionLine]:
    return {one.feature: one for one in huntress().permissions(connection())}


@responses.activate
def test_all_is_well_and_the_account_is_learned() -> None:
    answers()
    found = checked()
    assert {one.state for one in found.values()} == {"ok"}
    assert found[FIRST].learned == {
        "account_name": "Acme MSP",
        "account_subdomain": "acme-msp",
        "account_id": "5",
    }
    assert "Acme MSP" in found[FIRST].message
    assert asked() == ["GET /v1/account", "GET /v1/actor", *(f"GET {path}" for path in LISTS)]


@responses.activate
@pytest.mark.parametrize("user", [None, {}, {"id": None}, "Kim"])
def test_a_key_that_only_reads_is_a_warning_that_says_how_to_make_another(user: Any) -> None:
    answers(user=user)
    found = checked()[KEY_LINE]
    assert found.state == "warning"
    assert "incidents cannot be resolved from here" in found.message
    assert "user-based API key" in (found.remedy or "")


@responses.activate
def test_whose_key_it_is_may_stay_unknown() -> None:
    answers()
    responses.replace("GET", "https://93.184.216.34/v1/actor", status=500)
    assert checked()[KEY_LINE].state == "not_checked"


@responses.activate
@pytest.mark.parametrize(
    "status, words, field", [(401, "does not accept", "api_secret"), (500, "unavailable", None)]
)
def test_nothing_is_checked_behind_an_account_that_cannot_be_read(
    status: int, words: str, field: str | None
) -> None:
    says("/v1/account", {}, status)
    found = checked()
    assert found[FIRST].state == "failed"
    assert words in found[FIRST].message
    assert found[FIRST].field == field
    assert {one.state for name, one in found.items() if name != FIRST} == {"not_checked"}
    assert asked() == ["GET /v1/account"]


@responses.activate
def test_a_disabled_account_is_a_warning() -> None:
    answers(account={**ACCOUNT, "status": "disabled"})
    assert checked()[FIRST].state == "warning"


@responses.activate
@pytest.mark.parametrize(
    "path, name, state",
    [
        ("/v1/organizations", "Organizations", "failed"),
        ("/v1/agents", "Agents", "failed"),
        ("/v1/incident_reports", "Incident reports", "failed"),
        ("/v1/escalations", "Escalations", "warning"),
    ],
)
def test_what_may_not_be_read(path: str, name: str, state: str) -> None:
    answers(refused=(path,))
    found = checked()
    assert (found[name].state, found[name].remedy is not None) == (state, True)
    assert [one.state for one in found.values()].count("ok") == 5


@responses.activate
def test_the_table_of_a_user_s_key() -> None:
    answers(refused=("/v1/escalations",))
    states = {name: line.state for name, line in permitted().items()}
    assert states == {
        "Organizations": "ok",
        "Agents": "ok",
        "Incident reports": "ok",
        "Escalations": "missing",
        "Resolving incidents and escalations": "not_checked",
        "Isolating and releasing hosts": "not_checked",
    }
    assert not [one for one in asked() if not one.startswith("GET")]


@responses.activate
def test_the_table_of_a_key_that_only_reads() -> None:
    answers(user=None)
    found = permitted()
    assert {found[name].state for name in found if found[name].switches == ("User-based API key",)} == {
        "missing"
    }


@responses.activate
def test_a_refused_key_ends_the_table() -> None:
    says("/v1/actor", {}, 401)
    with pytest.raises(AuthFailed):
        permitted()


@responses.activate
def test_what_does_not_answer_is_not_checked() -> None:
    says("/v1/actor", {}, 500)
    for path in LISTS:
        says(path, {}, 500)
    assert {line.state for line in permitted().values()} == {"not_checked"}
