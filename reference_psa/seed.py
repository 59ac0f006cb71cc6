"""Adds the demonstration data, once.

Every id follows from a name, so that a second run finds what the first one made.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

from reference_psa import seed_data as data
from reference_psa.db import Base, utcnow
from reference_psa.models import (
    FIRST_NUMBER,
    AddOn,
    Asset,
    Board,
    Category,
    Client,
    Comment,
    Contact,
    Priority,
    ScheduledUser,
    ScheduleEntry,
    Status,
    Tenant,
    Ticket,
    TicketCounter,
    TimeEntry,
    User,
)

LOGINS: list[tuple[str, str, str, str]] = [
    (email, data.PASSWORD, role, tenant)
    for tenant, people in data.PEOPLE.items()
    for email, _, role in people
]
"""E-mail address, password, role and tenant of every demonstration account."""


def demo_id(*parts: str) -> str:
    """The id of the thing these names lead to: tenant, kind, name."""
    return str(uuid5(NAMESPACE_URL, "psa/" + "/".join(parts)))


def tenant_id(name: str) -> str:
    """The id of a demonstration tenant."""
    return demo_id(name)


def demo_client(tenant: str, name: str) -> str:
    """The id of a client of the demonstration."""
    return _id(Client, tenant, name)


def seed(session: Session) -> bool:
    """Add the data unless they are there; whether they were added."""
    if session.get(Tenant, tenant_id(data.NORTHBEAM)) is not None:
        return False
    work = (_work(), _hanging_on_work(), _schedule(), _booked())
    for rows in (_tenants(), _organization(), _statuses_and_contacts(), *work):
        session.add_all(rows)
        session.flush()
    return True


def _tenants() -> list[Base]:
    return [Tenant(id=tenant_id(name), name=name, edition=edition) for name, edition in data.TENANTS]


def _organization() -> list[Base]:
    rows: list[Base] = []
    for name, _ in data.TENANTS:
        used = len(data.TICKETS) if name == data.NORTHBEAM else 0
        rows.append(TicketCounter(tenant_id=tenant_id(name), last_number=FIRST_NUMBER + used))
        rows += [AddOn(tenant_id=tenant_id(name), name=addon) for addon in data.ADDONS[name]]
        rows += [*_people(name), *_clients(name), *_catalog(name)]
    return rows


def _people(tenant: str) -> list[Base]:
    secret = generate_password_hash(data.PASSWORD)
    return [
        _row(User, tenant, email, email=email, name=name, role=role, password_hash=secret)
        for email, name, role in data.PEOPLE[tenant]
    ]


def _clients(tenant: str) -> list[Base]:
    return [
        _row(
            Client, tenant, name, name=name, primary_contact_id=_id(Contact, tenant, f"{name}/{contacts[0]}")
        )
        for name, contacts in data.CLIENTS[tenant].items()
    ]


def _catalog(tenant: str) -> list[Base]:
    boards = [
        _row(Board, tenant, name, name=name, is_default=position == 0, position=position)
        for position, name in enumerate(data.BOARDS)
    ]
    priorities = [
        _row(Priority, tenant, name, name=name, position=position)
        for position, name in enumerate(data.PRIORITIES)
    ]
    return [*boards, *priorities, *_categories(tenant)]


def _categories(tenant: str) -> list[Base]:
    rows: list[Base] = []
    for position, (name, below) in enumerate(data.CATEGORIES.items()):
        top = _row(Category, tenant, name, name=name, position=position)
        parent = _id(Category, tenant, name)
        rows.append(top)
        rows += [
            _row(Category, tenant, f"{name}/{one}", name=one, parent_id=parent, position=place)
            for place, one in enumerate(below)
        ]
    return rows


def _statuses_and_contacts() -> list[Base]:
    return [row for name, _ in data.TENANTS for row in (*_statuses(name), *_contacts(name))]


def _statuses(tenant: str) -> list[Base]:
    return [
        _row(
            Status,
            tenant,
            f"{board}/{name}",
            board_id=_id(Board, tenant, board),
            name=name,
            is_closed=closed,
            is_default=position == 0,
            position=position,
        )
        for board in data.BOARDS
        for position, (name, closed) in enumerate(data.STATUSES)
    ]


def _contacts(tenant: str) -> list[Base]:
    return [
        _row(
            Contact,
            tenant,
            f"{client}/{name}",
            client_id=_id(Client, tenant, client),
            name=name,
            email=f"{name.split()[0].lower()}@{''.join(filter(str.isalnum, client.lower()))}.example",
        )
        for client, names in data.CLIENTS[tenant].items()
        for name in names
    ]


def _work() -> list[Base]:
    tickets = [_ticket(FIRST_NUMBER + place, demo) for place, demo in enumerate(reversed(data.TICKETS), 1)]
    assets = [
        _row(
            Asset,
            data.NORTHBEAM,
            demo.name,
            client_id=_id(Client, data.NORTHBEAM, demo.client),
            name=demo.name,
            asset_type=demo.asset_type,
            serial_number=demo.serial,
            location=demo.location,
            notes=demo.notes,
        )
        for demo in data.ASSETS
    ]
    return [*tickets, *assets]


def _ticket(number: int, demo: data.DemoTicket) -> Base:
    opened = utcnow() - timedelta(hours=demo.hours)
    closed = dict(data.STATUSES)[demo.status]
    technician = _id(User, data.NORTHBEAM, demo.assignee) if demo.assignee else None
    return _row(
        Ticket,
        data.NORTHBEAM,
        demo.title,
        number=number,
        title=demo.title,
        description=demo.description,
        client_id=_id(Client, data.NORTHBEAM, demo.client),
        contact_id=_id(
            Contact, data.NORTHBEAM, f"{demo.client}/{data.CLIENTS[data.NORTHBEAM][demo.client][0]}"
        ),
        board_id=_id(Board, data.NORTHBEAM, demo.board),
        status_id=_id(Status, data.NORTHBEAM, f"{demo.board}/{demo.status}"),
        priority_id=_id(Priority, data.NORTHBEAM, demo.priority),
        assignee_id=technician,
        created_by=_id(User, data.NORTHBEAM, "dispatch@northbeam.example"),
        opened_at=opened,
        closed_at=opened + timedelta(hours=3) if closed else None,
        closed_by=technician if closed else None,
    )


def _hanging_on_work() -> list[Base]:
    technician = _id(User, data.NORTHBEAM, "tech@northbeam.example")
    rows: list[Base] = []
    for demo in data.TICKETS:
        common = {"ticket_id": _id(Ticket, data.NORTHBEAM, demo.title), "user_id": technician}
        at = utcnow() - timedelta(hours=demo.hours * 0.6)
        if demo.comment:
            rows.append(_row(Comment, data.NORTHBEAM, demo.title, **common, body=demo.comment, at=at))
        if demo.minutes:
            rows.append(_row(TimeEntry, data.NORTHBEAM, demo.title, **common, minutes=demo.minutes, at=at))
    return rows


_PLAN = (
    (("tech@northbeam.example",), 9, 60, "VPN does not connect from the site office"),
    (("tech@northbeam.example",), 13, 90, "Outlook asks for the password again and again"),
    (("tech2@northbeam.example",), 10, 30, "Wi-Fi drops in the waiting room"),
)
"""Who is booked today, from which hour, for how many minutes, for which ticket."""


def _schedule() -> list[Base]:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return [
        _row(
            ScheduleEntry,
            data.NORTHBEAM,
            title,
            ticket_id=_id(Ticket, data.NORTHBEAM, title),
            title=title,
            starts_at=today + timedelta(hours=hour),
            ends_at=today + timedelta(hours=hour, minutes=minutes),
        )
        for _, hour, minutes, title in _PLAN
    ]


def _booked() -> list[Base]:
    return [
        ScheduledUser(
            tenant_id=tenant_id(data.NORTHBEAM),
            entry_id=_id(ScheduleEntry, data.NORTHBEAM, title),
            user_id=_id(User, data.NORTHBEAM, email),
        )
        for emails, _, _, title in _PLAN
        for email in emails
    ]


def _id(kind: type[Base], tenant: str, name: str) -> str:
    return demo_id(tenant, kind.__tablename__, name)


def _row(kind: type[Base], tenant: str, key: str, **columns: Any) -> Base:
    return kind(tenant_id=tenant_id(tenant), id=_id(kind, tenant, key), **columns)
