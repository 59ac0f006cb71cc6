"""The one way onto the dispatch board, for people and for the system."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from reference_psa.adapters._sql import distinct, run
from reference_psa.db import new_id
from reference_psa.models.schedule import CANCELLED, SCHEDULED
from rmm_extension.host.types import ScheduleConflict, ScheduleDraft

# In the order of the ids, so that two who book the same people never wait for each other. It stops nobody
# who only refers to a user.
_HOLD = """SELECT 1 FROM users WHERE tenant_id = %(tenant)s AND id = ANY(%(users)s)
ORDER BY id FOR NO KEY UPDATE"""

_CONFLICTS = """SELECT p.user_id, e.id, e.title, e.starts_at, e.ends_at
FROM schedule_entry_users p
JOIN schedule_entries e ON e.tenant_id = p.tenant_id AND e.id = p.entry_id
WHERE p.tenant_id = %(tenant)s AND p.user_id = ANY(%(users)s)
  AND e.status <> %(cancelled)s AND e.starts_at < %(end)s AND e.ends_at > %(start)s
ORDER BY e.starts_at, e.id, p.user_id"""

_TECHNICIANS = """SELECT count(*) FROM users
WHERE tenant_id = %(tenant)s AND id = ANY(%(users)s) AND is_enabled AND role = 'technician'"""

_TICKET = "SELECT 1 FROM tickets WHERE tenant_id = %(tenant)s AND id = %(ticket)s"

_BOOK = """WITH entry AS (
  INSERT INTO schedule_entries (tenant_id, id, ticket_id, title, starts_at, ends_at, status, notes,
                                idempotency_key, created_by, changed_at, sequence)
  VALUES (%(tenant)s, %(id)s, %(ticket)s, %(title)s, %(start)s, %(end)s, %(scheduled)s, %(notes)s,
          %(key)s, %(by)s, clock_timestamp(), 0)
  ON CONFLICT (tenant_id, idempotency_key) DO NOTHING RETURNING tenant_id, id
), people AS (
  INSERT INTO schedule_entry_users (tenant_id, entry_id, user_id)
  SELECT e.tenant_id, e.id, unnest(%(users)s::text[]) FROM entry e
), kept AS (
  INSERT INTO schedule_conflicts (tenant_id, entry_id, user_id, other_id, kind)
  SELECT n.tenant_id, n.id, p.user_id, e.id, 'overlap' FROM entry n
  JOIN schedule_entry_users p ON p.tenant_id = n.tenant_id AND p.user_id = ANY(%(overlaps)s)
  JOIN schedule_entries e ON e.tenant_id = p.tenant_id AND e.id = p.entry_id
    AND e.status <> %(cancelled)s AND e.starts_at < %(end)s AND e.ends_at > %(start)s
)
SELECT id FROM entry"""

_KNOWN = "SELECT id FROM schedule_entries WHERE tenant_id = %(tenant)s AND idempotency_key = %(key)s"

_CALL_OFF = """UPDATE schedule_entries
SET status = %(cancelled)s, changed_at = clock_timestamp(), sequence = sequence + 1
WHERE tenant_id = %(tenant)s AND id = %(entry)s AND status <> %(cancelled)s"""


class NotBookable(ValueError):
    """The board does not take the entry; the message is a sentence."""


def hold(session: Session, tenant_id: str, user_ids: Collection[str]) -> None:
    """Lock the schedules of these users until the transaction ends."""
    run(session, _HOLD, {"tenant": tenant_id, "users": distinct(user_ids)})


def conflicts(
    session: Session, tenant_id: str, user_ids: Collection[str], start: datetime, end: datetime
) -> Sequence[ScheduleConflict]:
    """What these users have then, by its beginning; what was called off is nothing."""
    params = {"tenant": tenant_id, "users": distinct(user_ids), "start": start, "end": end}
    return [ScheduleConflict(*row) for row in run(session, _CONFLICTS, {**params, "cancelled": CANCELLED})]


def has_ticket(session: Session, tenant_id: str, ticket_id: str) -> bool:
    """Whether there is such a ticket."""
    return run(session, _TICKET, {"tenant": tenant_id, "ticket": ticket_id}).first() is not None


def book(session: Session, tenant_id: str, draft: ScheduleDraft, by: str | None = None) -> str:
    """Put one entry for all of its technicians on the board; its id. ``by`` is the person who books.

    Raises :class:`NotBookable`. The same key again is the entry that is there.
    """
    _refuse_nonsense(session, tenant_id, draft)
    params = _values(tenant_id, draft, by)
    made = run(session, _BOOK, params).scalar()
    return str(made or run(session, _KNOWN, params).scalar_one())


def call_off(session: Session, tenant_id: str, entry_id: str) -> bool:
    """Say that an entry does not take place; whether it was to take place."""
    params = {"tenant": tenant_id, "entry": entry_id, "cancelled": CANCELLED}
    return run(session, _CALL_OFF, params).rowcount > 0


def _refuse_nonsense(session: Session, tenant_id: str, draft: ScheduleDraft) -> None:
    users = distinct(draft.user_ids)
    if draft.start >= draft.end:
        raise NotBookable("An entry ends after it begins.")
    able = run(session, _TECHNICIANS, {"tenant": tenant_id, "users": users}).scalar_one()
    if not users or able < len(users):
        raise NotBookable("Only technicians who work here can be booked.")
    if draft.link_type == "project_task":
        raise NotBookable("There are no project tasks here.")
    if draft.link_type is not None and not has_ticket(session, tenant_id, draft.link_id or ""):
        raise NotBookable("The ticket to book time for is gone.")


def _values(tenant_id: str, draft: ScheduleDraft, by: str | None) -> dict[str, Any]:
    return {
        "tenant": tenant_id,
        "id": new_id(),
        "users": distinct(draft.user_ids),
        "overlaps": distinct(draft.overlaps),
        "ticket": draft.link_id if draft.link_type == "ticket" else None,
        "title": draft.title[:255],
        "start": draft.start,
        "end": draft.end,
        "notes": draft.notes,
        "key": draft.idempotency_key,
        "by": by,
        "scheduled": SCHEDULED,
        "cancelled": CANCELLED,
    }
