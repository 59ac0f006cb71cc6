"""Lists of the simulated Huntress: pages, orders, filters, and what the rows tell."""

from __future__ import annotations

import pytest

from simulators.common.companies import COMPANIES
from simulators.huntress.fleet import FleetOptions, build_fleet
from simulators.ninjaone.twins import twins


def _walk(huntress, path, name, **query):
    """All rows of a list, page by page."""
    rows = []
    while True:
        found = huntress.get(path, params=query).json()
        rows += found[name]
        token = found["pagination"].get("next_page_token")
        if token is None:
            return rows
        query["page_token"] = token


def _ids(rows):
    return [row["id"] for row in rows]


def test_a_page_has_ten_rows_newest_first(shared):
    found = shared.get("/v1/agents").json()
    assert _ids(found["agents"]) == list(range(5120, 5110, -1))
    assert set(found["pagination"]) == {"next_page_token", "next_page_url"}


def test_the_last_page_names_no_other(shared):
    whole = shared.get("/v1/organizations", params={"limit": 6}).json()
    assert (len(whole["organizations"]), whole["pagination"]) == (6, {})


def test_the_next_pages_address_keeps_the_filters(shared):
    query = {"platform": "windows", "limit": 3, "sort_direction": "asc"}
    first = shared.get("/v1/agents", params=query).json()
    url = first["pagination"]["next_page_url"]
    assert url.startswith(f"{shared.url}/v1/agents?")
    second = shared.get(url.removeprefix(shared.url)).json()["agents"]
    assert {row["platform"] for row in second} == {"windows"}
    assert min(_ids(second)) > max(_ids(first["agents"]))


@pytest.mark.parametrize(
    "path, name, key",
    [
        ("/v1/agents", "agents", "updated_at"),
        ("/v1/agents", "agents", "created_at"),
        ("/v1/organizations", "organizations", "name"),
        ("/v1/organizations", "organizations", "key"),
        ("/v1/incident_reports", "incident_reports", "updated_at"),
        ("/v1/escalations", "escalations", "updated_at"),
        ("/v1/reports", "reports", "created_at"),
    ],
)
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_a_walk_comes_to_every_row_once_in_its_order(shared, path, name, key, direction):
    rows = _walk(shared, path, name, sort_field=key, sort_direction=direction, limit=4)
    assert len({row["id"] for row in rows}) == len(rows) == len(_walk(shared, path, name, limit=500))
    values = [row[key] for row in rows]
    assert values == sorted(values, reverse=direction == "desc")


def test_severities_are_in_their_order(shared):
    rows = _walk(shared, "/v1/escalations", "escalations", sort_field="severity")
    assert len(rows) == 5


def test_rows_that_come_and_go_do_not_shift_a_walk(huntress):
    ids = [huntress.raise_incident() for _ in range(6)]
    query = {"sort_field": "updated_at", "limit": 2}
    first = huntress.get("/v1/incident_reports", params=query).json()
    huntress.raise_incident()
    huntress.control(f"incidents/{ids[0]}/comment")
    token = first["pagination"]["next_page_token"]
    second = huntress.get("/v1/incident_reports", params=query | {"page_token": token}).json()
    assert _ids(first["incident_reports"] + second["incident_reports"]) == ids[:1:-1]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 501},
        {"limit": "many"},
        {"sort_field": "colour"},
        {"sort_direction": "up"},
        {"page_token": "nonsense"},
        {"page_token": "bnVsbA"},
        {"platform": "amiga"},
        {"organization_id": "x"},
    ],
)
def test_what_is_not_understood_is_a_400(shared, query):
    reply = shared.get("/v1/agents", params=query)
    assert (reply.status_code, list(reply.json())) == (400, ["error"])


def test_a_token_counts_for_its_order_only(shared):
    token = shared.get("/v1/agents").json()["pagination"]["next_page_token"]
    assert shared.get("/v1/agents", params={"page_token": token}).status_code == 200
    other = shared.get("/v1/agents", params={"page_token": token, "sort_direction": "asc"})
    assert other.status_code == 400


def test_agents_are_narrowed(shared):
    agent = shared.lab.agent(platform="darwin")
    rows = _walk(shared, "/v1/agents", "agents", platform="darwin", organization_id=agent.organization_id)
    assert agent.id in _ids(rows)
    assert {(row["platform"], row["organization_id"]) for row in rows} == {("darwin", agent.organization_id)}
    named = _walk(shared, "/v1/agents", "agents", hostname=agent.hostname)
    assert {row["hostname"] for row in named} == {agent.hostname}
    assert _walk(shared, "/v1/agents", "agents", os=agent.os, version="0.0.0") == []


def test_organizations_are_found_by_name_and_key(shared):
    row = shared.get("/v1/organizations/22").json()["organization"]
    for query in ({"name": row["name"]}, {"key": row["key"]}):
        (found,) = shared.get("/v1/organizations", params=query).json()["organizations"]
        assert found["id"] == 22
    agents = _walk(shared, "/v1/agents", "agents", organization_id=22)
    assert row["agents_count"] == len(agents)
    assert "actual_usages" in row


def test_an_agent_tells_its_host(shared):
    agent = shared.lab.agent(silent_since=None, platform="windows")
    row = shared.get(f"/v1/agents/{agent.id}").json()["agent"]
    assert (row["hostname"], row["serial_number"]) == (agent.hostname, agent.serial)
    assert row["mac_addresses"] == agent.macs
    assert row["last_callback_at"].endswith("Z")
    silent = shared.lab.agent(id=next(one.id for one in shared.lab.fleet.agents.values() if one.silent_since))
    told = shared.get(f"/v1/agents/{silent.id}").json()["agent"]["last_callback_at"]
    assert told < row["last_callback_at"]


def test_reports_are_narrowed_by_period_and_type(shared):
    rows = _walk(shared, "/v1/reports", "reports", organization_id=21)
    assert sorted(row["type"] for row in rows) == ["monthly_summary", "monthly_summary", "quarterly_summary"]
    monthly = _walk(shared, "/v1/reports", "reports", organization_id=21, type="monthly_summary")
    last = max(row["period"].split("...")[0] for row in monthly)
    (found,) = _walk(
        shared, "/v1/reports", "reports", organization_id=21, type="monthly_summary", period_min=last
    )
    assert shared.get(f"/v1/reports/{found['id']}").json()["report"] == found
    assert _walk(shared, "/v1/reports", "reports", period_max="2001-01-01") == []


def test_names_are_the_companies_written_otherwise():
    fleet = build_fleet(FleetOptions(agents=0), 0.0)
    names = [one.name for one in fleet.organizations.values()]
    equal = [here for here, there in zip(names, COMPANIES, strict=True) if here == there]
    assert "Acme West Logistics" in names
    assert 0 < len(equal) < len(COMPANIES)


def test_some_machines_are_other_vendors_too():
    shared_machines = twins()
    fleet = build_fleet(FleetOptions(agents=10, twins=shared_machines), 0.0)
    here = {(one.hostname, one.serial) for one in fleet.agents.values()}
    assert {(one.name, one.serial) for one in shared_machines} <= here
    homes = {one.hostname: fleet.organizations[one.organization_id].name for one in fleet.agents.values()}
    logistics = [one.name for one in shared_machines if one.organization == 'Acme "West" Logistics']
    assert logistics
    assert {homes[name] for name in logistics} == {"Acme West Logistics"}


def test_a_hostname_can_be_there_twice_in_one_organization():
    fleet = build_fleet(FleetOptions(), 0.0)
    seen: dict[tuple[int, str], set[str | None]] = {}
    for one in fleet.agents.values():
        seen.setdefault((one.organization_id, one.hostname), set()).add(one.serial)
    assert any(len(serials) > 1 for serials in seen.values())


def test_the_fleet_depends_on_its_options_only():
    assert build_fleet(FleetOptions(), 0.0) == build_fleet(FleetOptions(), 0.0)
    assert build_fleet(FleetOptions(seed=8), 0.0) != build_fleet(FleetOptions(), 0.0)


def test_agents_change_in_the_middle_of_a_crawl(huntress):
    first, last = 5001, 5040
    huntress.control(f"agents/{first}/remove", after_requests=1)
    huntress.control("agents/add", organization_id=21, hostname="NEW-1", after_requests=1)
    page = huntress.get("/v1/agents", params={"limit": 1}).json()
    assert _ids(page["agents"]) == [last]
    rows = _walk(huntress, "/v1/agents", "agents", limit=500)
    assert first not in _ids(rows)
    assert rows[0]["hostname"] == "NEW-1"


def test_an_agent_is_edited_and_silenced(huntress):
    huntress.control("agents/5001/edit", hostname="OTHER", serial="ABC-1")
    huntress.control("agents/5001/silent")
    huntress.control("time", shift_seconds=3600)
    row = huntress.get("/v1/agents/5001").json()["agent"]
    assert (row["hostname"], row["serial_number"]) == ("OTHER", "ABC-1")
    living = huntress.get("/v1/agents/5002").json()["agent"]["last_callback_at"]
    assert row["last_callback_at"] < living


def test_organizations_come_and_go(huntress):
    made = huntress.control("organizations/add", name="Neue Käserei AG")["id"]
    huntress.control(f"organizations/{made}/rename", name="Neue Käserei")
    assert huntress.get(f"/v1/organizations/{made}").json()["organization"]["name"] == "Neue Käserei"
    huntress.control("organizations/21/remove")
    assert huntress.get("/v1/organizations/21").status_code == 404
    assert _walk(huntress, "/v1/agents", "agents", organization_id=21) == []
