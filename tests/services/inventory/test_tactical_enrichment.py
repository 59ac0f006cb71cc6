"""What a Tactical RMM agent says, from the vendor's rows to the page of its asset in the reference PSA."""

from __future__ import annotations

import html
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from reference_psa.db import db
from reference_psa.models import User
from rmm_extension.services.unit import unit
from simulators.tacticalrmm.drift import delete_agent
from simulators.tacticalrmm.models import Agent

from .fleet import Fleet


def online(fleet: Fleet) -> Agent:
    """A Windows agent that has told everything."""
    return next(
        one
        for one in fleet.lab.agents()
        if one.plat == "windows" and one.hardware and one.disks and fleet.lab.status(one) == "online"
    )


def history(fleet: Fleet, agent: Agent) -> list[dict[str, Any]]:
    """What the asset's history says, oldest first."""
    return fleet.rows(
        "SELECT kind, changes FROM asset_history WHERE asset_id = :id ORDER BY at",
        id=fleet.device(agent)["asset_id"],
    )


@pytest.fixture
def fleet(start: Callable[..., Fleet]) -> Fleet:
    found = start()
    agent = online(found)
    agent.custom = {"Backed Up": True}
    agent.logged_in_username = "anna"
    agent.needs_reboot = agent.has_patches_pending = False
    return found


def test_every_fact_lands_in_the_asset(fleet: Fleet) -> None:
    agent = online(fleet)
    fleet.sync(full=True)
    asset, vitals = fleet.asset(agent), fleet.vitals(agent)
    assert agent.hardware is not None
    assert (asset["rmm_provider"], asset["rmm_device_id"]) == ("tacticalrmm", agent.agent_id)
    assert asset["rmm_organization_id"] == str(fleet.lab.client_of(agent).id)
    assert asset["serial_number"] == agent.hardware.serial
    assert set(asset["mac_addresses"]) <= {mac.lower() for mac in agent.hardware.macs}
    assert asset["mac_addresses"]
    assert asset["last_rmm_sync_at"] is not None
    operating_system = (agent.operating_system or "").removeprefix("Microsoft ")
    assert f"{vitals['os_name']} {vitals['os_version']}" == operating_system
    assert (vitals["agent_version"], vitals["current_user"]) == (agent.version, "anna")
    started = datetime.fromtimestamp(int(agent.boot_time or 0), UTC)
    assert datetime.fromisoformat(vitals["last_reboot_at"]) == started
    assert vitals["uptime_seconds"] == pytest.approx(
        (fleet.lab.clock.now() - started).total_seconds(), abs=120
    )
    assert vitals["lan_ip"] in {address.split("/")[0] for address in agent.hardware.ips}
    assert (vitals["wan_ip"], vitals["ram_gb"]) == (agent.public_ip, agent.total_ram)
    assert agent.hardware.model in vitals["model"]
    assert vitals["cpu_model"] == agent.hardware.cpu.strip()
    assert (vitals["needs_reboot"], vitals["has_pending_patches"]) == (False, False)
    assert [disk["name"] for disk in vitals["disk_usage"]] == [disk["device"] for disk in agent.disks or ()]
    assert all(disk["utilization_percent"] is not None for disk in vitals["disk_usage"])
    assert vitals["system_info"]["Backed Up"] is True


def test_what_only_the_heavy_list_says_survives_routine_runs(fleet: Fleet) -> None:
    agent = online(fleet)
    fleet.sync(full=True)
    before = fleet.vitals(agent)
    agent.needs_reboot = True
    assert fleet.sync(full=False)["updated"] == 1
    after = fleet.vitals(agent)
    assert after["needs_reboot"] is True
    for name in ("ram_gb", "disk_usage", "manufacturer", "model", "cpu_model", "system_info"):
        assert after[name] == before[name], name
    assert fleet.device(agent)["facts"]["hardware"]["disks"]
    assert fleet.device(agent)["overdue_after_minutes"] == agent.overdue_time


def test_the_history_has_every_change_and_nothing_else(fleet: Fleet) -> None:
    """Full and routine runs take turns: they say the same in the same words."""
    agent = online(fleet)
    fleet.sync(full=False)
    fleet.sync(full=True)
    (created, filled) = history(fleet, agent)
    assert created["kind"] == "created"
    assert set(filled["changes"]) <= {"ram_gb", "disk_usage", "manufacturer", "mac_addresses"}
    agent.needs_reboot, agent.logged_in_username = True, "ben"
    fleet.sync(full=False)
    fleet.sync(full=True)
    agent.has_patches_pending = True
    fleet.sync(full=True)
    told = [entry["changes"] for entry in history(fleet, agent)[2:]]
    assert told == [
        {"needs_reboot": [False, True], "current_user": ["anna", "ben"]},
        {"has_pending_patches": [False, True]},
    ]


def test_a_value_that_disappears(fleet: Fleet) -> None:
    """Nobody and nothing are values; where the vendor is silent, what is known stays."""
    agent = online(fleet)
    fleet.sync(full=True)
    address = agent.public_ip
    agent.public_ip, agent.logged_in_username, agent.custom = None, "None", {}
    fleet.sync(full=False)
    vitals = fleet.vitals(agent)
    assert (vitals["wan_ip"], vitals["current_user"], vitals["system_info"]) == (address, "", {})


def test_a_kept_field_stays_and_waits_for_review(fleet: Fleet) -> None:
    agent = online(fleet)
    fleet.sync()
    with unit(fleet.rmm) as session:
        session.execute(
            text("""UPDATE assets SET name = 'Front desk', kept_fields = '["name"]' WHERE id = :id"""),
            {"id": fleet.device(agent)["asset_id"]},
        )
    agent.hostname = "PC-NEW"
    fleet.sync()
    asset = fleet.asset(agent)
    assert (asset["name"], asset["review"]) == ("Front desk", {"name": "PC-NEW"})
    assert history(fleet, agent)[-1]["kind"] == "kept"
    assert fleet.device(agent)["name"] == "PC-NEW"
    fleet.sync()
    assert [entry["kind"] for entry in history(fleet, agent)] == ["created", "kept"]


def test_overdue_is_a_status_of_its_own(fleet: Fleet) -> None:
    agent = online(fleet)
    fleet.sync()
    agent.silent_since = fleet.lab.clock.now()
    fleet.lab.clock.shift(10 * 60)
    fleet.sync()
    assert (fleet.asset(agent)["agent_status"], fleet.asset(agent)["status"]) == ("offline", "active")
    fleet.lab.clock.shift(25 * 60)
    fleet.sync()
    assert (fleet.asset(agent)["agent_status"], fleet.asset(agent)["status"]) == ("overdue", "active")
    assert [entry["changes"].get("agent_status") for entry in history(fleet, agent)[1:]] == [
        ["online", "offline"],
        ["offline", "overdue"],
    ]


def test_the_page_of_the_asset_shows_it(fleet: Fleet) -> None:
    agent = online(fleet)
    agent.has_patches_pending = True
    fleet.sync(full=True)
    page = _page(fleet, f"/assets/{fleet.device(agent)['asset_id']}")
    vitals = fleet.vitals(agent)
    for shown in (
        f"{vitals['os_name']} {vitals['os_version']}",
        *(vitals["model"], vitals["cpu_model"], vitals["lan_ip"], vitals["wan_ip"]),
        *("anna", agent.version, f"{agent.total_ram} GB", "Last restart", "Backed Up"),
        *("Pending patches", vitals["disk_usage"][0]["name"], fleet.asset(agent)["serial_number"]),
    ):
        assert shown in page, shown
    assert vitals["model"].startswith(vitals["manufacturer"])
    assert f"{vitals['manufacturer']} {vitals['model']}" not in page


def test_the_page_of_a_removed_machine_says_why(start: Callable[..., Fleet]) -> None:
    fleet = start(deletionPolicy="mark_inactive")
    agent = online(fleet)
    fleet.sync()
    asset_id = fleet.device(agent)["asset_id"]
    delete_agent(fleet.lab, agent)
    fleet.sync()
    assert "Inactive" not in _page(fleet, f"/assets/{asset_id}")
    fleet.sync()
    assert "Its device is no longer listed by the vendor." in _page(fleet, f"/assets/{asset_id}")


def _page(fleet: Fleet, path: str) -> str:
    with unit(fleet.rmm) as session:
        if session.get(User, ("t1", "ada")) is None:
            session.add(
                User(
                    tenant_id="t1",
                    id="ada",
                    email="ada@example.com",
                    name="Ada",
                    password_hash="",
                    role="admin",
                )
            )
    client = fleet.app.test_client()
    with client.session_transaction() as signed_in:
        signed_in["_user_id"] = "t1/ada"
        signed_in["_fresh"] = True
    answer = client.get(path)
    db.session.rollback()
    assert answer.status_code == 200, answer.location
    return html.unescape(answer.get_data(as_text=True))
