"""Machines that Tactical RMM's demonstration fleet has too, so that one machine is seen by two vendors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from simulators.ninjaone.fleet import Twin
from simulators.tacticalrmm import names
from simulators.tacticalrmm.fleet import Fleet, FleetOptions, build_fleet
from simulators.tacticalrmm.models import Agent

CLASSES = {
    ("windows", "server"): "WINDOWS_SERVER",
    ("windows", "workstation"): "WINDOWS_WORKSTATION",
    ("linux", "server"): "LINUX_SERVER",
    ("linux", "workstation"): "LINUX_WORKSTATION",
    ("darwin", "workstation"): "MAC",
}


def twins(count: int = 20) -> tuple[Twin, ...]:
    """The first such machines with a serial number of their own."""
    fleet = build_fleet(FleetOptions(), datetime(2025, 1, 1, tzinfo=UTC))
    found: dict[str, Twin] = {}
    for serial, twin in _candidates(fleet):
        found.setdefault(serial, twin)
    return tuple(found.values())[:count]


def _candidates(fleet: Fleet) -> Iterator[tuple[str, Twin]]:
    for agent in fleet.agents.values():
        serial = agent.hardware.serial if agent.hardware else None
        if serial and serial not in names.JUNK_SERIALS:
            yield serial, _twin(fleet, agent, serial)


def _twin(fleet: Fleet, agent: Agent, serial: str) -> Twin:
    assert agent.hardware is not None
    return Twin(
        organization=fleet.clients[fleet.sites[agent.site_id].client_id].name,
        name=agent.hostname,
        serial=serial,
        manufacturer=agent.hardware.make,
        model=agent.hardware.model,
        node_class=CLASSES[agent.plat, agent.monitoring_type],
        macs=tuple(agent.hardware.macs),
    )
