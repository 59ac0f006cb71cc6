"""Deciding once more on an open alert that was only recorded: it turned out to be more than it seemed."""

from __future__ import annotations

import msgspec
from sqlalchemy.orm import Session

from rmm_extension.domain.types import AlertEvent
from rmm_extension.models import utc_now
from rmm_extension.services.context import Rmm

from . import config, stored
from .decide import decide
from .facts import Facts
from .write import Record

_WAITING = ("ticket_id", stored.DETAILS, stored.ATTENTION, stored.HOLD, stored.WINDOW)


def was_only_recorded(facts: Facts) -> bool:
    """Whether it was decided, without a ticket: what still waits for its decision goes on waiting."""
    return all(facts.row[column] is None for column in _WAITING)


def decide_anew(
    rmm: Rmm, session: Session, facts: Facts, event: AlertEvent, record: Record, ticket_failure: str | None
) -> None:
    """Ask windows, for now, and rules; ``record`` has what the event changes already."""
    record.values = stored.undecided(facts, event) | record.values
    before = {name: getattr(event, name) or facts.row[name] for name in ("message", "title")}
    known = msgspec.structs.replace(event, **before)
    rules = config.load(rmm, session, facts)
    decide(rmm, session, facts, known, record, rules, at=utc_now(), ticket_failure=ticket_failure)
    stored.tell_only_news(session, facts, record)
