"""Escalations and the isolation of hosts of the simulated Huntress."""

from __future__ import annotations

import pytest


@pytest.fixture
def agent(huntress):
    """The address of a host that can be isolated."""
    return huntress.lab.agent(isolatable=True, platform="windows").id


def _firewall(huntress, agent):
    return huntress.get(f"/v1/agents/{agent}").json()["agent"]["firewall_status"]


def _resolve(huntress, escalation, **body):
    return huntress.call("POST", f"/v1/escalations/{escalation}/resolution", json=body or None)


def test_an_escalation_is_raised_and_found(huntress):
    one = huntress.control("escalations/raise", organization_ids=[21, 22], severity="critical")["id"]
    row = huntress.get(f"/v1/escalations/{one}").json()["escalation"]
    assert [each["id"] for each in row["organizations"]] == [21, 22]
    assert (row["status"], row["severity"], row["type"]) == ("open", "critical", "Environmental Issue")
    assert row["entities"]["total_count"] == len(row["entities"]["items"]) > 0
    for query in ({"status": "open"}, {"severity": "critical"}, {"organization_id": 22}):
        (found,) = huntress.get("/v1/escalations", params=query).json()["escalations"]
        assert found["id"] == one
        assert "entities" not in found
    for query in ({"status": "overdue"}, {"organization_id": 23}, {"subtype": "US"}):
        assert huntress.get("/v1/escalations", params=query).json()["escalations"] == []


def test_a_simple_escalation_is_resolved_directly_and_once(huntress):
    one = huntress.control("escalations/raise")["id"]
    assert _resolve(huntress, one, determination="expected", scope="account").status_code == 400
    reply = _resolve(huntress, one)
    assert (reply.status_code, reply.json()["resolution_method"]) == (201, "direct")
    row = reply.json()["escalation"]
    assert (row["status"], row["resolved_at"]) == ("resolved", row["updated_at"])
    assert _resolve(huntress, one).status_code == 409


@pytest.mark.parametrize(
    "body, status, method",
    [
        ({}, 201, "dismiss"),
        ({"determination": "unauthorized", "scope": "identity"}, 201, "rule"),
        ({"determination": "unauthorized"}, 400, None),
        ({"determination": "perhaps", "scope": "identity"}, 400, None),
    ],
)
def test_unwanted_access_takes_parameters(huntress, body, status, method):
    one = huntress.control("escalations/raise", type="Unwanted Country Access", organization_id=21)["id"]
    reply = _resolve(huntress, one, **body)
    assert (reply.status_code, reply.json().get("resolution_method")) == (status, method)


def test_some_escalations_are_not_for_the_api(huntress):
    one = huntress.control("escalations/raise", by_api=False)["id"]
    assert _resolve(huntress, one).status_code == 422
    assert _resolve(huntress, 7).status_code == 404


def test_an_overdue_escalation_is_found_by_the_filter(huntress):
    one = huntress.control("escalations/raise")["id"]
    huntress.control(f"escalations/{one}/overdue")
    (row,) = huntress.get("/v1/escalations", params={"status": "overdue"}).json()["escalations"]
    assert (row["id"], row["status"]) == (one, "open")
    huntress.control("settings", overdue_status="overdue")
    assert huntress.get(f"/v1/escalations/{one}").json()["escalation"]["status"] == "overdue"
    huntress.control(f"escalations/{one}/resolve")
    assert huntress.get("/v1/escalations", params={"status": "overdue"}).json()["escalations"] == []


def test_a_poisoned_escalation(huntress):
    one = huntress.control("escalations/raise")["id"]
    huntress.control(f"escalations/{one}/poison")
    assert huntress.get(f"/v1/escalations/{one}").json()["escalation"]["severity"] == 3
    huntress.control(f"escalations/{one}/poison", fields={})
    assert huntress.get(f"/v1/escalations/{one}").json()["escalation"]["severity"] == "high"


def test_a_host_is_isolated_and_released_in_time(huntress, agent):
    path = f"/v1/agents/{agent}/isolation"
    assert _firewall(huntress, agent) == "Enabled"
    reply = huntress.call("POST", path, json={"reason": "Test", "strict_isolation": False})
    assert reply.status_code == 201
    assert reply.json()["agent"]["firewall_status"] == _firewall(huntress, agent) == "Pending Isolation"
    assert huntress.call("POST", path).status_code == 409
    assert huntress.call("DELETE", path).status_code == 409
    huntress.control("time", shift_seconds=21)
    assert _firewall(huntress, agent) == "Isolated"
    released = huntress.call("DELETE", path)
    assert (released.status_code, released.content) == (204, b"")
    assert _firewall(huntress, agent) == "Pending Release"
    huntress.control(f"agents/{agent}/settle")
    assert _firewall(huntress, agent) == "Enabled"


def test_some_hosts_cannot_be_isolated(huntress, agent):
    huntress.control(f"agents/{agent}/edit", isolatable=False)
    assert huntress.call("POST", f"/v1/agents/{agent}/isolation").status_code == 409
    assert huntress.call("POST", "/v1/agents/1/isolation").status_code == 404
    assert huntress.call("POST", f"/v1/agents/{agent}/isolation", data="no json").status_code == 400
