"""Tickets made, noted, judged and closed by the alert pipeline."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from reference_psa.db import new_id
from reference_psa.services.closing import NoOpenStatus, TicketGone, close_ticket, reopen_ticket
from reference_psa.services.ticket_changes import NotChangeable, change_ticket
from rmm_extension.domain.errors import HostRejected
from rmm_extension.host.types import CloseResult, TicketChanges, TicketDraft, TicketRef, TicketState

from . import _ticket_sql as sql
from ._sql import distinct, run

_NO_CLOSED_STATUS = "No closed ticket status is set up."
_NO_OPEN_STATUS = "No open ticket status is set up on the ticket's board."
_GONE = "The ticket no longer exists."


class SqlTickets:
    """The PSA's tickets, by as few statements as possible."""

    def create(self, session: Session, tenant_id: str, draft: TicketDraft) -> TicketRef:
        """Make the ticket with its number, note and asset link; the same key again returns the first one.

        Raises :class:`HostRejected` when there is no board or no default status.
        """
        row = run(session, sql.CREATE, _creation(tenant_id, draft)).one()
        if row.id is None and row.taken is not None:
            row = run(session, sql.YIELD, {"tenant": tenant_id, "key": draft.idempotency_key}).one()
        if row.id is None:
            raise HostRejected(_refusal(row, draft))
        return _ref(row)

    def note_if_open(
        self, session: Session, tenant_id: str, ticket_id: str, client_id: str | None, note: str
    ) -> TicketRef | None:
        """Add an internal system note if the ticket is open and, where given, of that client; lock it."""
        params = {
            "tenant": tenant_id,
            "ticket": ticket_id,
            "client": client_id,
            "note": note,
            "note_id": new_id(),
        }
        row = run(session, sql.NOTE_IF_OPEN, params).first()
        return _ref(row) if row else None

    def reopen_if_closed_since(
        self,
        session: Session,
        tenant_id: str,
        ticket_id: str,
        client_id: str | None,
        since: datetime,
        note: str,
    ) -> TicketRef | None:
        """Reopen a ticket of that client, if given, closed at ``since`` or later, with an internal note."""
        try:
            row = reopen_ticket(session, tenant_id, ticket_id, client_id, since)
        except NoOpenStatus as problem:
            raise HostRejected(_NO_OPEN_STATUS) from problem
        if row is None:
            return None
        self.add_note(session, tenant_id, ticket_id, note)
        return _ref(row)

    def add_note(self, session: Session, tenant_id: str, ticket_id: str, note: str) -> None:
        """Add an internal system note, open or closed."""
        params = {"tenant": tenant_id, "ticket": ticket_id, "note": note, "note_id": new_id()}
        run(session, sql.ADD_NOTE, params)

    def state(
        self, session: Session, tenant_id: str, ticket_id: str, *, lock: bool = False
    ) -> TicketState | None:
        """The ticket's state; ``lock`` holds the ticket row until the transaction ends."""
        params = {"tenant": tenant_id, "ticket": ticket_id}
        if lock:
            # Its own statement: the next one's snapshot then sees all that was committed during the wait.
            run(session, sql.LOCK, params)
        row = run(session, sql.STATE, params).first()
        return _state(row, _touch(row)) if row else None

    def get_many(self, session: Session, tenant_id: str, ids: Collection[str]) -> Mapping[str, TicketState]:
        """States of the tickets among ``ids`` that exist, for lists; ``touched`` is left false."""
        found = run(session, sql.STATES, {"tenant": tenant_id, "ids": distinct(ids)})
        return {row.id: _state(row, None) for row in found}

    def close(self, session: Session, tenant_id: str, ticket_id: str, status_id: str | None) -> CloseResult:
        """Close as the system by the same path people use; an already closed ticket stays as it is."""
        try:
            move = close_ticket(session, tenant_id, ticket_id, status_id, user_id=None)
        except TicketGone:
            return CloseResult(closed=False, reason=_GONE)
        if move is None:
            return CloseResult(closed=False, reason=_NO_CLOSED_STATUS)
        return CloseResult(closed=True, status_name=move.status_name)

    def complete_text(
        self,
        session: Session,
        tenant_id: str,
        ticket_id: str,
        *,
        old_title: str,
        title: str,
        old_description: str,
        description: str,
    ) -> bool:
        """Replace title and description, each only where it is still the old one; whether any was."""
        texts = {"old_title": old_title[:500], "title": title[:500]}
        bodies = {"old_description": old_description, "description": description}
        params = {"tenant": tenant_id, "ticket": ticket_id, **texts, **bodies}
        return run(session, sql.COMPLETE, params).rowcount > 0

    def set_priority(self, session: Session, tenant_id: str, ticket_id: str, priority_id: str) -> None:
        """Set the priority as the system; does not count as a person's touch."""
        run(session, sql.SET_PRIORITY, {"tenant": tenant_id, "ticket": ticket_id, "priority": priority_id})

    def update(self, session: Session, tenant_id: str, ticket_id: str, changes: TicketChanges) -> None:
        """Change an open ticket as the system; does not count as a person's touch."""
        try:
            change_ticket(session, tenant_id, ticket_id, changes)
        except NotChangeable as problem:
            raise HostRejected(str(problem)) from problem


def _creation(tenant_id: str, draft: TicketDraft) -> dict[str, Any]:
    return {
        "tenant": tenant_id,
        "id": new_id(),
        "note_id": new_id(),
        "key": draft.idempotency_key,
        "title": draft.title[:500],
        "description": draft.description,
        "client": draft.client_id,
        "board": draft.board_id,
        "status": draft.status_id,
        "priority": draft.priority_id,
        "category": draft.category_id,
        "subcategory": draft.subcategory_id,
        "contact": draft.contact_id,
        "assignee": draft.assignee_id,
        "asset": draft.asset_id,
        "source": draft.source,
        "reference": draft.source_reference,
        "note": draft.note,
    }


def _refusal(row: Any, draft: TicketDraft) -> str:
    if row.client_id is None:
        return f"No client for the ticket {draft.title!r}: the client no longer exists."
    if row.board_id is None:
        chosen = "the chosen board is gone or switched off." if draft.board_id else "no default board is set."
        return f"No board available for the ticket {draft.title!r}: {chosen}"
    if draft.status_id:
        return "The chosen ticket status is gone, closed or of another board."
    return "No default ticket status is set on the board."


def _ref(row: Any) -> TicketRef:
    return TicketRef(id=row.id, number=f"T-{row.number}")


def _state(row: Any, touched_by: str | None) -> TicketState:
    facts = (row.client_id, row.title, row.is_open, row.status_name)
    return TicketState(
        row.id, f"T-{row.number}", *facts, touched=touched_by is not None, touched_by=touched_by
    )


def _touch(row: Any) -> str | None:
    return f"{row.person or 'Somebody'} {row.verb} at {row.at:%H:%M} UTC" if row.verb else None
