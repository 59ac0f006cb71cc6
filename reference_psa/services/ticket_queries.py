"""What the ticket pages read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ScalarSelect, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from reference_psa.db import AnyRow, AnySelect
from reference_psa.models import (
    Asset,
    Board,
    Category,
    Client,
    Comment,
    Contact,
    Priority,
    Status,
    StatusChange,
    Ticket,
    TicketAsset,
    TimeEntry,
    User,
)


def with_names(tenant_id: str) -> AnySelect:
    """Tickets of the tenant with the names of all they refer to."""
    return (
        select(
            Ticket,
            Client.name.label("client"),
            Status.name.label("status"),
            Status.is_closed,
            Status.is_default,
            Priority.name.label("priority"),
            User.name.label("assignee"),
            Board.name.label("board"),
            _category(Ticket.category_id).label("category"),
            _category(Ticket.subcategory_id).label("subcategory"),
            Contact.name.label("contact"),
        )
        .join(Client, _same(Ticket.client_id, Client))
        .join(Status, _same(Ticket.status_id, Status))
        .join(Board, _same(Ticket.board_id, Board))
        .outerjoin(Priority, _same(Ticket.priority_id, Priority))
        .outerjoin(User, _same(Ticket.assignee_id, User))
        .outerjoin(Contact, _same(Ticket.contact_id, Contact))
        .where(Ticket.tenant_id == tenant_id)
    )


def _category(column: InstrumentedAttribute[str | None]) -> ScalarSelect[str]:
    mine = (Category.tenant_id == Ticket.tenant_id, Category.id == column)
    return select(Category.name).where(*mine).scalar_subquery()


def filtered(query: AnySelect, args: Mapping[str, str], user_id: str) -> AnySelect:
    """The query narrowed by a list page's parameters."""
    exact = {"board": Ticket.board_id, "priority": Ticket.priority_id, "client": Ticket.client_id}
    for name, column in exact.items():
        if args.get(name):
            query = query.where(column == args[name])
    query = _by_state(query, args.get("state") or "open")
    query = _by_assignee(query, args.get("assignee"), user_id)
    if args.get("source"):
        query = query.where(Ticket.source == args["source"])
    return _searched(query, (args.get("q") or "").strip())


def _by_state(query: AnySelect, state: str) -> AnySelect:
    if state == "all":
        return query
    return query.where(Ticket.closed_at.is_not(None) if state == "closed" else Ticket.closed_at.is_(None))


def _by_assignee(query: AnySelect, assignee: str | None, user_id: str) -> AnySelect:
    if not assignee:
        return query
    if assignee == "none":
        return query.where(Ticket.assignee_id.is_(None))
    return query.where(Ticket.assignee_id == (user_id if assignee == "me" else assignee))


def _searched(query: AnySelect, text: str) -> AnySelect:
    if not text:
        return query
    number = text.upper().removeprefix("T-")
    matches = [Ticket.title.icontains(text, autoescape=True), Client.name.icontains(text, autoescape=True)]
    if number.isdecimal() and len(number) < 10:
        matches.append(Ticket.number == int(number))
    return query.where(or_(*matches))


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a ticket's timeline."""

    at: datetime
    who: str
    kind: str
    text: str


def timeline(session: Session, tenant_id: str, ticket_id: str) -> list[Happening]:
    """Comments, booked time and status changes of the ticket, newest first."""
    comments = [
        Happening(c.at, _author(c, name), "internal" if c.is_internal else "public", c.body)
        for c, name in _by_people(session, Comment, tenant_id, ticket_id)
    ]
    times = [
        Happening(t.at, name or "Somebody", "time", f"{t.minutes} min" + (f": {t.note}" if t.note else ""))
        for t, name in _by_people(session, TimeEntry, tenant_id, ticket_id)
    ]
    moves = [
        Happening(m.at, name or "System", "status", f"{m.from_status} → {m.to_status}")
        for m, name in _by_people(session, StatusChange, tenant_id, ticket_id)
    ]
    return sorted([*comments, *times, *moves], key=lambda happening: happening.at, reverse=True)


def _author(comment: Comment, name: str | None) -> str:
    return "System" if comment.is_system_generated or not name else name


def _by_people(session: Session, kind: Any, tenant_id: str, ticket_id: str) -> list[AnyRow]:
    person = aliased(User)
    query = select(kind, person.name).outerjoin(person, _same(kind.user_id, person, kind.tenant_id))
    return list(session.execute(query.where(kind.tenant_id == tenant_id, kind.ticket_id == ticket_id)).all())


def linked_assets(session: Session, tenant_id: str, ticket_id: str) -> list[Asset]:
    """The assets the ticket is about."""
    query = select(Asset).join(TicketAsset, _same(TicketAsset.asset_id, Asset, TicketAsset.tenant_id))
    query = query.where(TicketAsset.tenant_id == tenant_id, TicketAsset.ticket_id == ticket_id)
    return list(session.scalars(query.order_by(Asset.name)))


def _same(column: Any, other: Any, tenant: Any = Ticket.tenant_id) -> Any:
    return and_(other.tenant_id == tenant, other.id == column)
