"""Maintenance windows: does an instant fall into one?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@dataclass(frozen=True, slots=True)
class Window:
    """A one-off range (half-open) or a weekly recurrence; a scope that is ``None`` takes everything.

    ``recurrence`` takes precedence: ``{"type": "weekly", "days": [0=Sunday…], "startTime": "HH:MM",
    "endTime": "HH:MM", "timezone": IANA}``.
    """

    id: UUID
    name: str
    integration_id: UUID | None
    client_id: str | None
    asset_id: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    recurrence: dict[str, Any] | None


def matching(
    windows: Sequence[Window],
    at: datetime,
    *,
    integration_id: UUID,
    client_id: str | None,
    asset_id: str | None,
) -> list[Window]:
    """All windows that hold at this instant for this target, in their order."""
    return [
        window
        for window in windows
        if in_scope(window, integration_id, client_id, asset_id) and holds(window, at)
    ]


def holds(window: Window, at: datetime) -> bool:
    """Whether the instant lies in the window; by wall clock in the window's zone."""
    if window.recurrence:
        return _weekly(window.recurrence, at)
    if window.starts_at is None or window.ends_at is None:
        return False
    return window.starts_at <= at < window.ends_at


def in_scope(window: Window, integration_id: UUID, client_id: str | None, asset_id: str | None) -> bool:
    """Whether the window is about this target at all; an unknown client or asset is in no narrowed scope."""
    return (
        (window.integration_id is None or window.integration_id == integration_id)
        and (window.client_id is None or window.client_id == client_id)
        and (window.asset_id is None or window.asset_id == asset_id)
    )


def _weekly(recurrence: dict[str, Any], at: datetime) -> bool:
    """A window with an unknown zone or unreadable times matches nothing: alerting goes on."""
    try:
        local = at.astimezone(ZoneInfo(recurrence["timezone"]))
        start, end = time.fromisoformat(recurrence["startTime"]), time.fromisoformat(recurrence["endTime"])
        days = {int(day) for day in recurrence["days"]}
    except (ZoneInfoNotFoundError, KeyError, ValueError, TypeError, OSError):
        # OSError: part of a zone's name, such as "America", is a folder.
        return False
    if start.tzinfo or end.tzinfo:
        return False
    today, now = local.isoweekday() % 7, local.time()
    if start < end:
        return today in days and start <= now < end
    yesterday = (today - 1) % 7
    return (today in days and now >= start) or (yesterday in days and now < end)
