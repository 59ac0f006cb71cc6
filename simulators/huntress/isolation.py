"""Isolating and releasing a host: pending at first, in force by the clock or when told to."""

from __future__ import annotations

from simulators.huntress.lab import Lab
from simulators.huntress.models import Agent

FREE = ("Enabled", "Disabled")


def status_of(lab: Lab, agent: Agent) -> str:
    """The firewall's status now."""
    if agent.settles is not None and agent.settles[0] <= lab.now():
        settle(agent)
    return agent.firewall


def settle(agent: Agent) -> None:
    """Let what is pending take hold."""
    if agent.settles is not None:
        agent.updated, agent.firewall = agent.settles
        agent.settles = None


def isolate(lab: Lab, agent: Agent) -> bool:
    """Start to isolate; whether that can be."""
    if not agent.isolatable or status_of(lab, agent) not in FREE:
        return False
    _begin(lab, agent, "Pending Isolation", "Isolated")
    return True


def release(lab: Lab, agent: Agent) -> bool:
    """Start to release; whether that can be."""
    if status_of(lab, agent) != "Isolated":
        return False
    _begin(lab, agent, "Pending Release", "Enabled")
    return True


def _begin(lab: Lab, agent: Agent, pending: str, then: str) -> None:
    agent.firewall, agent.updated = pending, lab.now()
    agent.settles = (lab.now() + lab.settings.isolation_seconds, then)
