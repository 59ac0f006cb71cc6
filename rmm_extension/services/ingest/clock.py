"""What to make of a vendor's clock that runs ahead."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from rmm_extension.domain.types import AlertEvent, AlertKind
from rmm_extension.models import utc_now

from .facts import Facts

FURTHEST = timedelta(days=1)
"""Clocks differ, and zones are mistaken; nothing that happened lies further ahead than that."""


def is_possible(at: datetime, now: datetime) -> bool:
    """Whether something can have happened at this time of a vendor's."""
    return at <= now + FURTHEST


def possible(facts: Facts, event: AlertEvent) -> AlertEvent:
    """The event as of now where its time cannot be: kept, it would outdate all that comes until then.

    A repeat of what is open already has no news by it.
    """
    now = utc_now()
    if is_possible(event.occurred_at, now):
        return event
    last = facts.last_event_at if facts.known else now
    is_repeat = facts.is_open and event.kind is AlertKind.TRIGGERED
    return msgspec.structs.replace(event, occurred_at=last if is_repeat else max(now, last))
