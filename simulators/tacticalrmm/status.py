"""The status rule of the server: online, offline or overdue from the age of the last check-in."""

from __future__ import annotations

from datetime import datetime

from simulators.tacticalrmm.models import Agent


def status_of(agent: Agent, now: datetime) -> str:
    """Status at `now`. Maintenance mode does not change it.

    An age within offline_time is online even when overdue_time is the smaller of the two.
    """
    seen = agent.last_seen(now)
    if seen is None:
        return "offline"
    minutes = (now - seen).total_seconds() / 60
    if minutes <= agent.offline_time:
        return "online"
    return "overdue" if minutes > agent.overdue_time else "offline"
