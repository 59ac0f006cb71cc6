"""Agents of Huntress as devices, and the walk over all of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.errors import BadResponse, Unavailable
from rmm_extension.domain.types import AgentStatus, Device, DeviceKind, DevicePage, Hardware
from rmm_extension.providers import http
from rmm_extension.providers.device_pages import Unreadable
from rmm_extension.providers.gathering import MOST_ERRORS
from rmm_extension.providers.huntress.agents import device_of
from tests.providers.huntress.accounts import BASE, NOON, agent, connection, huntress, lists, queries, says
from tests.providers.huntress.test_webhooks import _JSON

AT_NOON = {"Date": format_datetime(NOON, usegmt=True)}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BACKOFF", 0.0)


def device(**changes: Any) -> Device:
    return device_of(agent(**changes), NOON, full=True)


def test_all_that_an_agent_tells() -> None:
    assert device() == Device(
        external_id="12",
        external_organization_id="4",
        name="DESKTOP-ARL0EQ1",
        kind=DeviceKind.WORKSTATION,
        status=AgentStatus.ONLINE,
        last_seen_at=datetime(2026, 10, 9, 11, 40, tzinfo=UTC),
        serial="wtIe1bvDbh",
        platform="windows",
        os_type="Windows 11 Pro",
        os_version="22631",
        agent_version="0.14.2",
        lan_ip="10.0.0.12",
        wan_ip="198.51.100.42",
        antivirus="protected",
        antivirus_product="Microsoft Defender",
        custom_fields={
            "Domain": "ACME",
            "Architecture": "x86_64",
            "EDR version": "0.3.20",
            "Firewall": "Enabled",
            "Defender": "Healthy",
            "Defender details": "Up to date",
            "Defender policy": "Compliant",
            "Tags": "Production",
            "Isolation": "Not isolated",
        },
        hardware=Hardware(macs=("7c:a7:b0:16:2f:78",)),
    )


def test_addresses_come_with_a_full_listing_alone() -> None:
    assert device_of(agent(), NOON, full=False).hardware is None


@pytest.mark.parametrize(
    "minutes, status",
    [
        (0, AgentStatus.ONLINE),
        (60, AgentStatus.ONLINE),
        (61, AgentStatus.OFFLINE),
        (60 * 24 * 30, AgentStatus.OFFLINE),
        (-5, AgentStatus.ONLINE),
        (None, AgentStatus.UNKNOWN),
    ],
)
def test_the_last_call_says_whether_it_is_there(minutes: int | None, status: AgentStatus) -> None:
    seen = None if minutes is None else (NOON - timedelta(minutes=minutes)).isoformat()
    assert device(last_callback_at=seen).status is status


@pytest.mark.parametrize(
    "system, platform, kind",
    [
        ("Windows 11 Pro", "windows", DeviceKind.WORKSTATION),
        ("Windows Server 2022 Standard", "windows", DeviceKind.SERVER),
        ("macOS 15.1", "darwin", DeviceKind.WORKSTATION),
        ("Ubuntu 24.04 LTS", "linux", DeviceKind.UNKNOWN),
        ("SUSE Linux Enterprise Server 15", "linux", DeviceKind.SERVER),
        (None, "windows", DeviceKind.WORKSTATION),
        (None, None, DeviceKind.UNKNOWN),
    ],
)
def test_server_or_workstation_by_the_system(
    system: str | None, platform: str | None, kind: DeviceKind
) -> None:
    assert device(os=system, platform=platform).kind is kind


@pytest.mark.parametrize(
    "word, state, product",
    [
        ("Healthy", "protected", "Microsoft Defender"),
        ("Unhealthy", "at_risk", "Microsoft Defender"),
        ("Disabled", "at_risk", "Microsoft Defender"),
        ("Incompatible", None, None),
        ("Something new", None, None),
        (None, None, None),
    ],
)
def test_antivirus(word: str | None, state: str | None, product: str | None) -> None:
    found = device(defender_status=word)
    assert (found.antivirus, found.antivirus_product) == (state, product)


@pytest.mark.parametrize(
    "firewall, isolation",
    [
        ("Enabled", "Not isolated"),
        ("Disabled", "Not isolated"),
        ("Isolated", "Isolated"),
        ("Pending Isolation", "Pending Isolation"),
        ("Pending Release", "Pending Release"),
        (None, None),
    ],
)
def test_isolation_in_huntress_s_words(firewall: str | None, isolation: str | None) -> None:
    assert (device(firewall_status=firewall).custom_fields or {}).get("Isolation") == isolation


def test_what_stands_in_for_what_is_missing() -> None:
    bare = device_of({"id": 7, "organization_id": 4}, NOON, full=True)
    assert (bare.name, bare.status, bare.custom_fields) == ("Agent 7", AgentStatus.UNKNOWN, {})
    assert device(version=None).agent_version == "0.3.20"
    assert device(os_build_version=None).os_version == "10.0"
    assert device(serial_number="To be filled by O.E.M.").serial is None
    assert device(mac_addresses=None).hardware == Hardware()


@pytest.mark.parametrize("missing, why", [("id", "no id"), ("organization_id", "no organization")])
def test_without_these_it_is_no_device(missing: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        device(**{missing: None})


@given(
    st.dictionaries(
        st.sampled_from([name for name in agent() if name not in ("id", "organization_id")]), _JSON
    )
)
def test_no_odd_field_costs_the_device(odd: dict[str, Any]) -> None:
    assert device(**odd).external_id == "12"


def walked(*organizations: str, full: bool = False) -> list[DevicePage]:
    return list(huntress().devices(connection(), organizations, full=full))


def organizations(*numbers: int) -> None:
    lists("/v1/organizations", [{"id": number, "name": f"O{number}"} for number in numbers])


@responses.activate
def test_a_walk_is_one_list_and_ends_with_what_is_complete() -> None:
    organizations(4, 5, 6)
    lists("/v1/agents", [agent(id=1), agent(id=2, organization_id=5)], token="t", headers=AT_NOON)
    lists("/v1/agents", [agent(id=3, organization_id=6)], headers=AT_NOON)
    first, second, last = walked("4", "6")
    assert [one.external_id for one in (*first.devices, *second.devices)] == ["1", "3"]
    assert first.elsewhere == ("2",)
    assert sorted(last.completed_organizations) == ["4", "6"]
    assert not first.completed_organizations
    wanted = {"limit": "500", "sort_field": "id", "sort_direction": "asc"}
    assert queries()[1] == wanted
    assert first.devices[0].status is AgentStatus.ONLINE


@responses.activate
def test_an_organization_that_is_not_there_is_told_and_never_complete() -> None:
    organizations(4)
    lists("/v1/agents", [agent()])
    first, last = walked("4", "99")
    assert "99" in first.errors[0]
    assert last.completed_organizations == ("4",)


@responses.activate
@pytest.mark.parametrize(
    "odd, complete",
    [({"id": 7, "hostname": "PC-7"}, True), ({"organization_id": 4}, False), ("text", False), (None, False)],
)
def test_a_row_that_cannot_be_read_is_reported(odd: Any, complete: bool) -> None:
    organizations(4)
    lists("/v1/agents", [agent(), odd])
    first, last = walked("4")
    assert [one.external_id for one in first.devices] == ["12"]
    assert len(first.errors) == 1
    assert (last.completed_organizations == ("4",)) is complete
    assert first.elsewhere == (("7",) if complete else ())


@responses.activate
def test_a_row_that_is_no_utf8_is_reported() -> None:
    organizations(4)
    rows = json.dumps([agent(), agent(id=7, hostname="odd")]).encode().replace(b'"odd"', b'"\xff"')
    body = b'{"agents": %s, "pagination": {}}' % rows
    responses.get(f"{BASE}/v1/agents", body=body, content_type="application/json")
    first, last = walked("4")
    assert [one.external_id for one in first.devices] == ["12"]
    assert len(first.errors) == 1
    assert last.completed_organizations == ()


@responses.activate
def test_of_many_rows_that_cannot_be_read_the_number_is_told() -> None:
    organizations(4)
    lists("/v1/agents", [{"id": number} for number in range(1, MOST_ERRORS + 21)])
    first, _ = walked("4")
    assert len(first.errors) == MOST_ERRORS + 1
    assert first.errors[-1] == "20 more rows could not be read."
    assert len(first.elsewhere) == MOST_ERRORS + 20


@responses.activate
def test_a_list_that_breaks_off_completes_nothing() -> None:
    organizations(4)
    lists("/v1/agents", [agent()], token="t")
    says("/v1/agents", {}, 500)
    seen = list[DevicePage]()
    with pytest.raises(Unavailable):
        seen.extend(huntress().devices(connection(), ["4"], full=False))
    assert seen
    assert not any(page.completed_organizations for page in seen)


@responses.activate
def test_a_token_that_repeats_is_an_error() -> None:
    organizations(4)
    lists("/v1/agents", [agent()], token="same")
    lists("/v1/agents", [agent(id=13)], token="same")
    with pytest.raises(BadResponse, match="again and again"):
        walked("4")


@responses.activate
def test_one_agent() -> None:
    says("/v1/agents/12", {"agent": agent()}, headers=AT_NOON)
    assert huntress().device(connection(), "12") == device()


@responses.activate
def test_one_that_huntress_does_not_know() -> None:
    says("/v1/agents/12", {"error": "Not found"}, 404)
    assert huntress().device(connection(), "12") is None


@responses.activate
@pytest.mark.parametrize(
    "body, status", [({"agent": agent(id=13)}, 200), ({"agent": {"id": 12}}, 200), ("<html>", 404)]
)
def test_what_says_nothing_of_the_agent_is_no_absence(body: Any, status: int) -> None:
    says("/v1/agents/12", body, status)
    with pytest.raises(BadResponse, match=r"\.$"):
        huntress().device(connection(), "12")
