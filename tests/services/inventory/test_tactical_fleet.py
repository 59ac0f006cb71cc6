"""Syncing a Tactical RMM server over HTTP into the reference PSA: every source, and fleets that move."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from rmm_extension.services import runs
from rmm_extension.services.inventory import confirm_missing, sync_devices
from rmm_extension.services.unit import unit
from simulators.tacticalrmm import keys
from simulators.tacticalrmm.drift import delete_agent, reinstall_agent

from .fleet import ADA, Fleet

SOURCES = ("auto", "beta", "standard")
BETA = "/beta/v1/agent/"
STANDARD = "/agents/"


@pytest.mark.parametrize("source", SOURCES)
def test_every_agent_is_an_asset_of_its_client(start: Callable[..., Fleet], source: str) -> None:
    fleet = start(source=source)
    counts = fleet.sync(full=True)
    assert counts["processed"] == 80
    for agent in fleet.lab.agents():
        asset, client = fleet.asset(agent), fleet.lab.client_of(agent)
        assert (asset["name"], asset["client_id"]) == (agent.hostname, f"c{client.id}")
        assert (asset["agent_status"], asset["status"]) == (fleet.lab.status(agent), "active")
        assert (asset["location"], asset["asset_type"]) == (
            fleet.lab.site_of(agent).name,
            agent.monitoring_type,
        )
        assert asset["asset_tag"] == f"tactical:{agent.agent_id}"
    assert {fleet.device(agent)["status"] for agent in fleet.lab.agents()} >= {
        "online",
        "offline",
        "overdue",
    }


@pytest.mark.parametrize("source", SOURCES)
def test_a_second_look_writes_nothing(start: Callable[..., Fleet], source: str) -> None:
    fleet = start(source=source)
    fleet.sync(full=True)
    before = fleet.rows("SELECT id, updated_at FROM rmm_devices ORDER BY id")
    counts = fleet.sync(full=True)
    assert (counts["processed"], counts["unchanged"]) == (80, 80)
    assert fleet.rows("SELECT id, updated_at FROM rmm_devices ORDER BY id") == before


@pytest.mark.parametrize("source, prefix", [("auto", BETA), ("beta", BETA), ("standard", STANDARD)])
def test_drift_under_the_walk_calls_nothing_missing_that_is_there(
    start: Callable[..., Fleet], source: str, prefix: str
) -> None:
    """An agent of the first page goes after each first page; the next one slips onto it unseen."""
    fleet = start(source=source, deletionPolicy="mark_inactive")
    fleet.sync(full=True)
    gone = set()
    for _ in range(3):
        victim = fleet.agents_of(1)[0]
        gone.add(victim.agent_id)
        fleet.drift(prefix, 1, victim)
        fleet.sync(full=True)
        assert fleet.missing() <= gone
    there = {agent.agent_id for agent in fleet.lab.agents()}
    assert not fleet.missing() & there
    fleet.sync(full=True)
    assert fleet.missing() == gone
    fleet.sync(full=True)
    assert fleet.inactive() == len(gone)
    assert fleet.missing() & there == set()


@pytest.mark.parametrize("source", SOURCES)
def test_an_agent_that_moves_under_the_walk_stays(start: Callable[..., Fleet], source: str) -> None:
    """Whichever way it moves, it is found in the next look at the latest, with asset and client."""
    fleet = start(source=source, deletionPolicy="mark_inactive")
    fleet.sync()
    ahead, back = fleet.agents_of(1)[0], fleet.agents_of(2)[-1]
    assets = {one.agent_id: fleet.device(one)["asset_id"] for one in (ahead, back)}
    prefix = BETA if source == "beta" else "/agents/"
    fleet.drift(prefix, 2, ahead, fleet.site_of(2))
    fleet.drift(prefix, 2, back, fleet.site_of(1))
    fleet.sync()
    assert fleet.missing() == set()
    fleet.sync()
    for one, client in ((ahead, "c2"), (back, "c1")):
        assert (fleet.device(one)["asset_id"], fleet.device(one)["client_id"]) == (
            assets[one.agent_id],
            client,
        )
        assert fleet.asset(one)["client_id"] == client
    assert fleet.missing() == set()


@pytest.mark.parametrize("source", SOURCES)
def test_an_agent_that_is_installed_under_the_walk_comes_by_the_next_look(
    start: Callable[..., Fleet], source: str
) -> None:
    fleet = start(source=source)
    fleet.drift(BETA if source == "beta" else "/agents/", 2, None, fleet.site_of(2))
    fleet.sync()
    fleet.sync()
    assert len(fleet.rows("SELECT 1 FROM rmm_devices")) == 81
    assert fleet.missing() == set()


@pytest.mark.parametrize("source", SOURCES)
def test_an_agent_moved_to_a_client_that_is_not_synced_is_not_missing(
    start: Callable[..., Fleet], source: str
) -> None:
    fleet = start(source=source, deletionPolicy="mark_inactive")
    fleet.sync()
    with unit(fleet.rmm) as session:
        session.execute(
            text("UPDATE rmm_organization_mappings SET auto_sync = false WHERE external_id = '2'")
        )
    moved, deleted = fleet.agents_of(1)[:2]
    moved.site_id = fleet.site_of(2)
    delete_agent(fleet.lab, deleted)
    for _ in range(3):
        fleet.sync()
    assert fleet.missing() == {deleted.agent_id}
    assert fleet.asset(moved)["status"] == "active"


def test_a_key_that_sees_a_part_never_proves_by_the_beta_list(start: Callable[..., Fleet]) -> None:
    """The beta list does not look at the role's scope, the id map does."""
    fleet = start(source="beta", key=keys.SCOPED_KEY, deletionPolicy="mark_inactive")
    fleet.sync()
    assert len(fleet.rows("SELECT 1 FROM rmm_devices")) == 80
    delete_agent(fleet.lab, fleet.agents_of(2)[0])
    fleet.drift(BETA, 3, fleet.agents_of(2)[0])
    for _ in range(3):
        fleet.sync()
    assert fleet.missing() == set()


def test_sites_of_one_name_do_not_mix_clients(start: Callable[..., Fleet]) -> None:
    fleet = start(clients=3)
    for site in fleet.lab.fleet.sites.values():
        site.name = "Main Office"
    fleet.sync()
    for agent in fleet.lab.agents():
        client = fleet.lab.client_of(agent)
        assert fleet.device(agent)["external_organization_id"] == str(client.id)
        assert fleet.asset(agent)["client_id"] == f"c{client.id}"


@pytest.mark.parametrize("source", SOURCES)
def test_a_reinstalled_machine_keeps_its_asset(start: Callable[..., Fleet], source: str) -> None:
    fleet = start(source=source)
    fleet.sync()
    old = next(
        one
        for one in fleet.agents_of(1)
        if fleet.lab.status(one) == "online" and fleet.device(one)["serial"] and one.hardware
    )
    asset = fleet.device(old)["asset_id"]
    fresh = reinstall_agent(fleet.lab, old)
    fleet.lab.clock.shift(45 * 60)
    counts = fleet.sync()
    assert (counts["created"], counts["adopted"]) == (1, 1)
    assert (fleet.device(old)["asset_id"], fleet.device(fresh)["asset_id"]) == (asset, asset)
    assert (fleet.device(old)["status"], fleet.device(fresh)["status"]) == ("overdue", "online")
    assert (fleet.asset(fresh)["rmm_device_id"], fleet.asset(fresh)["agent_status"]) == (
        fresh.agent_id,
        "online",
    )
    delete_agent(fleet.lab, old)
    fleet.sync()
    fleet.sync()
    assert fleet.asset(fresh)["status"] == "active"


@pytest.mark.parametrize("source", SOURCES)
def test_fillers_for_a_serial_number_make_no_two_machines_one(
    start: Callable[..., Fleet], source: str
) -> None:
    fleet = start(source=source)
    fillers = (
        "To Be Filled By O.E.M.",
        "System Serial Number",
        "Default string",
        "None",
        "0",
        "Not Specified",
    )
    chosen = [one for one in fleet.agents_of(1) if one.hardware][:12]
    for number, agent in enumerate(chosen):
        assert agent.hardware is not None
        agent.hardware.serial = fillers[number % len(fillers)]
    fleet.sync(full=True)
    assert len({fleet.device(one)["asset_id"] for one in chosen}) == 12
    assert {fleet.asset(one)["serial_number"] for one in chosen} == {None}


@pytest.mark.parametrize("source", SOURCES)
def test_an_agent_that_never_finished_checking_in_is_a_device(
    start: Callable[..., Fleet], source: str
) -> None:
    fleet = start(source=source)
    agent = fleet.agents_of(1)[0]
    for name in ("operating_system", "public_ip", "goarch", "total_ram", "disks", "hardware", "boot_time"):
        setattr(agent, name, None)
    agent.logged_in_username, agent.never_seen, agent.hostname = None, True, "Zürich-🖥-東京"
    counts = fleet.sync(full=True)
    assert (counts["processed"], counts.get("failed")) == (80, None)
    row = fleet.device(agent)
    assert (row["name"], row["status"], row["last_seen_at"]) == ("Zürich-🖥-東京", "offline", None)
    assert fleet.asset(agent)["name"] == "Zürich-🖥-東京"


@pytest.mark.parametrize("source", SOURCES)
def test_nobody_is_signed_in_where_the_server_says_none(start: Callable[..., Fleet], source: str) -> None:
    fleet = start(source=source)
    agent = next(one for one in fleet.agents_of(1) if fleet.lab.status(one) == "online")
    agent.logged_in_username = "anna"
    fleet.sync()
    assert fleet.vitals(agent)["current_user"] == "anna"
    agent.logged_in_username = "None"
    fleet.sync()
    assert fleet.vitals(agent)["current_user"] == ""
    assert fleet.device(agent)["facts"]["current_user"] == ""


def test_a_device_refreshed_alone_is_as_the_server_has_it(start: Callable[..., Fleet]) -> None:
    fleet = start()
    fleet.sync()
    agent = next(one for one in fleet.agents_of(1) if fleet.lab.status(one) == "online")
    agent.hostname, agent.site_id = "renamed", fleet.site_of(2)
    fleet.lab.clock.shift(10)
    asset = fleet.device(agent)["asset_id"]
    assert fleet.refresh(agent)["updated"] == 1
    assert (fleet.asset(agent)["id"], fleet.asset(agent)["name"], fleet.asset(agent)["client_id"]) == (
        asset,
        "renamed",
        "c2",
    )
    delete_agent(fleet.lab, agent)
    fleet.refresh(agent)
    assert fleet.missing() == {agent.agent_id}
    assert fleet.asset(agent)["status"] == "active"


def test_more_than_a_fifth_waits_for_a_person(start: Callable[..., Fleet]) -> None:
    fleet = start(deletionPolicy="mark_inactive")
    fleet.sync()
    mine = fleet.agents_of(1)
    doomed = mine[: len(mine) // 4]
    for agent in doomed:
        delete_agent(fleet.lab, agent)
    for _ in range(3):
        fleet.sync()
    assert fleet.inactive() == 0
    (found,) = fleet.rows("SELECT id, last_error FROM rmm_organization_mappings WHERE external_id = '1'")
    assert "confirm that they are gone" in found["last_error"]
    with unit(fleet.rmm) as session:
        assert confirm_missing(fleet.rmm, session, ADA, found["id"]) == len(doomed)
    assert fleet.inactive() == len(doomed)


def test_one_empty_answer_proves_nothing(start: Callable[..., Fleet]) -> None:
    fleet = start(deletionPolicy="mark_inactive")
    fleet.sync()
    kept, fleet.lab.fleet.agents = fleet.lab.fleet.agents, {}
    fleet.sync()
    assert {row["missing_count"] for row in fleet.rows("SELECT missing_count FROM rmm_devices")} == {1}
    fleet.lab.fleet.agents = kept
    fleet.sync()
    assert fleet.missing() == set()
    assert fleet.inactive() == 0


@pytest.mark.parametrize(
    "source, full, lists",
    [
        ("auto", False, {"/agents/": 3, "/clients/": 1, "/core/customfields/": 1}),
        ("standard", True, {"/agents/": 3, "/clients/": 1, "/core/customfields/": 1}),
        ("auto", True, {"/agents/": 3, "/clients/": 1, "/core/customfields/": 1, BETA: "pages"}),
        ("beta", True, {"/agents/": 1, "/beta/v1/client/": 1, "/beta/v1/site/": 1, BETA: "pages"}),
    ],
)
def test_one_request_a_page_and_none_a_device(
    start: Callable[..., Fleet], source: str, full: bool, lists: dict[str, Any]
) -> None:
    """``/agents/`` once for the id map and once for each of two clients."""
    fleet = start(source=source)
    pages = sum(-(-len(fleet.agents_of(client)) // 25) for client in (1, 2))
    fleet.requests()
    fleet.sync(full=full)
    asked = fleet.requests()
    assert {path: asked.count(path) for path in set(asked)} == {
        path: pages if count == "pages" else count for path, count in lists.items()
    }


@pytest.mark.parametrize("source", SOURCES)
def test_statements_do_not_grow_with_the_fleet(
    start: Callable[..., Fleet], statement_counter: Any, source: str
) -> None:
    fleet = start(agents=150, source=source)
    costs = []
    for size in (30, 150):
        everyone = dict(fleet.lab.fleet.agents)
        fleet.lab.fleet.agents = dict(list(everyone.items())[:size])
        with unit(fleet.rmm) as session:
            session.execute(text("TRUNCATE rmm_devices, assets CASCADE"))
            session.execute(text("UPDATE rmm_integrations SET last_sync_at = NULL"))
        with statement_counter() as sent:
            fleet.sync(full=True)
        fleet.lab.fleet.agents = everyone
        costs.append(sent.count)
    assert costs[0] == costs[1]


def test_a_run_that_was_killed_goes_on_where_it_was(
    start: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second client's answer fails; the next attempt asks for that client alone."""
    monkeypatch.setattr("rmm_extension.providers.tacticalrmm.inventory.PATIENCE", 0.0)
    fleet = start()
    run = fleet.run()
    # The id map and the first client's list are answered, nothing after them.
    monkeypatch.setattr("rmm_extension.services.inventory.pages.Pages.write_held", _killed)
    with pytest.raises(KeyboardInterrupt):
        sync_devices(fleet.rmm, run)
    monkeypatch.undo()
    with unit(fleet.rmm) as session:
        session.execute(text("UPDATE rmm_job_runs SET heartbeat_at = now() - interval '5 minutes'"))
    again = runs.take(fleet.rmm, "t1", run.id, run.attempt)
    assert again is not None
    fleet.requests()
    counts = sync_devices(fleet.rmm, again)
    assert counts["processed"] == 80
    assert fleet.requests().count("/agents/") == 0
    assert len(fleet.rows("SELECT 1 FROM rmm_devices")) == 80


def _killed(*_: object) -> None:
    raise KeyboardInterrupt
