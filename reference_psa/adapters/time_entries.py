"""Booking time."""

from __future__ import annotations

from sqlalchemy.orm import Session

from reference_psa.db import new_id
from rmm_extension.domain.errors import HostRejected

from ._sql import run

# The ticket is locked, so that an automatic close that looked a moment ago cannot miss this entry.
_ADD = """WITH ticket AS (
  SELECT tenant_id, id FROM tickets WHERE tenant_id = %(tenant)s AND id = %(ticket)s FOR NO KEY UPDATE)
INSERT INTO time_entries (tenant_id, id, ticket_id, user_id, minutes, note, at)
SELECT t.tenant_id, %(id)s, t.id, u.id, %(minutes)s, %(note)s, clock_timestamp()
FROM ticket t JOIN users u ON u.tenant_id = t.tenant_id AND u.id = %(user)s AND u.is_enabled RETURNING id"""


class SqlTimeEntries:
    """Time entries on tickets."""

    def add(
        self, session: Session, tenant_id: str, ticket_id: str, user_id: str, minutes: int, note: str
    ) -> str:
        """Book time on a ticket; the entry's id."""
        if minutes <= 0:
            raise HostRejected("A time entry needs at least one minute.")
        params = {"tenant": tenant_id, "ticket": ticket_id, "user": user_id, "minutes": minutes, "note": note}
        entry_id: str | None = run(session, _ADD, {**params, "id": new_id()}).scalar()
        if entry_id is None:
            raise HostRejected("Time can only be booked on an existing ticket by an active user.")
        return entry_id
