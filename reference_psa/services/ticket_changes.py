"""Changing what a ticket says, as the system."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from reference_psa.adapters._sql import run
from rmm_extension.host.types import TicketChanges

from .closing import change_status

# Locked first, in a statement of its own: what is judged below still holds when it is written.
_LOCK = """SELECT closed_at IS NULL AS is_open, board_id FROM tickets
WHERE tenant_id = %(tenant)s AND id = %(ticket)s FOR NO KEY UPDATE"""

_STATUS = """SELECT id, name, is_closed FROM ticket_statuses
WHERE tenant_id = %(tenant)s AND id = %(status)s AND board_id = %(board)s AND NOT is_closed"""
_PRIORITY = "SELECT 1 FROM priorities WHERE tenant_id = %(tenant)s AND id = %(priority)s"
_ASSIGNEE = """SELECT 1 FROM users
WHERE tenant_id = %(tenant)s AND id = %(assignee)s AND is_enabled AND role <> 'read_only'"""

_WRITE = """UPDATE tickets SET title = coalesce(%(title)s, title),
  priority_id = coalesce(%(priority)s, priority_id), assignee_id = coalesce(%(assignee)s, assignee_id)
WHERE tenant_id = %(tenant)s AND id = %(ticket)s"""


class NotChangeable(ValueError):
    """The ticket cannot be changed so; the message is a sentence."""


def change_ticket(session: Session, tenant_id: str, ticket_id: str, changes: TicketChanges) -> None:
    """Change an open ticket; everything is checked before anything is written."""
    values: dict[str, Any] = {
        "tenant": tenant_id,
        "ticket": ticket_id,
        "title": changes.title[:500] if changes.title else None,
        "status": changes.status_id,
        "priority": changes.priority_id,
        "assignee": changes.assignee_id,
    }
    status = _checked(session, values)
    run(session, _WRITE, values)
    if status is not None:
        change_status(session, tenant_id, ticket_id, status, user_id=None)


def _checked(session: Session, values: dict[str, Any]) -> Any | None:
    """The status to set, if any; raises :class:`NotChangeable`."""
    ticket = run(session, _LOCK, values).first()
    if ticket is None:
        raise NotChangeable("The ticket no longer exists.")
    if not ticket.is_open:
        raise NotChangeable("The ticket is closed. Open it again to change it.")
    if values["priority"] and run(session, _PRIORITY, values).first() is None:
        raise NotChangeable("The chosen priority no longer exists.")
    if values["assignee"] and run(session, _ASSIGNEE, values).first() is None:
        raise NotChangeable("The chosen person is not here any more, or takes no tickets.")
    if not values["status"]:
        return None
    status = run(session, _STATUS, {**values, "board": ticket.board_id}).first()
    if status is None:
        raise NotChangeable("The chosen status is gone, closes the ticket or is of another board.")
    return status
