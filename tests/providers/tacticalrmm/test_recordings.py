"""Recorded exchanges with a real Tactical RMM 1.5.1; skipped where the recordings are not at hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import responses

from rmm_extension.domain.errors import AuthFailed, PermissionMissing, RateLimited, WebhookRejected
from rmm_extension.domain.types import AlertKind, Severity, WebhookRequest
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.reply import Reply
from rmm_extension.providers.tacticalrmm import TacticalRmm
from rmm_extension.providers.tacticalrmm.mapping import device_from_agent, device_from_beta
from rmm_extension.providers.tacticalrmm.rows import agent_rows, beta_rows
from rmm_extension.providers.tacticalrmm.schemas import Agent, HardwareRow
from tests.providers.conftest import connection_to

BASE = "https://93.184.216.34"


def load(folder: Path, name: str) -> Any:
    return json.loads((folder / f"{name}.json").read_text())


def reply(folder: Path, name: str) -> Reply:
    found = load(folder, name)["response"]
    body = json.dumps(found["json"]).encode() if "json" in found else found["text"].encode()
    return Reply("tacticalrmm", "Tactical RMM", "/", found["status"], "id", found["headers"], body)


def replay(folder: Path, name: str, method: str, path: str) -> None:
    """Answer this path as it was recorded."""
    found = load(folder, name)["response"]
    headers = {key: value for key, value in found["headers"].items() if key != "Content-Length"}
    kind = headers.pop("Content-Type")
    body = json.dumps(found["json"]) if "json" in found else found["text"]
    responses.add(method, BASE + path, body=body, status=found["status"], content_type=kind, headers=headers)


@pytest.fixture
def plain() -> TacticalRmm:
    """The provider as it runs in production: no private networks."""
    return TacticalRmm(Runtime(base_urls={}))


def test_the_status_rule_agrees_with_the_server(recordings: Path) -> None:
    expected = load(recordings, "agents_status_expected_60")
    # The header has whole seconds, and the server looked a moment later: an agent may be on either side.
    now = parsedate_to_datetime(expected["server_date"]).replace(tzinfo=UTC)
    soon = now + timedelta(seconds=3)
    rows, errors, *_ = beta_rows(reply(recordings, "beta_agent_list_page1000_trimmed60"), HardwareRow)
    assert errors == []
    for row in rows:
        possible = {str(device_from_beta(row, "1", None, moment).status) for moment in (now, soon)}
        assert expected["status"][row.agent_id] in possible
    assert len(rows) == 60


def test_both_lists_agree_on_an_agent(recordings: Path) -> None:
    agents, errors = agent_rows(reply(recordings, "agents_list_table"), Agent)
    assert errors == []
    standard = {row.agent_id: device_from_agent(row, "1") for row in agents}
    heavy, *_ = beta_rows(reply(recordings, "beta_agent_list_page1000_trimmed60"), HardwareRow)
    compared = 0
    for row in heavy:
        if row.agent_id not in standard or row.wmi_detail is None:
            continue
        one, other = device_from_beta(row, "1", None, datetime.now(UTC)), standard[row.agent_id]
        for name in (
            "name",
            "kind",
            "serial",
            "os_type",
            "os_version",
            "agent_version",
            "boot_at",
            "wan_ip",
            "current_user",
        ):
            assert getattr(one, name) == getattr(other, name), name
        compared += 1
    assert compared > 30


def test_serials_of_a_real_fleet(recordings: Path) -> None:
    rows, *_ = beta_rows(reply(recordings, "beta_agent_list_page1000_trimmed60"), HardwareRow)
    serials = [device_from_beta(row, "1", None, datetime.now(UTC)).serial for row in rows]
    assert "20FQG5V" in serials
    assert not {"Default string", "System Serial Number", "Not Specified", "0", ""} & set(serials)


def test_hardware_of_a_real_fleet(recordings: Path) -> None:
    rows, *_ = beta_rows(reply(recordings, "beta_agent_list_page1000_trimmed60"), HardwareRow)
    hardware = [device_from_beta(row, "1", None, datetime.now(UTC)).hardware for row in rows]
    assert sum(bool(one and one.disks) for one in hardware) == 58
    assert all(disk.total_gb is not None for one in hardware if one for disk in one.disks)
    assert any(one.macs for one in hardware if one)


def test_no_phrase_for_not_known_comes_through(recordings: Path) -> None:
    agents, _ = agent_rows(reply(recordings, "agents_list_table"), Agent)
    devices = [msgspec.to_builtins(device_from_agent(row, "1")) for row in agents]
    # An empty current user is an answer: nobody is signed in.
    users = {device.pop("current_user") for device in devices}
    texts = {value for device in devices for value in device.values() if isinstance(value, str)}
    assert not {"None", "", "unknown make/model", "unknown cpu model", "error getting local ips"} & texts
    assert "None" not in users


WEBHOOKS = [
    *(f"webhook_min_{what}" for what in ("availability", "check_diskspace", "check_script", "task")),
    "webhook_min_quote_in_client_name_availability",
]


@pytest.mark.parametrize("name", WEBHOOKS)
@pytest.mark.parametrize("event", ["failure", "resolved"])
def test_our_template_as_the_server_renders_it(
    recordings: Path, plain: TacticalRmm, name: str, event: str
) -> None:
    sent = load(recordings, f"{name}_{event}")["request"]
    (found,) = plain.parse_webhook(_request(sent["body_raw"]))
    body = sent["body_json"]
    assert found.kind is (AlertKind.TRIGGERED if event == "failure" else AlertKind.RESET)
    assert (found.external_id, found.external_device_id) == (body["alert_id"], body["agent_id"])
    assert found.external_organization_id == body["client_id"]
    assert found.severity is Severity.CRITICAL
    assert found.occurred_at.year == 2026
    assert found.condition in (f"check:{body['check_id']}", f"task:{body['task_id']}", "availability")


def test_templates_that_are_not_ours_are_refused_not_guessed(recordings: Path, plain: TacticalRmm) -> None:
    names = sorted(path.stem for path in recordings.glob("webhook_full_*.json"))
    assert names
    reasons = {}
    for name in names:
        with pytest.raises(WebhookRejected) as caught:
            plain.parse_webhook(_request(load(recordings, name)["request"]["body_raw"]))
        reasons[name] = caught.value.reason
    assert reasons["webhook_full_quote_in_client_name_availability_failure"] == "not_json"
    assert reasons["webhook_full_check_script_failure"] == "not_json"
    assert reasons["webhook_full_unicode_availability_failure"] == "agent_id_missing"


def _request(body: str) -> WebhookRequest:
    return WebhookRequest(headers={}, body=body.encode(), received_at=datetime.now(UTC))


@responses.activate
def test_clients(recordings: Path, plain: TacticalRmm) -> None:
    replay(recordings, "clients_list", "GET", "/clients/")
    found = plain.organizations(connection_to(BASE))
    assert len(found) == 12
    assert {'Acme "West" Logistics', "Müller Präzision GmbH"} <= {one.name for one in found}
    assert all(one.metadata["sites"] for one in found)


@responses.activate
def test_alerts(recordings: Path, plain: TacticalRmm) -> None:
    replay(recordings, "alerts_patch_unresolved", "PATCH", "/alerts/")
    replay(recordings, "clients_list", "GET", "/clients/")
    found = plain.active_alerts(connection_to(BASE))
    assert len(found) == 25
    assert all(one.external_organization_id and one.external_device_id and one.message for one in found)
    assert {one.condition for one in found} == {"availability"}


@responses.activate
@pytest.mark.parametrize("name", ["alert_get_one", "alert_after_resolve", "alert_after_snooze"])
def test_one_alert(recordings: Path, plain: TacticalRmm, name: str) -> None:
    replay(recordings, name, "GET", "/alerts/4/")
    found = plain.alert(connection_to(BASE), "4")
    assert found is not None
    assert found.kind is (AlertKind.RESET if name == "alert_after_resolve" else AlertKind.TRIGGERED)


@responses.activate
@pytest.mark.parametrize(
    "name", ["agents_detail_windows", "agents_detail_linux", "agents_detail_never_checked_in"]
)
def test_one_agent(recordings: Path, plain: TacticalRmm, name: str) -> None:
    row = load(recordings, name)["response"]["json"]
    replay(recordings, name, "GET", f"/agents/{row['agent_id']}/")
    replay(recordings, "clients_list", "GET", "/clients/")
    replay(recordings, "customfields_list", "GET", "/core/customfields/")
    found = plain.device(connection_to(BASE), row["agent_id"])
    assert found is not None
    assert (found.name, str(found.status)) == (row["hostname"], row["status"])
    assert not any(key.startswith("field ") for key in found.custom_fields)
    assert found.overdue_after_minutes == row["overdue_time"]


@responses.activate
@pytest.mark.parametrize(
    "name, kind, words",
    [
        ("auth_apikey_invalid_401", AuthFailed, "does not know this API key"),
        ("auth_apikey_expired_401", AuthFailed, "has expired"),
        ("auth_apikey_inactive_401", AuthFailed, "inactive"),
        ("auth_none_401", AuthFailed, "did not reach"),
        ("auth_apikey_norole_403", PermissionMissing, "can_list_clients"),
        ("auth_checkcreds_throttled_429", RateLimited, "57 seconds"),
    ],
)
def test_errors_in_words(
    recordings: Path, plain: TacticalRmm, name: str, kind: type[Exception], words: str
) -> None:
    replay(recordings, name, "GET", "/clients/")
    with pytest.raises(kind, match=words):
        plain.organizations(connection_to(BASE))


@responses.activate
def test_an_agent_that_is_not_there(recordings: Path, plain: TacticalRmm) -> None:
    replay(recordings, "agents_detail_404", "GET", f"/agents/{'Z' * 40}/")
    replay(recordings, "agents_detail_short_id_404", "GET", "/agents/shortid/")
    assert plain.device(connection_to(BASE), "Z" * 40) is None
    assert plain.device(connection_to(BASE), "shortid") is None
