"""What people do with tickets. Every act locks the ticket first, so that automatic closing cannot miss it."""

from __future__ import annotations

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from reference_psa.adapters.tickets import SqlTickets
from reference_psa.db import new_id
from reference_psa.models import Asset, Comment, Status, Ticket, TicketAsset, TimeEntry, User
from reference_psa.services.closing import StatusMove, change_status, close_ticket
from rmm_extension.host.types import Actor, TicketDraft


def open_ticket(session: Session, user: User, draft: TicketDraft) -> str:
    """Make a ticket on a person's behalf; its id."""
    made = SqlTickets().create(session, user.tenant_id, draft)
    session.get_one(Ticket, (user.tenant_id, made.id)).created_by = user.id
    return made.id


def add_comment(session: Session, user: User, ticket_id: str, body: str, *, is_internal: bool) -> None:
    """Comment on the ticket."""
    ticket = locked(session, user.tenant_id, ticket_id)
    session.add(
        Comment(
            tenant_id=user.tenant_id,
            id=new_id(),
            ticket_id=ticket.id,
            user_id=user.id,
            body=body,
            is_internal=is_internal,
        )
    )


def book_time(session: Session, user: User, ticket_id: str, minutes: int, note: str) -> None:
    """Book time on the ticket."""
    ticket = locked(session, user.tenant_id, ticket_id)
    session.add(
        TimeEntry(tenant_id=user.tenant_id, ticket_id=ticket.id, user_id=user.id, minutes=minutes, note=note)
    )


def set_status(session: Session, user: User, ticket_id: str, status: Status) -> StatusMove:
    """Change the status as a person; a closing one tells the extension, in the same transaction."""
    move = change_status(session, user.tenant_id, ticket_id, status, user.id)
    return _told(session, user, ticket_id, move)


def close(session: Session, user: User, ticket_id: str, status_id: str | None) -> StatusMove | None:
    """Close as a person; ``None`` when there is no closed status."""
    move = close_ticket(session, user.tenant_id, ticket_id, status_id, user.id)
    return _told(session, user, ticket_id, move) if move else None


def move_to_board(session: Session, ticket: Ticket, board_id: str) -> None:
    """File the ticket on another board, in the status of the same name there, else in its first one.

    Neither closes nor reopens the ticket, and is no change of status by a person.
    """
    old = session.get_one(Status, (ticket.tenant_id, ticket.status_id))
    same_kind = select(Status).where(
        Status.tenant_id == ticket.tenant_id, Status.board_id == board_id, Status.is_closed == old.is_closed
    )
    best = same_kind.order_by((Status.name == old.name).desc(), Status.is_default.desc(), Status.position)
    status = session.scalars(best.limit(1)).first()
    if status is not None:
        ticket.board_id, ticket.status_id = board_id, status.id


def link_asset(session: Session, user: User, ticket_id: str, asset_id: str) -> bool:
    """Say that the ticket is about an asset of its client; whether it now is."""
    ticket = locked(session, user.tenant_id, ticket_id)
    asset = session.get(Asset, (user.tenant_id, asset_id))
    if asset is None or asset.client_id != ticket.client_id:
        return False
    if session.get(TicketAsset, (user.tenant_id, ticket_id, asset_id)) is None:
        session.add(TicketAsset(tenant_id=user.tenant_id, ticket_id=ticket_id, asset_id=asset_id))
    return True


def locked(session: Session, tenant_id: str, ticket_id: str) -> Ticket:
    """The ticket, held until the transaction ends."""
    query = select(Ticket).where(Ticket.tenant_id == tenant_id, Ticket.id == ticket_id)
    return session.scalars(
        query.with_for_update(key_share=True).execution_options(populate_existing=True)
    ).one()


def _told(session: Session, user: User, ticket_id: str, move: StatusMove) -> StatusMove:
    if move.closed:
        actor = Actor(id=user.id, name=user.name, tenant_id=user.tenant_id)
        current_app.extensions["rmm"].ticket_closed(session, user.tenant_id, ticket_id, actor)
    return move
