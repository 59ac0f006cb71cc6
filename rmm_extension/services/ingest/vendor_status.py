"""The state an alert has at its vendor, in the vendor's word: each change of it is a note on the ticket."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from rmm_extension.domain import ticket_text
from rmm_extension.domain.types import AlertEvent
from rmm_extension.services.context import Rmm

from .facts import Facts


def told(facts: Facts, event: AlertEvent) -> dict[str, Any]:
    """The column as the event brings it; nothing from a vendor that tells no state."""
    return {"vendor_status": event.vendor_status} if event.vendor_status else {}


def moved(facts: Facts, event: AlertEvent) -> bool:
    """Whether the event tells another state than the one that is known."""
    return event.vendor_status is not None and event.vendor_status != facts.row["vendor_status"]


def step(facts: Facts, event: AlertEvent) -> tuple[dict[str, Any], ...]:
    """What the history says of a newer event; nothing where no state was known before."""
    old, new = facts.row["vendor_status"], event.vendor_status
    if old is None or new is None:
        return ()
    return ({"code": "vendor_status", "provider": facts.provider, "old": old, "new": new},)


def note(facts: Facts, event: AlertEvent) -> str | None:
    """The same for the ticket."""
    old, new = facts.row["vendor_status"], event.vendor_status
    return None if old is None or new is None else ticket_text.status_note(facts.provider, old, new)


def tell_ticket(rmm: Rmm, session: Session, facts: Facts, event: AlertEvent) -> None:
    """Note it on the alert's ticket while that is open."""
    ticket_id, words = facts.row["ticket_id"], note(facts, event)
    if ticket_id is not None and words is not None and rmm.host.tickets is not None:
        # The alert's own ticket, whoever's it is by now.
        rmm.host.tickets.note_if_open(session, facts.tenant_id, ticket_id, None, words)
