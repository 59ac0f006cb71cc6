"""The one way a ticket's status changes, for people and for the system."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from reference_psa.adapters._sql import run
from reference_psa.db import new_id

# Locked in a statement of its own, so that what is decided still holds when it is written. Together with the
# join below, a ticket whose status changed while the lock was waited for would be found in neither state.
_LOCK = "SELECT 1 FROM tickets WHERE tenant_id = %(tenant)s AND id = %(ticket)s FOR NO KEY UPDATE"

_READ = """SELECT t.id, t.closed_at IS NULL AS is_open, t.board_id, s.id AS status_id, s.name AS status_name
FROM tickets t JOIN ticket_statuses s ON s.tenant_id = t.tenant_id AND s.id = t.status_id
WHERE t.tenant_id = %(tenant)s AND t.id = %(ticket)s"""

# The chosen status if it is a closed one, else the board's first closed status, else the tenant's.
_PICK = """SELECT s.id, s.name, s.is_closed, s.board_id FROM ticket_statuses s
JOIN tickets t ON t.tenant_id = s.tenant_id AND t.id = %(ticket)s
JOIN boards b ON b.tenant_id = s.tenant_id AND b.id = s.board_id
WHERE s.tenant_id = %(tenant)s AND s.is_closed
ORDER BY s.id = %(status)s DESC, s.board_id = t.board_id DESC, b.position, s.position, s.id LIMIT 1"""

_LOCK_CLOSED = """SELECT id, number FROM tickets
WHERE tenant_id = %(tenant)s AND id = %(ticket)s AND closed_at >= %(since)s
  AND (%(client)s::text IS NULL OR client_id = %(client)s) FOR NO KEY UPDATE"""

# The status that a new ticket of the board has, else its first open one.
_PICK_OPEN = """SELECT s.id, s.name, s.is_closed FROM ticket_statuses s
JOIN tickets t ON t.tenant_id = s.tenant_id AND t.id = %(ticket)s AND t.board_id = s.board_id
WHERE s.tenant_id = %(tenant)s AND NOT s.is_closed
ORDER BY s.is_default DESC, s.position, s.id LIMIT 1"""

_WRITE = """WITH ticket AS (
  UPDATE tickets SET status_id = %(status)s,
    closed_at = CASE WHEN %(closed)s THEN coalesce(closed_at, clock_timestamp()) END,
    closed_by = CASE WHEN %(closed)s THEN %(user)s::text END
  WHERE tenant_id = %(tenant)s AND id = %(ticket)s)
INSERT INTO ticket_status_changes (tenant_id, id, ticket_id, from_status, to_status, user_id, at)
VALUES (%(tenant)s, %(change)s, %(ticket)s, %(old)s, %(new)s, %(user)s, clock_timestamp())"""


class TicketGone(LookupError):
    """There is no such ticket in this tenant."""


class NoOpenStatus(LookupError):
    """The ticket's board has no open status."""


@dataclass(frozen=True, slots=True)
class StatusMove:
    """What became of a change: ``closed`` and ``reopened`` say whether it ended or resumed the work."""

    status_name: str
    closed: bool = False
    reopened: bool = False


def reopen_ticket(
    session: Session, tenant_id: str, ticket_id: str, client_id: str | None, since: datetime
) -> Any | None:
    """Reopen a ticket of that client, if given, closed at ``since`` or later, as the system; its row.

    ``None``, and nothing changed, for any other ticket. Raises :class:`NoOpenStatus`.
    """
    params = {"tenant": tenant_id, "ticket": ticket_id, "client": client_id, "since": since}
    # The lock comes with the check: after waiting for it, PostgreSQL judges the newest row.
    ticket = run(session, _LOCK_CLOSED, params).first()
    if ticket is None:
        return None
    status = run(session, _PICK_OPEN, params).first()
    if status is None:
        raise NoOpenStatus(ticket_id)
    _move(session, tenant_id, _locked(session, tenant_id, ticket_id), status, None)
    return ticket


def close_ticket(
    session: Session, tenant_id: str, ticket_id: str, status_id: str | None, user_id: str | None
) -> StatusMove | None:
    """Close the ticket; ``user_id`` ``None`` is the system. ``None`` when the tenant has no closed status."""
    ticket = _locked(session, tenant_id, ticket_id)
    if not ticket.is_open:
        return StatusMove(ticket.status_name)
    params = {"tenant": tenant_id, "ticket": ticket_id, "status": status_id or ""}
    picked = run(session, _PICK, params).first()
    return _move(session, tenant_id, ticket, picked, user_id) if picked else None


def change_status(
    session: Session, tenant_id: str, ticket_id: str, status: Any, user_id: str | None
) -> StatusMove:
    """Give the ticket another status, which may close or reopen it."""
    ticket = _locked(session, tenant_id, ticket_id)
    if ticket.status_id == status.id:
        return StatusMove(ticket.status_name)
    return _move(session, tenant_id, ticket, status, user_id)


def _locked(session: Session, tenant_id: str, ticket_id: str) -> Any:
    params = {"tenant": tenant_id, "ticket": ticket_id}
    run(session, _LOCK, params)
    row = run(session, _READ, params).first()
    if row is None:
        raise TicketGone(ticket_id)
    return row


def _move(session: Session, tenant_id: str, ticket: Any, status: Any, user_id: str | None) -> StatusMove:
    params = {"tenant": tenant_id, "ticket": ticket.id, "status": status.id, "closed": status.is_closed}
    names = {"old": ticket.status_name, "new": status.name, "change": new_id(), "user": user_id}
    run(session, _WRITE, {**params, **names})
    closed, reopened = ticket.is_open and status.is_closed, not ticket.is_open and not status.is_closed
    return StatusMove(status.name, closed=closed, reopened=reopened)
