"""The connection test and the table of permissions, for every way in which a sign-in can fall short."""

from __future__ import annotations

from typing import Any

import pytest
import responses
from requests import ConnectionError as NoConnection

from rmm_extension.domain.errors import AuthFailed
from rmm_extension.domain.types import Check, Connection, PermissionLine
from rmm_extension.providers.ninjaone import checks, features
from rmm_extension.providers.ninjaone.session import TOKEN

from .accounts import ALL, BASE, connection, granted, ninjaone, says, signed_in, token_calls

CODE = {"code": "SECRET-code", "redirect_uri": "https://psa/rmm/oauth/callback", "code_verifier": "SECRET-v"}
HTML = "<!doctype html><title>Somebody else</title>"
ORGANIZATIONS, DEVICES = "/v2/organizations", "/v2/devices"


@pytest.fixture(autouse=True)
def mocked() -> Any:
    with responses.mock:
        yield


def account(organizations: int = 3) -> None:
    """An account in which everything can be read."""
    says(ORGANIZATIONS, [{"id": number} for number in range(1, organizations + 1)])
    says(DEVICES, [{"id": 1}])


def found(given: Connection) -> dict[str, Check]:
    lines = list(ninjaone().check(given))
    for line in lines:
        assert line.message.endswith("."), line
        assert line.remedy is None or line.remedy.endswith("."), line
        assert "SECRET" not in repr(line)
    return {line.name: line for line in lines}


def states(given: Connection) -> dict[str, str]:
    return {name: line.state for name, line in found(given).items()}


GOOD = {
    "Address and sign-in": "ok",
    "Organizations": "ok",
    "Devices": "ok",
    "Scopes": "ok",
    "Renewal": "ok",
    "Webhook": "not_checked",
}


def test_a_new_sign_in_is_tested_line_by_line() -> None:
    says(TOKEN, granted())
    account()
    lines = found(connection(once=CODE))
    assert {name: line.state for name, line in lines.items()} == GOOD
    assert lines["Organizations"].message == "Organizations that can be read: 3."
    assert lines["Scopes"].message.endswith("Monitoring, Management, Control.")
    assert len(token_calls()) == 1


def test_a_stored_sign_in_is_tested_without_a_new_one() -> None:
    account()
    assert states(signed_in()) == GOOD
    assert token_calls() == []


def test_an_application_alone_has_nothing_to_renew_and_may_not_get_a_webhook() -> None:
    says(TOKEN, granted(refresh=False, scope="monitoring management control"))
    account()
    lines = found(connection("client_credentials"))
    assert "Renewal" not in lines
    assert lines["Scopes"].state == "ok"
    assert "by polling" in lines["Webhook"].message


def test_a_sign_in_that_cannot_be_renewed_is_not_kept() -> None:
    says(TOKEN, granted(refresh=False, scope="monitoring management control"))
    account()
    line = found(connection(once=CODE))["Renewal"]
    assert line.state == "failed"
    assert "within an hour" in line.message
    assert "Refresh token" in (line.remedy or "")


@pytest.mark.parametrize(
    "scope, state, words",
    [
        (
            "monitoring management offline_access",
            "warning",
            "Without Control, this does not work: remote access",
        ),
        ("monitoring control offline_access", "warning", "Without Management, this does not work: reset"),
        ("monitoring offline_access", "warning", "Without Management, this does not work:"),
        (None, "not_checked", "did not say"),
        ("", "not_checked", "did not say"),
    ],
)
def test_what_was_not_granted_is_told_by_its_features(scope: str | None, state: str, words: str) -> None:
    says(TOKEN, granted(scope=scope))
    account()
    line = found(connection(once=CODE))["Scopes"]
    assert line.state == state
    assert words in line.message


def test_what_was_not_asked_for_is_not_missed() -> None:
    says(TOKEN, granted(scope="monitoring management offline_access"))
    account()
    lines = found(connection(once=CODE, settings={"client_id": "the-client", "access": "change"}))
    assert lines["Scopes"].state == "ok"
    assert lines["Scopes"].message.endswith("Monitoring, Management.")


def test_an_account_without_organizations_is_worth_a_word() -> None:
    account(0)
    assert found(signed_in())["Organizations"].state == "warning"


def test_many_organizations_are_counted_by_one_page() -> None:
    account(1000)
    assert "1,000 or more" in found(signed_in())["Organizations"].message


def test_a_sign_in_that_may_not_read_is_valid_all_the_same() -> None:
    says(ORGANIZATIONS, {"error": "insufficient_scope"}, 403)
    says(DEVICES, {}, 403)
    lines = found(signed_in("management"))
    assert lines["Address and sign-in"].state == "ok"
    assert lines["Organizations"].state == lines["Devices"].state == "failed"
    assert "Monitoring" in (lines["Organizations"].remedy or "")


def test_devices_that_cannot_be_read_fail_the_test() -> None:
    says(ORGANIZATIONS, [{"id": 1}])
    says(DEVICES, {}, 403)
    assert states(signed_in())["Devices"] == "failed"


WRONG: list[tuple[int, Any, str, str | None]] = [
    (404, HTML, "no NinjaOne API", "instance_url"),
    (200, HTML, "web page instead of", "instance_url"),
    (400, {"error": "invalid_grant"}, "does not take the code", None),
    (401, {"error": "invalid_client"}, "or the redirect URI", "client_secret"),
    (400, {"error": "unauthorized_client"}, "grant type is not ticked", None),
    (400, {"error": "invalid_scope"}, "lacks a scope", None),
    (429, {}, "limits the number", None),
    (503, {}, "failed inside", None),
    (302, {}, "redirects", None),
]


@pytest.mark.parametrize("status, body, words, field", WRONG)
def test_what_stands_in_the_way_of_a_sign_in_is_said_at_its_field(
    status: int, body: Any, words: str, field: str | None
) -> None:
    says(TOKEN, body, status, Location="https://93.184.216.35/")
    lines = found(connection(once=CODE))
    first = lines["Address and sign-in"]
    assert first.state == "failed"
    assert words in first.message
    assert first.field == field
    assert {line.state for name, line in lines.items() if name != first.name} == {"not_checked"}


def test_an_address_that_does_not_answer_is_said() -> None:
    responses.add("POST", BASE + TOKEN, body=NoConnection("refused"))
    assert found(connection(once=CODE))["Address and sign-in"].state == "failed"


@pytest.mark.parametrize("more", [{"secrets": {}}, {"settings": {}}, {"instance_url": ""}])
def test_what_is_missing_is_said_without_asking(more: dict[str, Any]) -> None:
    assert states(connection(**more)) == {"Address and sign-in": "failed"}


class TestPermissions:
    def lines(self, scope: str) -> dict[str, PermissionLine]:
        return {line.feature: line for line in ninjaone().permissions(signed_in(scope))}

    def readable(self) -> None:
        for path in [path for feature in features.FEATURES for path in feature.reads]:
            says(path, [])

    def test_what_is_read_is_proven_and_what_changes_something_is_not(self) -> None:
        self.readable()
        lines = self.lines(ALL)
        assert {name for name, line in lines.items() if line.state == "ok"} == {
            feature.name for feature in features.FEATURES if feature.reads
        }
        assert {line.state for line in lines.values()} == {"ok", "not_checked"}
        assert all(line.message.endswith(".") for line in lines.values())
        assert lines["Webhook"].switches == ("Management", "System Administrator")
        assert {call.request.method for call in responses.calls} == {"GET"}, "nothing is done by asking"

    def test_what_was_not_granted_is_missing(self) -> None:
        self.readable()
        lines = self.lines("monitoring offline_access")
        assert lines["Remote access"].state == lines["Reboot"].state == "missing"
        assert "Tick and choose it" in lines["Remote access"].message

    def test_what_nobody_said_is_not_checked(self) -> None:
        self.readable()
        assert self.lines("")["Remote access"].state == "not_checked"

    def test_what_cannot_be_read_is_missing_and_what_fails_is_not_checked(self) -> None:
        says("/v2/organizations", [])
        says("/v2/devices", {}, 403)
        says("/v2/activities", {}, 500)
        says("/v2/queries/software", [])
        says("/v2/queries/os-patches", {}, 429)
        says("/v2/automation/scripts", [])
        lines = self.lines(ALL)
        assert lines["Organizations, devices and their hardware"].state == "missing"
        assert lines["Alerts and activities"].state == "not_checked"
        assert lines["Software and patches"].state == "not_checked"

    def test_refused_credentials_are_no_table(self) -> None:
        says("/v2/organizations", {}, 401)
        says(TOKEN, {"error": "invalid_grant"}, 400)
        with pytest.raises(AuthFailed):
            self.lines(ALL)


def test_every_scope_has_features() -> None:
    for scope in ("monitoring", "management", "control"):
        assert features.behind(scope)
    assert features.behind("control") == "remote access"
    assert checks.FIRST in GOOD
