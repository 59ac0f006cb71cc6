"""Existing assets are adopted where that is sure, proposed where it is likely, and never duplicated."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from rmm_extension.domain.errors import ConfigError, Conflict
from rmm_extension.domain.types import AgentStatus, Device, Hardware
from rmm_extension.host import Actor
from rmm_extension.models import DeviceRow
from rmm_extension.services.inventory import UnknownDevice, decide_proposal, proposals
from rmm_extension.services.unit import unit

from .conftest import NOON, World, device

ADA = Actor("ada", "Ada", "t1")
MAC = "00:11:22:33:44:55"


def with_mac(external_id: str, **values: Any) -> Device:
    return device(external_id, hardware=Hardware(macs=(MAC,)), **values)


def decide(world: World, device_id: UUID, asset_id: str | None, actor: Actor = ADA) -> None:
    with unit(world.rmm) as session:
        decide_proposal(world.rmm, session, actor, device_id, asset_id)


@pytest.mark.parametrize(
    "asset, found",
    [
        ({"serial": "sn-D1"}, device("d1")),
        ({"macs": ("00-11-22-33-44-55",)}, with_mac("d1", serial=None)),
        ({"macs": ("001122334455",), "serial": "To be filled by O.E.M."}, with_mac("d1")),
    ],
)
def test_a_known_machine_is_adopted(world: World, asset: dict[str, Any], found: Device) -> None:
    world.map()
    known = world.assets.add(world.tenant, client_id="acme", name="Reception", **asset)
    world.script.devices = [found]
    assert world.sync() == {"processed": 1, "created": 1, "adopted": 1}
    assert world.asset_of("d1") is known
    assert len(world.assets.of(world.tenant)) == 1


def test_another_clients_machine_is_not_adopted(world: World) -> None:
    world.map()
    world.assets.add(world.tenant, client_id="birch-dental", name="D1", serial="SN-d1")
    world.script.devices = [device("d1")]
    assert world.sync() == {"processed": 1, "created": 1}


def test_a_shared_dock_does_not_make_two_machines_one(world: World) -> None:
    world.map()
    world.assets.add(world.tenant, client_id="acme", name="Other", serial="SN-other", macs=(MAC,))
    world.script.devices = [with_mac("d1")]
    assert world.sync() == {"processed": 1, "created": 1}


def test_two_devices_of_one_vendor_are_two_machines(world: World) -> None:
    """Cloned machines report one serial: the one seen last gets the asset that was there."""
    world.map()
    known = world.assets.add(world.tenant, client_id="acme", name="Old", serial="SN-1")
    later = NOON + timedelta(hours=1)
    world.script.devices = [device("d1", serial="SN-1"), device("d2", serial="SN-1", last_seen_at=later)]
    assert world.sync() == {"processed": 2, "created": 2, "adopted": 1}
    assert world.asset_of("d2") is known
    world.script.devices.append(device("d3", serial="SN-1"))
    assert world.sync() == {"processed": 3, "created": 1, "unchanged": 2, "proposed": 1}
    assert len(world.assets.of(world.tenant)) == 3


def test_devices_of_two_vendors_share_an_asset(world: World) -> None:
    world.map()
    world.script.devices = [device("d1")]
    world.sync()
    other = world.connect("other")
    other.map("7")
    later = NOON + timedelta(minutes=1)
    other.script.devices = [device("o1", "7", serial="SN-d1", last_seen_at=later, lan_ip="10.0.0.7")]
    assert other.sync() == {"processed": 1, "created": 1, "adopted": 1}
    asset = world.asset_of("d1")
    assert asset is other.asset_of("o1")
    assert (asset.device, asset.vitals["lan_ip"]) == ("o1", "10.0.0.7")


def test_the_device_seen_last_fills_a_shared_asset(world: World) -> None:
    world.map()
    world.script.devices = [device("d1")]
    world.sync()
    other = world.connect("other")
    other.map("7")
    other.script.devices = [device("o1", "7", serial="SN-d1", last_seen_at=NOON + timedelta(hours=1))]
    other.sync()
    world.script.replace("d1", status=AgentStatus.OFFLINE)
    assert world.sync()["updated"] == 1
    assert (world.asset_of("d1").agent_status, world.device("d1").status) == ("online", "offline")
    world.script.replace(
        "d1", status=AgentStatus.ONLINE, last_seen_at=NOON + timedelta(hours=2), lan_ip="10.1.1.1"
    )
    world.sync()
    assert (world.asset_of("d1").device, world.asset_of("d1").vitals["lan_ip"]) == ("d1", "10.1.1.1")


@pytest.mark.parametrize("page_size", [1, 100])
def test_a_reinstalled_machine_keeps_its_asset(world: World, page_size: int) -> None:
    """The new agent is listed before it is known that the old one is gone."""
    world.map()
    world.script.devices = [device("old"), device("x1"), device("x2")]
    world.sync()
    asset = world.asset_of("old")
    world.script.page_size = page_size
    world.script.devices = [device("new", serial="SN-old"), device("x1"), device("x2")]
    counts = world.sync()
    assert (counts["adopted"], counts["created"], counts["missing"]) == (1, 1, 1)
    assert world.asset_of("new") is asset
    assert len(world.assets.of(world.tenant)) == 3


def test_an_old_agent_that_is_still_listed_keeps_its_asset(world: World) -> None:
    world.map()
    world.script.devices = [device("old"), device("x1")]
    world.sync()
    world.script.page_size = 1
    world.script.devices = [device("new", serial="SN-old"), device("x1"), device("old")]
    counts = world.sync()
    assert (counts["created"], counts.get("adopted")) == (1, None)
    assert world.asset_of("new") is not world.asset_of("old")


@pytest.mark.parametrize("page_size", [1, 100])
def test_a_reinstalled_machine_whose_old_agent_stays_listed(world: World, page_size: int) -> None:
    """The vendor keeps the old row, silent from now on: one asset, filled by the agent that reports."""
    world.map()
    world.script.devices = [device("old"), device("x1")]
    world.sync()
    asset = world.asset_of("old")
    world.script.page_size = page_size
    world.script.replace("old", status=AgentStatus.OFFLINE)
    later = NOON + timedelta(hours=1)
    world.script.devices.insert(0, device("new", serial="SN-old", last_seen_at=later, lan_ip="10.0.0.9"))
    counts = world.sync()
    assert (counts["created"], counts["adopted"]) == (1, 1)
    assert world.asset_of("new") is asset
    assert len(world.assets.of(world.tenant)) == 2
    assert (asset.device, asset.agent_status, asset.vitals["lan_ip"]) == ("new", "online", "10.0.0.9")
    world.script.replace("old", status=AgentStatus.OVERDUE)
    world.script.replace("new", lan_ip="10.0.0.10")
    world.sync()
    assert (asset.device, asset.agent_status, asset.vitals["lan_ip"]) == ("new", "online", "10.0.0.10")


@pytest.mark.parametrize("status", [AgentStatus.ONLINE, AgentStatus.OFFLINE])
def test_while_both_agents_report_or_none_a_person_decides(world: World, status: AgentStatus) -> None:
    world.map()
    world.script.devices = [device("old", status=status)]
    world.sync()
    later = NOON + timedelta(hours=1)
    world.script.devices.append(device("new", serial="SN-old", status=status, last_seen_at=later))
    assert world.sync() == {"processed": 2, "created": 1, "unchanged": 1, "proposed": 1}
    with unit(world.rmm) as session:
        (proposal,) = proposals(world.rmm, session, world.tenant, world.integration_id)
    assert proposal.reason == "serial"
    assert [one.id for one in proposal.candidates] == [world.device("old").asset_id]


def test_the_device_that_still_reports_tells_the_asset_anew(world: World) -> None:
    world.map()
    world.script.devices = [device("d1")]
    world.sync()
    other = world.connect("other")
    other.map("7")
    other.script.devices = [device("o1", "7", serial="SN-d1", last_seen_at=NOON + timedelta(hours=1))]
    other.sync()
    asset = world.asset_of("d1")
    world.script.replace("d1", last_seen_at=NOON + timedelta(hours=2), lan_ip="10.1.1.1")
    world.sync()
    assert asset.device == "d1"
    other.script.replace("o1", last_seen_at=NOON + timedelta(hours=3))
    other.sync()
    world.script.replace("d1", status=AgentStatus.OFFLINE)
    world.sync()
    assert other.sync()["updated"] == 1
    assert (asset.device, asset.agent_status) == ("o1", "online")
    assert other.sync() == {"processed": 1, "unchanged": 1}


def test_what_is_left_of_a_shared_asset_tells_it_anew(world: World) -> None:
    world.map()
    world.script.devices = [device("d1"), device("x1")]
    world.sync()
    other = world.connect("other")
    other.map("7")
    later = NOON + timedelta(hours=1)
    other.script.devices = [device("o1", "7", serial="SN-d1", last_seen_at=later), device("o2", "7")]
    other.sync()
    assert world.asset_of("d1").device == "o1"
    other.script.drop("o1")
    other.sync()
    assert world.sync()["updated"] == 1
    assert world.asset_of("d1").device == "d1"
    other.sync()
    assert world.sync() == {"processed": 2, "unchanged": 2}


def test_a_machine_whose_old_agent_is_missing_is_adopted_at_once(world: World) -> None:
    world.map()
    world.script.devices = [device("old"), device("x1")]
    world.sync()
    world.script.drop("old")
    world.sync()
    world.script.devices.append(device("new", serial="SN-old"))
    assert world.sync()["adopted"] == 1
    assert world.asset_of("new") is world.asset_of("old")


def test_a_name_only_proposes(world: World) -> None:
    world.map()
    known = world.assets.add(world.tenant, client_id="acme", name="d1")
    world.script.devices = [device("d1")]
    assert world.sync() == {"processed": 1, "created": 1, "proposed": 1}
    with unit(world.rmm) as session:
        (proposal,) = proposals(world.rmm, session, world.tenant, world.integration_id)
        assert proposals(world.rmm, session, "t2", world.integration_id) == []
    assert (proposal.device_name, proposal.reason) == ("D1", "name")
    assert [candidate.id for candidate in proposal.candidates] == [known.id]
    assert proposal.asset is not None
    assert proposal.asset.id == world.device("d1").asset_id
    assert world.sync() == {"processed": 1, "unchanged": 1}
    with unit(world.rmm) as session:
        session.execute(update(DeviceRow).values(deleted_at=NOON))
        assert proposals(world.rmm, session, world.tenant, world.integration_id) == [], (
            "gone: nothing to decide"
        )


def test_several_that_fit_are_proposed(world: World) -> None:
    world.map()
    for name in ("One", "Two"):
        world.assets.add(world.tenant, client_id="acme", name=name, serial="SN-d1")
    world.script.devices = [device("d1")]
    assert world.sync()["proposed"] == 1


def test_adopting_a_proposal(world: World) -> None:
    world.map()
    known = world.assets.add(world.tenant, client_id="acme", name="d1")
    world.script.devices = [device("d1", lan_ip="10.0.0.1")]
    world.sync()
    row = world.device("d1")
    made = world.asset_of("d1")
    decide(world, row.id, known.id)
    assert world.asset_of("d1") is known
    assert (known.device, made.active) == ("d1", False)
    assert "adoption_proposal" not in world.device("d1").facts
    assert world.sync()["updated"] == 1
    assert known.vitals["lan_ip"] == "10.0.0.1"
    with pytest.raises(Conflict):
        decide(world, row.id, known.id)


def test_keeping_a_proposal_separate(world: World) -> None:
    world.map()
    known = world.assets.add(world.tenant, client_id="acme", name="d1")
    world.script.devices = [device("d1")]
    world.sync()
    made = world.asset_of("d1")
    decide(world, world.device("d1").id, None)
    assert world.asset_of("d1") is made
    assert known.writes == 0
    with unit(world.rmm) as session:
        assert proposals(world.rmm, session, world.tenant, world.integration_id) == []


def test_only_what_was_proposed_can_be_adopted(world: World) -> None:
    world.map()
    world.assets.add(world.tenant, client_id="acme", name="d1")
    stranger = world.assets.add(world.tenant, client_id="acme", name="else")
    world.script.devices = [device("d1")]
    world.sync()
    row = world.device("d1")
    with pytest.raises(ConfigError):
        decide(world, row.id, stranger.id)
    with pytest.raises(UnknownDevice):
        decide(world, row.id, None, Actor("eve", "Eve", "t2"))
