"""How often a bot may write in one conversation: Microsoft's table for bots in Teams."""

from __future__ import annotations

from simulators.teams.lab import Lab
from simulators.teams.models import Bot
from simulators.teams.replies import refused

WINDOWS = ((1.0, 7), (2.0, 8), (30.0, 60), (3600.0, 1800))
"""Seconds, and how many in so long; for sending and for creating each."""


def count(lab: Lab, bot: Bot, what: str, conversation_id: str) -> None:
    """Count a call, or refuse it; refused calls are not counted."""
    if not lab.settings.limits:
        return
    key, now = (bot.app_id, what, conversation_id), lab.clock.timestamp()
    recent = [at for at in lab.sends.get(key, []) if now - at < WINDOWS[-1][0]]
    if any(sum(now - at < seconds for at in recent) >= most for seconds, most in WINDOWS):
        headers = {"Retry-After": lab.settings.retry_after} if lab.settings.retry_after else {}
        raise refused(429, "Throttled", "Too many requests.", headers)
    lab.sends[key] = [*recent, now]
