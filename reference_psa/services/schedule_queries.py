"""What the dispatch board and the calendars read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, aliased

from reference_psa.models import ScheduleConflict, ScheduledUser, ScheduleEntry, User
from reference_psa.models.schedule import CANCELLED


@dataclass(frozen=True, slots=True)
class Slot:
    """An entry in somebody's row; ``overlaps`` says that they were knowingly booked twice."""

    entry: ScheduleEntry
    overlaps: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A person of the board with what they have, by its beginning."""

    id: str
    name: str
    slots: list[Slot]


def board(
    session: Session, tenant_id: str, people: list[tuple[str, str]], start: datetime, end: datetime
) -> list[Row]:
    """A row for each of these people (id and name), then for others who have something then."""
    booked = _booked(session, tenant_id, start, end)
    twice = _overlapping(session, tenant_id, [entry.id for entry, _, _ in booked])
    rows = {user_id: Row(user_id, name, []) for user_id, name in people}
    for entry, user_id, name in booked:
        row = rows.setdefault(user_id, Row(user_id, name, []))
        row.slots.append(Slot(entry, (entry.id, user_id) in twice))
    return list(rows.values())


def _booked(
    session: Session, tenant_id: str, start: datetime, end: datetime
) -> list[tuple[ScheduleEntry, str, str]]:
    when = (ScheduleEntry.starts_at < end, ScheduleEntry.ends_at > start)
    query = select(ScheduleEntry, User.id, User.name).join_from(ScheduleEntry, ScheduledUser, _of_entry())
    query = query.join(User, (User.tenant_id == ScheduledUser.tenant_id) & (User.id == ScheduledUser.user_id))
    query = query.where(ScheduleEntry.tenant_id == tenant_id, *when)
    return [
        (entry, user_id, name)
        for entry, user_id, name in session.execute(
            query.order_by(ScheduleEntry.starts_at, ScheduleEntry.id, User.name)
        )
    ]


def _overlapping(session: Session, tenant_id: str, entry_ids: list[str]) -> set[tuple[str, str]]:
    """Which of the entries overlap for whom, as long as what they overlap takes place."""
    other = aliased(ScheduleEntry)
    same = (other.tenant_id == ScheduleConflict.tenant_id) & (other.id == ScheduleConflict.other_id)
    query = select(ScheduleConflict.entry_id, ScheduleConflict.user_id).join(other, same)
    query = query.where(
        ScheduleConflict.tenant_id == tenant_id,
        ScheduleConflict.entry_id.in_(entry_ids),
        other.status != CANCELLED,
    )
    return {(row.entry_id, row.user_id) for row in session.execute(query)}


def of_user(
    session: Session,
    tenant_id: str,
    user_id: str,
    start: datetime,
    end: datetime,
    *,
    called_off: bool = False,
) -> list[ScheduleEntry]:
    """What a user has then, by its beginning; ``called_off``: with what does not take place."""
    query = select(ScheduleEntry).join(ScheduledUser, _of_entry())
    query = query.where(
        ScheduledUser.tenant_id == tenant_id,
        ScheduledUser.user_id == user_id,
        ScheduleEntry.starts_at < end,
        ScheduleEntry.ends_at > start,
    )
    if not called_off:
        query = query.where(ScheduleEntry.status != CANCELLED)
    return list(session.scalars(query.order_by(ScheduleEntry.starts_at, ScheduleEntry.id)))


def _of_entry() -> ColumnElement[bool]:
    return (ScheduledUser.tenant_id == ScheduleEntry.tenant_id) & (ScheduledUser.entry_id == ScheduleEntry.id)
