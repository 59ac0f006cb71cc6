"""The connection test and the permissions of Level."""

from __future__ import annotations

from typing import Any

import pytest
import responses

from rmm_extension.domain.errors import AuthFailed
from rmm_extension.domain.types import Check
from rmm_extension.providers.capabilities import capabilities
from tests.providers.levelio.accounts import connection, level, lists, says

GROUPS = "/v2/groups"
READ = ("/v2/devices", "/v2/alerts")
ALL = (GROUPS, *READ, "/v2/updates", "/v2/automations", "/v2/automations/webhooks")


def checked() -> dict[str, Check]:
    return {one.name: one for one in level().check(connection())}


def states(found: dict[str, Check]) -> dict[str, str]:
    return {name: one.state for name, one in found.items()}


@responses.activate
def test_a_good_key_passes_and_whether_it_writes_is_not_known() -> None:
    lists(GROUPS, [{"id": "g", "name": "Acme"}])
    for path in READ:
        lists(path)
    found = checked()
    assert states(found) == {
        "API key": "ok",
        "Groups": "ok",
        "Devices": "ok",
        "Alerts": "ok",
        "Changes": "not_checked",
    }
    assert all(call.request.method == "GET" for call in responses.calls)


@responses.activate
def test_a_refused_key_is_the_keys_fault_and_nothing_else_is_asked() -> None:
    says(GROUPS, {"error": "Access denied"}, 401)
    found = checked()
    assert states(found) == {
        "API key": "failed",
        "Groups": "not_checked",
        "Devices": "not_checked",
        "Alerts": "not_checked",
        "Changes": "not_checked",
    }
    assert found["API key"].field == "api_key"
    assert "Settings › API Keys" in (found["API key"].remedy or "")
    assert len(responses.calls) == 1


@responses.activate
def test_an_account_without_groups_is_warned_of() -> None:
    for path in (GROUPS, *READ):
        lists(path)
    assert states(checked())["Groups"] == "warning"


@responses.activate
@pytest.mark.parametrize(
    "body, status",
    [({"error": "no"}, 403), ("<html>", 200), ("<html>", 403), ({}, 200), ({}, 429), ({}, 500), ([], 200)],
)
def test_what_stands_in_the_way_is_said(body: Any, status: int) -> None:
    for path in (GROUPS, *READ):
        says(path, body, status)
    found = checked()
    assert "API key" not in found
    assert states(found)["Groups"] == "failed"
    assert len(responses.calls) == 3


@responses.activate
def test_permissions_are_proven_by_reading() -> None:
    for path in ALL:
        lists(path)
    found = {one.feature: one.state for one in level().permissions(connection())}
    assert found == {
        "Groups": "ok",
        "Devices and their hardware": "ok",
        "Alerts": "ok",
        "Updates as patches": "ok",
        "Automations": "ok",
        "Resolving alerts": "not_checked",
        "Starting automations": "not_checked",
    }
    assert all(call.request.method == "GET" for call in responses.calls)


@responses.activate
@pytest.mark.parametrize(
    "body, status, state",
    [
        ({}, 403, "missing"),
        ({}, 404, "not_checked"),
        ({}, 503, "not_checked"),
        ("<html>", 200, "not_checked"),
    ],
)
def test_what_cannot_be_read_is_said(body: Any, status: int, state: str) -> None:
    for path in ALL:
        says(path, body, status) if path == "/v2/updates" else lists(path)
    found = {one.feature: one for one in level().permissions(connection())}
    assert found["Updates as patches"].state == state
    assert found["Updates as patches"].message.endswith(".")
    assert found["Automations"].state == "ok"


@responses.activate
def test_a_refused_key_is_an_error_of_its_own() -> None:
    says(GROUPS, {"error": "Access denied"}, 401)
    with pytest.raises(AuthFailed):
        list(level().permissions(connection()))


def test_what_level_lacks_is_not_there() -> None:
    found = capabilities(level())
    lacking = {"software", "device_software", "remote_link", "remote_access", "device_page", "maintenance"}
    assert found.isdisjoint({*lacking, "activity", "webhook_registration", "session_end"})
    assert {"alerts", "webhook", "signed_webhook", "patches", "actions", "alert_reset"} <= found


def test_the_form_asks_for_the_key_alone() -> None:
    (mode,) = level().manifest.auth_modes
    assert [field.name for field in mode.fields] == ["api_key"]
    assert (level().manifest.editions, level().manifest.organization_noun) == (("enterprise",), "group")
