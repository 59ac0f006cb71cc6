"""Reaching an agent: connected and answering, not connected, connected but silent, or no NATS at all."""

from __future__ import annotations

import time

from simulators.tacticalrmm.lab import Lab
from simulators.tacticalrmm.models import Agent

STATES = ("ok", "agent_down", "silent", "down")
CONNECT_SECONDS = 4.0
"""How long the server tries to reach NATS before it gives up."""


def state_for(lab: Lab, agent: Agent) -> str:
    """The state a request to this agent meets. An agent that is not online is not connected."""
    state = agent.nats or lab.nats
    if state == "ok" and lab.status(agent) != "online":
        return "agent_down"
    return state


def wait(lab: Lab, seconds: float) -> None:
    """Let scaled time pass. Never call it while holding the lock."""
    if seconds * lab.time_scale > 0:
        time.sleep(seconds * lab.time_scale)
