"""When an agent is online, by the rule of Tactical RMM 1.5.1 (``Agent.status`` in its agents/models.py)."""

from __future__ import annotations

from datetime import datetime

from rmm_extension.domain.types import AgentStatus

_WORDS = {
    "online": AgentStatus.ONLINE,
    "offline": AgentStatus.OFFLINE,
    "overdue": AgentStatus.OVERDUE,
}


def vendor_status(word: str | None) -> AgentStatus | None:
    """The status the server itself gives; ``None`` where it gives none."""
    return _WORDS.get(word) if word else None


def computed_status(
    last_seen: datetime | None, offline_minutes: int | None, overdue_minutes: int | None, now: datetime
) -> AgentStatus:
    """The status the server would give at ``now``, its own clock.

    Never seen is offline. Up to ``offline_minutes`` (4 where unknown) online, above ``overdue_minutes`` (30)
    overdue, between them offline; where both hold, online wins. Maintenance changes nothing.
    """
    if last_seen is None:
        return AgentStatus.OFFLINE
    age = (now - last_seen).total_seconds() / 60
    if age <= max(4 if offline_minutes is None else offline_minutes, 0):
        return AgentStatus.ONLINE
    if age > max(30 if overdue_minutes is None else overdue_minutes, 0):
        return AgentStatus.OVERDUE
    return AgentStatus.OFFLINE
