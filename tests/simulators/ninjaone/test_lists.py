"""Lists and single devices of the simulated NinjaOne: paging, filters, drift, scopes, errors."""

from __future__ import annotations

import collections

import pytest
import requests

from simulators.ninjaone.enums import APPROVALS, GUESTS, NODE_CLASSES
from simulators.ninjaone.names import JUNK_SERIALS


def _pages(ninja, path, size, **query):
    """All pages of a list, each beginning after the last id of the one before."""
    after, pages = None, []
    while True:
        wanted = {"pageSize": size, **query, **({"after": after} if after else {})}
        pages.append(ninja.get(path, params=wanted).json())
        if len(pages[-1]) < size:
            return pages
        after = pages[-1][-1]["id"]


@pytest.mark.parametrize("prefix", ["/v2", "/api/v2"])
@pytest.mark.parametrize("name", ["devices", "devices-detailed", "organizations", "locations"])
def test_lists_go_on_after_the_last_id(shared, prefix, name):
    whole = shared.get(f"{prefix}/{name}").json()
    pages = _pages(shared, f"{prefix}/{name}", 5)
    assert [row["id"] for page in pages for row in page] == [row["id"] for row in whole]
    assert [len(page) for page in pages[:-1]] == [5] * (len(pages) - 1)


def test_no_answer_has_a_link_header(shared):
    reply = shared.get("/v2/devices", params={"pageSize": 5})
    assert "Link" not in reply.headers
    assert isinstance(reply.json(), list)


def test_a_page_is_never_larger_than_the_server_gives(start_ninja):
    ninja = start_ninja(max_page_size=20)
    assert len(ninja.get("/v2/devices", params={"pageSize": 1000}).json()) == 20


def test_all_classes_and_approvals_are_there(shared):
    rows = shared.get("/v2/devices-detailed").json()
    assert {row["nodeClass"] for row in rows} == set(NODE_CLASSES)
    assert len(NODE_CLASSES) == 33
    assert {row["approvalStatus"] for row in rows} == set(APPROVALS)


def test_guests_name_their_host_in_their_organization(shared):
    rows = {row["id"]: row for row in shared.get("/v2/devices-detailed").json()}
    guests = [row for row in rows.values() if row["nodeClass"] in GUESTS]
    assert guests
    for guest in guests:
        host = rows[guest["parentDeviceId"]]
        assert host["nodeClass"] == GUESTS[guest["nodeClass"]]
        assert host["organizationId"] == guest["organizationId"]


def test_rows_differ_in_what_they_hold(shared):
    rows = shared.get("/v2/devices-detailed").json()
    assert any("references" not in row for row in rows)
    assert any("references" in row for row in rows)
    assert any(row.get("ipAddresses", ()) is None for row in rows)
    assert any("dnsName" not in row for row in rows)
    assert any("ü" in row.get("displayName", "") for row in rows if row.get("displayName"))
    assert not any("serialNumber" in str(row) for row in rows)
    assert all(isinstance(row["created"], float) for row in rows)


def test_warranty_comes_when_asked_for(shared):
    plain, asked = (
        [row.get("references", {}).get("warranty") for row in shared.get(path).json()]
        for path in ("/v2/devices-detailed", "/v2/devices-detailed?expand=warranty")
    )
    assert not any(plain)
    assert any(asked)


def test_some_serial_numbers_are_junk(shared):
    rows = shared.get("/v2/queries/computer-systems").json()["results"]
    serials = collections.Counter(row["serialNumber"] for row in rows)
    assert serials[None]
    assert set(serials) & set(JUNK_SERIALS)


@pytest.mark.parametrize(
    "df, key, value",
    [
        ("org = 3", "organizationId", 3),
        ("org=3", "organizationId", 3),
        ("location = 4", "locationId", 4),
        ("class = NMS_SWITCH", "nodeClass", "NMS_SWITCH"),
        ("org = 3 AND offline", "offline", True),
    ],
)
def test_a_device_filter_narrows(shared, df, key, value):
    everything = shared.get("/v2/devices").json()
    rows = shared.get("/v2/devices", params={"df": df}).json()
    assert 0 < len(rows) < len(everything)
    assert {row[key] for row in rows} == {value}


@pytest.mark.parametrize("df", ["deviceId = 3", "name = x", "org", "org = "])
@pytest.mark.parametrize("path", ["/v2/devices", "/v2/queries/software", "/v2/alerts"])
def test_a_device_filter_the_server_does_not_know_is_a_500(shared, df, path):
    assert shared.get(path, params={"df": df}).status_code == 500


def test_devices_of_an_organization_by_their_own_address(shared):
    rows = shared.get("/v2/organization/3/devices").json()
    assert rows == shared.get("/v2/devices", params={"df": "org = 3"}).json()
    assert shared.get("/v2/organization/999/devices").status_code == 404


def test_a_single_device_tells_more_than_is_described(shared):
    host = shared.lab.device(node_class="VMWARE_VM_HOST")
    row = shared.get(f"/v2/device/{host.id}").json()
    assert (row["serviceTag"], row["deviceType"]) == (host.hardware.serial, "VMHost")
    machine = shared.lab.device(node_class="WINDOWS_WORKSTATION")
    row = shared.get(f"/v2/device/{machine.id}").json()
    assert row["system"]["serialNumber"] == machine.hardware.serial
    assert shared.get("/v2/device/99999").status_code == 404


def test_search(shared):
    machine = shared.lab.device(id=40)
    found = shared.get("/v2/devices/search", params={"q": machine.system_name[-6:], "limit": 3}).json()
    assert machine.id in [row["id"] for row in found["devices"]]


def test_the_fleet_drifts_between_two_pages(ninja):
    first = ninja.get("/v2/devices", params={"pageSize": 20}).json()
    last = max(ninja.lab.fleet.devices)
    ninja.control("devices/30/delete", after_requests=1, prefix="/v2/devices")
    ninja.control("devices/40/move", organization_id=3, after_requests=1, prefix="/v2/devices")
    ninja.control("devices", organization_id=2, after_requests=1, prefix="/v2/devices")
    machine = ninja.lab.device(node_class="WINDOWS_SERVER")
    ninja.control(f"devices/{machine.id}/serial", serial="NEW1", after_requests=2, prefix="/v2/devices")
    second = ninja.get("/v2/devices", params={"pageSize": 20, "after": first[-1]["id"]}).json()
    assert 30 in [row["id"] for row in second]
    rest = ninja.get("/v2/devices", params={"after": second[-1]["id"]}).json()
    assert rest[-1]["id"] == last + 1
    assert ninja.get("/v2/device/30").status_code == 404
    assert ninja.get("/v2/device/40").json()["organizationId"] == 3
    assert machine.hardware.serial == "NEW1"
    codes = [one.row["statusCode"] for one in ninja.lab.journal.newest_first()][:4]
    assert codes == ["NODE_UPDATED", "NODE_CREATED", "NODE_UPDATED", "NODE_DELETED"]


@pytest.mark.parametrize(
    "method, path, scope",
    [
        ("GET", "/v2/devices", "monitoring"),
        ("GET", "/v2/queries/software", "monitoring"),
        ("POST", "/v2/device/1/script/run", "management"),
        ("POST", "/v2/device/1/reboot/NORMAL", "management"),
        ("PUT", "/v2/device/1/maintenance", "management"),
        ("POST", "/v2/alert/x/reset", "management"),
        ("PUT", "/v2/webhook", "management"),
        ("GET", "/v2/device/1/dashboard-url", "control"),
    ],
)
def test_each_address_needs_its_scope(ninja, method, path, scope):
    others = tuple({"monitoring", "management", "control", "offline_access"} - {scope})
    refused = ninja.call(method, path, ninja.token(ninja.admin, others))
    assert refused.status_code == 403
    assert scope in refused.text
    assert ninja.call(method, path, ninja.token(ninja.admin, (scope,))).status_code != 403


@pytest.mark.parametrize(
    "style, keys",
    [
        ("resultCode", {"resultCode", "errorMessage", "incidentId"}),
        ("error", {"error"}),
        ("message", {"message"}),
        ("empty", None),
    ],
)
def test_errors_come_in_three_shapes_or_without_a_body(start_ninja, style, keys):
    reply = start_ninja(error_style=style).get("/v2/device/99999")
    assert reply.status_code == 404
    assert (set(reply.json()) if reply.content else None) == keys


@pytest.mark.parametrize("retry_after", ["10", None])
def test_too_many_calls_are_refused(start_ninja, retry_after):
    ninja = start_ninja(rate_limit=2, retry_after=retry_after)
    statuses = [ninja.get("/v2/organizations").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    refused = ninja.get("/v2/organizations")
    assert refused.headers.get("Retry-After") == retry_after
    ninja.control("time", shift_seconds=61)
    assert ninja.get("/v2/organizations").status_code == 200


@pytest.mark.parametrize(
    "mode, status",
    [
        ("unauthorized", 401),
        ("forbidden", 403),
        ("not_found_html", 404),
        ("throttled", 429),
        ("server_error", 500),
        ("dashboard_html", 200),
        ("wrong_shape", 200),
        ("redirect", 302),
    ],
)
def test_faults(ninja, mode, status):
    ninja.fault(mode, prefix="/v2/devices", after=1, count=1)
    replies = [ninja.get("/v2/devices").status_code for _ in range(3)]
    assert replies == [200, status, 200]
    assert [entry["fault"] for entry in ninja.ask("requests")] == [None, mode, None]


def test_a_cut_body_is_cut(ninja):
    ninja.fault("cut_body", prefix="/v2/devices", count=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        ninja.get("/v2/devices")


def test_unknown_addresses_and_methods(shared):
    assert shared.get("/v2/nothing").status_code == 404
    assert shared.call("DELETE", "/v2/devices").status_code == 405
    assert requests.get(f"{shared.url}/v2/devices", timeout=20).status_code == 401


def test_the_server_answers_below_any_host(shared):
    assert shared.get("/v2/devices", headers={"Host": "msp.rmmservice.example"}).status_code == 200


def test_the_control_page_shows_it_all(ninja):
    ninja.control("conditions/trigger", device_id=1)
    page = requests.get(f"{ninja.url}/_control/?search=Harbour", timeout=20)
    assert page.status_code == 200
    assert "Disk almost full" in page.text
    assert ninja.client_id in page.text
    sent_back = requests.post(
        f"{ninja.url}/_control/api/settings",
        data={"expires_in": "60", "rate_limit": "none", "declined_scopes": "control"},
        timeout=20,
        allow_redirects=False,
    )
    assert sent_back.status_code == 303
    assert ninja.lab.settings.expires_in == 60
    assert ninja.lab.settings.declined_scopes == ["control"]
    ninja.control("settings", declined_scopes="none")
    assert ninja.lab.settings.declined_scopes == []


def test_a_reset_brings_the_first_state_back(ninja):
    before = [row["id"] for row in ninja.get("/v2/devices").json()]
    ninja.control("devices/3/delete")
    ninja.control("settings", expires_in=5)
    ninja.control("reset")
    assert [row["id"] for row in ninja.get("/v2/devices").json()] == before
