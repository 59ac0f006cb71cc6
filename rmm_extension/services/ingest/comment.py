"""What somebody wrote about an alert at its vendor: a note on the ticket, each comment once."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from rmm_extension.domain import ticket_text
from rmm_extension.domain.types import AlertEvent, Channel, Outcome
from rmm_extension.host import TicketState
from rmm_extension.services.context import Rmm
from rmm_extension.services.driver import json_text, run

from .facts import Facts
from .result import Ingested
from .write import Record, change_as_seen

LONGEST_TOLD = 2_000
"""So many characters of a comment stand in the alert's story; its ticket has all of it."""

_TOLD = """
SELECT FROM rmm_alert_events
WHERE tenant_id = %(tenant)s AND alert_id = %(alert)s AND steps @> %(step)s::jsonb LIMIT 1
"""
_HOLD = "SELECT FROM rmm_alerts WHERE tenant_id = %(tenant)s AND id = %(alert)s FOR NO KEY UPDATE"


def take_comment(rmm: Rmm, session: Session, facts: Facts, event: AlertEvent, channel: Channel) -> Ingested:
    """Note the comment of a known alert on its ticket, if that is open, and in its story.

    It moves no state, whatever the alert's is by now: what else the event says comes by its own way. The
    alert's row is held while its story is asked for the comment, so that of simultaneous deliveries one adds
    it; one that comes later waits for nothing.
    """
    ticket_id = facts.row["ticket_id"]
    known = Ingested(Outcome.SKIPPED, facts.alert_id, ticket_id, reason="duplicate")
    if _is_told(session, facts, event):
        return known
    ticket = _held_ticket(rmm, session, facts)
    run(session, _HOLD, {"tenant": facts.tenant_id, "alert": facts.alert_id})
    if _is_told(session, facts, event):
        return known
    record = Record.of(facts, event, channel, {}, outcome=Outcome.UPDATED)
    note_comment(rmm, session, facts, event, record, ticket)
    if channel is Channel.WEBHOOK:
        record.followups["webhook_received"] = True
    change_as_seen(session, record, facts.seen)
    return Ingested(Outcome.UPDATED, facts.alert_id, ticket_id)


def note_comment(
    rmm: Rmm, session: Session, facts: Facts, event: AlertEvent, record: Record, ticket: TicketState | None
) -> None:
    """Put the comment on this ticket, which is held, if it is open, and into the story."""
    step: dict[str, Any] = {"code": "commented", "note_id": event.note_id, "provider": facts.provider}
    step["note"] = (event.note or "")[:LONGEST_TOLD]
    if ticket is not None and ticket.is_open and rmm.host.tickets is not None:
        note = ticket_text.comment_note(facts.provider, event.occurred_at, event.note or "")
        rmm.host.tickets.add_note(session, facts.tenant_id, ticket.id, note)
        step["number"] = ticket.number
    record.steps.append(step)


def ticket_of(rmm: Rmm, session: Session, tenant_id: str, ticket_id: str | None) -> TicketState | None:
    """The ticket, held; before the alert's row, as everywhere."""
    if ticket_id is None or rmm.host.tickets is None:
        return None
    return rmm.host.tickets.state(session, tenant_id, ticket_id, lock=True)


def _held_ticket(rmm: Rmm, session: Session, facts: Facts) -> TicketState | None:
    return ticket_of(rmm, session, facts.tenant_id, facts.row["ticket_id"])


def _is_told(session: Session, facts: Facts, event: AlertEvent) -> bool:
    step = [{"code": "commented", "note_id": event.note_id}]
    parameters = {"tenant": facts.tenant_id, "alert": facts.alert_id, "step": json_text(step)}
    return run(session, _TOLD, parameters).fetchone() is not None
