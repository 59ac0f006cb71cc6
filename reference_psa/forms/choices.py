"""What a person can choose from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from wtforms.fields.choices import SelectChoice

from reference_psa.db import db
from reference_psa.models import Board, Client, Contact, Priority, Status, User

Choices = list[tuple[str, str]]

NOBODY: Choices = [("", "Nobody")]


def options(pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    """Pairs of value and label as a field takes them."""
    return [SelectChoice(value, label) for value, label in pairs]


def clients(tenant_id: str) -> Choices:
    """Active clients by name."""
    return _named(Client, tenant_id, Client.is_active, order=Client.name)


def contacts(tenant_id: str, client_id: str | None = None) -> Choices:
    """Active contacts, of one client or of all."""
    where = [Contact.is_active, *([Contact.client_id == client_id] if client_id else [])]
    return _named(Contact, tenant_id, *where, order=Contact.name)


def boards(tenant_id: str) -> Choices:
    """Active boards in their order."""
    return _named(Board, tenant_id, Board.is_active, order=Board.position)


def priorities(tenant_id: str) -> Choices:
    """Priorities, the most urgent first."""
    return _named(Priority, tenant_id, order=Priority.position)


def statuses(tenant_id: str, board_id: str, *, closed: bool | None = None) -> Choices:
    """The board's statuses in their order; only closed or open ones when asked."""
    where = [Status.board_id == board_id, *([Status.is_closed == closed] if closed is not None else [])]
    return _named(Status, tenant_id, *where, order=Status.position)


def workers(tenant_id: str, given_to: str | None = None) -> Choices:
    """People that can be given work, and the one who was given it when that was possible."""
    can_work = User.is_enabled & (User.role != "read_only")
    return _named(User, tenant_id, can_work | (User.id == given_to), order=User.name)


def technicians(tenant_id: str) -> Choices:
    """Active people who can be booked."""
    return _named(User, tenant_id, User.is_enabled, User.role == "technician", order=User.name)


def _named(kind: Any, tenant_id: str, *where: Any, order: Any) -> Choices:
    query = select(kind.id, kind.name).where(kind.tenant_id == tenant_id, *where).order_by(order, kind.id)
    return [(row.id, row.name) for row in db.session.execute(query)]
