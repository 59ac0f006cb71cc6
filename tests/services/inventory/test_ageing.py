"""Status between two looks: what was offline grows overdue, and only the vendor says more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from rmm_extension.domain.types import AgentStatus, Device, Hardware
from rmm_extension.models import DeviceRow, Integration, utc_now
from rmm_extension.services.inventory.ageing import age_statuses
from rmm_extension.services.unit import unit

from .conftest import World, device


def silent(
    external_id: str, minutes: float, status: AgentStatus = AgentStatus.OFFLINE, **more: Any
) -> Device:
    """A device last heard of so long ago, with the times that Tactical RMM has by default."""
    values: dict[str, Any] = {
        "status": status,
        "last_seen_at": utc_now() - timedelta(minutes=minutes),
        "hardware": Hardware(),
        "offline_after_minutes": 4,
        "overdue_after_minutes": 30,
    }
    return device(external_id, **(values | more))


def look_was_earlier(world: World, minutes: float = 30) -> None:
    """As if everything had been synced so long ago."""
    earlier = utc_now() - timedelta(minutes=minutes)
    with unit(world.rmm) as session:
        session.execute(update(DeviceRow).values(last_synced_at=earlier))


@pytest.fixture
def fleet(world: World) -> World:
    world.tenants.active = ["t1"]
    world.map()
    return world


def test_what_was_offline_grows_overdue_with_its_asset(fleet: World) -> None:
    fleet.script.devices = [silent("d1", 31), silent("d2", 29)]
    fleet.sync()
    look_was_earlier(fleet)
    assert age_statuses(fleet.rmm) == 1
    assert [fleet.device(name).status for name in ("d1", "d2")] == ["overdue", "offline"]
    assert [fleet.asset_of(name).agent_status for name in ("d1", "d2")] == ["overdue", "offline"]
    assert (fleet.asset_of("d1").name, fleet.asset_of("d1").client_id) == ("D1", "acme")


@pytest.mark.parametrize("status", [AgentStatus.ONLINE, AgentStatus.UNKNOWN, AgentStatus.OVERDUE])
def test_nothing_is_said_of_one_that_was_not_silent(fleet: World, status: AgentStatus) -> None:
    """It may have reported every minute since: that we have not looked makes nothing offline."""
    fleet.script.devices = [silent("d1", 600, status)]
    fleet.sync()
    look_was_earlier(fleet, 599)
    assert age_statuses(fleet.rmm) == 0
    assert fleet.device("d1").status == status


def test_without_its_times_nothing_ages(fleet: World) -> None:
    fleet.script.devices = [silent("d1", 600, hardware=None), silent("d2", 600, last_seen_at=None)]
    fleet.sync()
    look_was_earlier(fleet, 599)
    assert age_statuses(fleet.rmm) == 0


def test_the_vendor_s_newer_word_stands(fleet: World) -> None:
    """Its clock may be behind ours: what it calls offline now is not called overdue."""
    fleet.script.devices = [silent("d1", 31)]
    fleet.sync()
    assert age_statuses(fleet.rmm) == 0
    look_was_earlier(fleet)
    assert age_statuses(fleet.rmm) == 1
    assert fleet.sync()["updated"] == 1
    assert (fleet.device("d1").status, fleet.asset_of("d1").agent_status) == ("offline", "offline")
    assert age_statuses(fleet.rmm) == 0
    fleet.script.replace("d1", status=AgentStatus.ONLINE, last_seen_at=utc_now())
    fleet.sync()
    assert (fleet.device("d1").status, fleet.asset_of("d1").agent_status) == ("online", "online")


def test_one_that_reports_again_is_online_after_the_next_look(fleet: World) -> None:
    fleet.script.devices = [silent("d1", 31)]
    fleet.sync()
    look_was_earlier(fleet)
    age_statuses(fleet.rmm)
    fleet.script.replace("d1", status=AgentStatus.ONLINE, last_seen_at=utc_now())
    assert fleet.sync()["updated"] == 1
    assert fleet.asset_of("d1").agent_status == "online"


def test_when_nothing_ages_nothing_is_written(fleet: World, statement_counter: Any) -> None:
    fleet.script.devices = [silent(f"d{number}", 10) for number in range(50)]
    fleet.sync()
    versions, writes = fleet.versions(), fleet.asset_of("d0").writes
    with statement_counter() as sent:
        assert age_statuses(fleet.rmm) == 0
    assert sent.count == 1
    assert fleet.versions() == versions
    assert fleet.asset_of("d0").writes == writes


def test_statements_do_not_grow_with_the_fleet(fleet: World, statement_counter: Any) -> None:
    fleet.script.devices = [silent(f"d{number}", 31) for number in range(300)]
    fleet.sync()
    look_was_earlier(fleet)
    with statement_counter() as sent:
        assert age_statuses(fleet.rmm) == 300
    assert sent.count == 2


@pytest.mark.parametrize("state", ["paused", "not_connected", "needs_reauth"])
def test_a_connection_that_rests_is_left_alone(fleet: World, state: str) -> None:
    fleet.script.devices = [silent("d1", 31)]
    fleet.sync()
    look_was_earlier(fleet)
    with unit(fleet.rmm) as session:
        session.execute(update(Integration).values(state=state))
    assert age_statuses(fleet.rmm) == 0


def test_a_suspended_tenant_is_left_alone(fleet: World) -> None:
    fleet.script.devices = [silent("d1", 31)]
    fleet.sync()
    look_was_earlier(fleet)
    fleet.tenants.active = []
    assert age_statuses(fleet.rmm) == 0


def test_of_a_shared_asset_only_the_device_seen_last_speaks(fleet: World) -> None:
    fleet.script.devices = [silent("d1", 40)]
    fleet.sync()
    other = fleet.connect("other")
    other.map("7")
    other.script.devices = [device("o1", "7", serial="SN-d1", last_seen_at=utc_now())]
    other.sync()
    look_was_earlier(fleet)
    assert age_statuses(fleet.rmm) == 1
    assert fleet.device("d1").status == "overdue"
    assert (fleet.asset_of("d1").device, fleet.asset_of("d1").agent_status) == ("o1", "online")


@pytest.mark.parametrize("gone", ["missing_since", "deleted_at"])
def test_what_is_gone_from_a_shared_asset_does_not_speak_for_it(fleet: World, gone: str) -> None:
    fleet.script.devices = [silent("d1", 40)]
    fleet.sync()
    other = fleet.connect("other")
    other.map("7")
    other.script.devices = [silent("o1", 35, AgentStatus.OFFLINE, serial="SN-d1")]
    other.script.replace("o1", external_organization_id="7", overdue_after_minutes=9999)
    other.sync()
    look_was_earlier(fleet)
    with unit(fleet.rmm) as session:
        session.execute(text(f"UPDATE rmm_devices SET {gone} = now() WHERE external_id = 'o1'"))
    assert age_statuses(fleet.rmm) == 1
    assert (fleet.asset_of("d1").device, fleet.asset_of("d1").agent_status) == ("d1", "overdue")


def test_missing_and_deleted_ones_are_left_as_they_were(fleet: World) -> None:
    fleet.script.devices = [silent("d1", 31), silent("d2", 31), silent("d3", 31)]
    fleet.sync()
    look_was_earlier(fleet)
    with unit(fleet.rmm) as session:
        session.execute(text("UPDATE rmm_devices SET missing_since = now() WHERE external_id = 'd1'"))
        session.execute(text("UPDATE rmm_devices SET deleted_at = now() WHERE external_id = 'd2'"))
    assert age_statuses(fleet.rmm) == 1


def test_an_asset_that_is_gone_is_not_made_again(fleet: World) -> None:
    fleet.script.devices = [silent("d1", 31)]
    fleet.sync()
    look_was_earlier(fleet)
    fleet.assets.of("t1").clear()
    assert age_statuses(fleet.rmm) == 1
    assert fleet.assets.of("t1") == {}


@pytest.mark.parametrize(
    "change",
    [
        "status = 'online', last_seen_at = now()",
        "status = 'offline', last_seen_at = now()",
        # Whose asset is told then?
        "asset_id = 'another'",
        "deleted_at = now()",
    ],
)
def test_what_comes_in_between_wins(fleet: World, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    fleet.script.devices = [silent("d1", 31)]
    fleet.sync()
    look_was_earlier(fleet)
    apply = fleet.assets.apply

    def meanwhile(session: Any, tenant_id: str, changes: Any) -> Any:
        session.execute(text(f"UPDATE rmm_devices SET {change}"))
        return apply(session, tenant_id, changes)

    monkeypatch.setattr(fleet.assets, "apply", meanwhile)
    assert age_statuses(fleet.rmm) == 0
    assert fleet.device("d1").status == "offline"
