"""Lists of the simulated Tactical RMM: paging, filters, drift, statuses and value oddities."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from simulators.tacticalrmm.app import create_app, lab_of
from simulators.tacticalrmm.fleet import FleetOptions, build_fleet
from simulators.tacticalrmm.names import JUNK_SERIALS

AGENTS = "/beta/v1/agent/"


def _pages(server, size, between=lambda: None):
    found, page = [], 1
    while page:
        body = server.get(f"{AGENTS}?page={page}&page_size={size}").json()
        found += [row["agent_id"] for row in body["results"]]
        page = page + 1 if body["next"] else 0
        between()
    return found


def test_the_same_seed_gives_the_same_fleet():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert build_fleet(FleetOptions(seed=3), now) == build_fleet(FleetOptions(seed=3), now)
    assert build_fleet(FleetOptions(seed=3), now) != build_fleet(FleetOptions(seed=4), now)


def test_the_fleet_has_the_awkward_rows():
    lab = lab_of(create_app(FleetOptions(agents=400)))
    agents = list(lab.agents())
    serials = [agent.hardware.serial for agent in agents if agent.hardware]
    shares = {plat: sum(a.plat == plat for a in agents) / 400 for plat in ("windows", "linux", "darwin")}
    assert shares["windows"] > 0.7
    assert min(shares.values()) > 0.03
    assert len(set(serials) & set(JUNK_SERIALS)) > 4
    assert None in serials
    assert any(agent.hardware is None for agent in agents)
    assert any(agent.logged_in_username == "None" for agent in agents)
    real = [serial for serial in serials if serial and serial not in JUNK_SERIALS]
    assert len(real) > len(set(real))
    names = [site.name for site in lab.fleet.sites.values()]
    assert names.count("Main Office") == 12
    assert any('"' in client.name for client in lab.fleet.clients.values())
    assert any(not client.name.isascii() for client in lab.fleet.clients.values())
    assert {lab.status(agent) for agent in agents} == {"online", "offline", "overdue"}


@pytest.mark.parametrize("row_kb", [6, 130])
def test_windows_rows_have_the_size_asked_for(row_kb):
    app = create_app(FleetOptions(agents=20, row_kb=row_kb))
    reply = app.test_client().get(
        f"{AGENTS}?plat=windows&page_size=1000", headers={"X-API-KEY": next(iter(lab_of(app).api_keys))}
    )
    rows = [row for row in reply.json["results"] if row["wmi_detail"]]
    assert row_kb * 0.7 < len(reply.data) / 1024 / len(rows) < row_kb * 1.4


def test_the_beta_list_has_the_40_columns_and_not_the_computed_ones(shared):
    row = shared.get(f"{AGENTS}?page_size=1").json()["results"][0]
    assert len(row) == 40
    assert not {"status", "serial_number", "client", "custom_fields", "local_ips"} & set(row)
    assert shared.get(f"{AGENTS}{row['id']}/").json()["status"]
    assert shared.get(f"{AGENTS}{row['agent_id']}/").json() == {"detail": "Not found."}


def test_serials_uuids_and_macs_are_where_the_agent_reports_them(shared):
    windows = shared.get(f"{AGENTS}?plat=windows").json()["results"]
    detail = next(row["wmi_detail"] for row in windows if row["wmi_detail"])
    assert "SerialNumber" in detail["bios"][0][0]
    assert len(detail["comp_sys_prod"][0][0]["UUID"]) == 36
    macs = [entry[0]["MACAddress"] for entry in detail["network_config"]]
    assert macs[0] == ""
    assert macs[1].count(":") == 5
    linux = shared.get(f"{AGENTS}?plat=linux").json()["results"][0]
    assert linux["wmi_detail"]["local_ips"][0].endswith("/24")
    assert linux["services"] == []


@pytest.mark.parametrize(
    "query, size",
    [("page_size=7", 7), ("page_size=0", 60), ("page_size=junk", 60), ("page_size=5000", 60), ("", 60)],
)
def test_page_size(shared, query, size):
    assert len(shared.get(f"{AGENTS}?{query}").json()["results"]) == size


def test_paging_links_are_absolute_and_built_from_host(shared):
    body = shared.get(f"{AGENTS}?page_size=25&page=2", headers={"Host": "api.example.com"}).json()
    assert body["next"] == f"http://api.example.com{AGENTS}?page=3&page_size=25"
    assert body["previous"] == f"http://api.example.com{AGENTS}?page_size=25"
    last = shared.get(f"{AGENTS}?page=last&page_size=25").json()
    assert last["next"] is None
    assert len(last["results"]) == 10


@pytest.mark.parametrize("page", ["0", "99", "x"])
def test_a_page_outside_the_list_is_a_404(shared, page):
    reply = shared.get(f"{AGENTS}?page={page}&page_size=25")
    assert (reply.status_code, reply.json()) == (404, {"detail": "Invalid page."})


def test_a_deletion_between_two_pages_hides_one_agent(server):
    everyone = _pages(server, 20)
    server.control(f"agents/{everyone[3]}/delete", after_requests=1, prefix=AGENTS)
    crawled = _pages(server, 20)
    assert everyone[20] not in crawled
    assert everyone[20] in _pages(server, 20)


@pytest.mark.parametrize(
    "query, status, body",
    [
        (
            "plat=windos",
            400,
            {"plat": ["Select a valid choice. windos is not one of the available choices."]},
        ),
        ("client_id=abc", 400, {"client_id": ["Enter a number."]}),
        (
            "site=9999",
            400,
            {"site": ["Select a valid choice. That choice is not one of the available choices."]},
        ),
        ("agent_id=abc", 500, None),
        ("total_ram_range_min=8&total_ram_range_max=16", 500, None),
    ],
)
def test_bad_filters(shared, query, status, body):
    reply = shared.get(f"{AGENTS}?{query}")
    assert reply.status_code == status
    if body:
        assert reply.json() == body


def test_good_and_unknown_filters(shared):
    count = lambda query: shared.get(f"{AGENTS}?page_size=1&{query}").json()["count"]  # noqa: E731
    assert count("client_id=4711") == 0
    assert count("status=online") == count("maintenance_mode=true") == 60
    assert 0 < count("plat=linux") < 60
    assert 0 < count("total_ram_range_min=6") < 60
    assert count("search=spooler") > 40
    assert count("last_seen_range_after=2999-01-01T00:00:00Z") == 0
    assert count("client_id=1") == len([row for row in shared.agents() if row["client_id"] == 1])


def test_putting_an_agent_through_beta_fails_and_post_is_refused(shared):
    assert shared.call("PUT", f"{AGENTS}1/", json={"description": "x"}).status_code == 500
    assert shared.call("POST", AGENTS, json={}).status_code == 405


def test_beta_off_is_html_with_and_without_a_key(server):
    server.control("beta", on=False)
    for key in (None, "x"):
        reply = server.get("/beta/v1/client/", key)
        assert reply.status_code == 404
        assert reply.headers["Content-Type"].startswith("text/html")
    assert server.get("/clients/").status_code == 200


def test_the_plain_lists(shared):
    full = shared.get("/agents/").json()
    short = shared.get("/agents/?detail=True").json()
    assert len(full) == len(short) == 60
    assert set(short[0]) == {"id", "hostname", "agent_id", "client", "site"}
    assert "id" not in full[0]
    assert "policy" not in full[0]
    assert len(full[0]) == 33
    one_site = shared.agent()["site_id"]
    by_site = shared.get(f"/agents/?client=999&site={one_site}").json()
    assert len(by_site) == len([row for row in shared.agents() if row["site_id"] == one_site])
    assert shared.get("/agents/?monitoring_type=foo").json() == "monitoring type does not exist"
    detail = shared.get(f"/agents/{full[0]['agent_id']}/").json()
    assert "id" not in detail
    assert "serial_number" not in detail
    assert len(detail["all_timezones"]) > 300


def test_clients_and_sites_carry_counts_only_where_the_server_puts_them(shared):
    listed = shared.get("/clients/").json()
    assert sum(client["agent_count"] for client in listed) == 60
    one = shared.get("/clients/1/").json()
    assert "agent_count" not in one
    assert "agent_count" in one["sites"][0]
    assert "agent_count" not in shared.get("/clients/sites/").json()[0]


def test_software(shared):
    rows = shared.get("/software/").json()
    assert set(rows[0]) == {"id", "software", "agent"}
    linux = shared.agent(plat="linux")
    assert shared.get(f"/software/{linux['agent_id']}/").json() == []


def test_the_software_of_a_large_fleet_is_sent_row_by_row():
    app = create_app(FleetOptions(agents=300))
    key = next(iter(lab_of(app).api_keys))
    reply = app.test_client().get("/software/", headers={"X-API-KEY": key}, buffered=False)
    pieces = list(reply.iter_encoded())
    assert len(pieces) > 200
    assert sum(map(len, pieces)) == int(reply.headers["Content-Length"])


def test_software_changes(server):
    agent = next(
        row["agent_id"]
        for row in server.agents(plat="windows")
        if server.get(f"/software/{row['agent_id']}/").json()
    )

    def versions():
        return {
            item["name"]: item["version"] for item in server.get(f"/software/{agent}/").json()["software"]
        }

    before = versions()
    server.control(f"agents/{agent}/software/install", name="Editor", version="1.0", publisher="Acme")
    assert versions() == before | {"Editor": "1.0"}
    server.control(f"agents/{agent}/software/install", name="Editor", version="1.1")
    assert versions() == before | {"Editor": "1.1"}
    assert [item["name"] for item in server.ask(f"agents/{agent}/software")].count("Editor") == 1
    assert server.ask(f"agents/{agent}/software") == server.get(f"/software/{agent}/").json()["software"]
    server.control(f"agents/{agent}/software/remove", name="Editor")
    assert versions() == before
    server.control(f"agents/{agent}/software/clear")
    assert versions() == {}
    assert [] in [row["software"] for row in server.get("/software/").json()]
    server.control("reset")


def test_status_follows_the_last_check_in(server):
    agent = server.agent(status="online", maintenance_mode=False)["agent_id"]
    server.control(f"agents/{agent}/set", offline_time=4, overdue_time=30)
    for minutes, status in ((3, "online"), (10, "offline"), (31, "overdue")):
        server.control(f"agents/{agent}/offline", minutes=minutes, alert=False)
        assert server.get(f"/agents/{agent}/").json()["status"] == status
    server.control(f"agents/{agent}/set", overdue_time=2)
    server.control(f"agents/{agent}/offline", minutes=3, alert=False)
    assert server.ask(f"agents/{agent}")["status"] == "online"


def test_reinstalling_makes_a_second_row_and_the_old_one_stays(server):
    agent = next(row for row in server.agents(status="online", plat="windows") if row["serial"])
    fresh = server.control(f"agents/{agent['agent_id']}/reinstall")
    assert fresh["agent_id"] != agent["agent_id"]
    assert fresh["serial"] == agent["serial"]
    assert server.get(AGENTS + "?page_size=1").json()["count"] == 61


def test_moving_and_renaming(server):
    agent = server.agent()
    target = next(c for c in server.ask("clients") if c["id"] != agent["client_id"])
    moved = server.control(f"agents/{agent['agent_id']}/move", site_id=target["sites"][0]["id"])
    renamed = server.control(f"agents/{agent['agent_id']}/rename", hostname="NEW-NAME")
    assert moved["client"] == target["name"]
    row = next(r for r in server.get("/agents/").json() if r["agent_id"] == agent["agent_id"])
    assert (row["hostname"], row["client_name"]) == (renamed["hostname"], target["name"])
