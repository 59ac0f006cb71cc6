"""The dispatch board: who is where on a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from reference_psa.adapters.people import SqlSchedule
from reference_psa.db import db, new_id, utcnow
from reference_psa.forms.schedule import EntryForm
from reference_psa.models import ScheduleEntry, Ticket
from reference_psa.security import requires

bp = Blueprint("dispatch", __name__, url_prefix="/dispatch")


@bp.get("")
def index() -> ResponseReturnValue:
    """One day, a row a technician."""
    return _page(_asked_day(), EntryForm(formdata=None, day=_asked_day()))


@bp.post("")
@requires("psa.dispatch")
def add() -> ResponseReturnValue:
    """Book somebody."""
    form = EntryForm()
    form.offer(current_user.tenant_id)
    valid = form.validate()
    ticket = _ticket(form.ticket.data or "")
    if valid and form.ticket.data and ticket is None:
        form.ticket.errors, valid = ["There is no ticket of this number."], False
    if valid and not (form.title.data or ticket):
        form.title.errors, valid = ["Enter what it is about, or a ticket."], False
    if not valid:
        return _page(form.day.data or utcnow().date(), form), 422
    _book(form, ticket)
    return redirect(url_for(".index", day=form.day.data.isoformat()))


@bp.post("/<entry_id>/delete")
@requires("psa.dispatch")
def delete(entry_id: str) -> ResponseReturnValue:
    """Take an entry off the board."""
    entry = db.get_or_404(ScheduleEntry, (current_user.tenant_id, entry_id))
    day = entry.starts_at.astimezone(UTC).date()
    db.session.delete(entry)
    db.session.commit()
    flash(f"Removed: {entry.title}.", "success")
    return redirect(url_for(".index", day=day.isoformat()))


def _page(day: date, form: EntryForm) -> str:
    form.offer(current_user.tenant_id)
    people = SqlSchedule().technicians(db.session(), current_user.tenant_id)
    start = datetime.combine(day, datetime.min.time(), UTC)
    when = (ScheduleEntry.starts_at < start + timedelta(days=1), ScheduleEntry.ends_at > start)
    query = select(ScheduleEntry).where(ScheduleEntry.tenant_id == current_user.tenant_id, *when)
    entries: dict[str, list[ScheduleEntry]] = {person.id: [] for person in people}
    for entry in db.session.scalars(query.order_by(ScheduleEntry.starts_at)):
        entries.setdefault(entry.user_id, []).append(entry)
    days = {"before": day - timedelta(days=1), "shown": day, "after": day + timedelta(days=1)}
    return render_template("psa/dispatch.html", people=people, entries=entries, days=days, form=form)


def _asked_day() -> date:
    try:
        return date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return utcnow().date()


def _ticket(number: str) -> Ticket | None:
    digits = number.strip().upper().removeprefix("T-")
    if not digits.isdecimal() or len(digits) > 9:
        return None
    same = (Ticket.tenant_id == current_user.tenant_id, Ticket.number == int(digits))
    return db.session.scalar(select(Ticket).where(*same))


def _book(form: EntryForm, ticket: Ticket | None) -> None:
    title = form.title.data or (ticket.title[:255] if ticket else "")
    entry = ScheduleEntry(
        tenant_id=current_user.tenant_id, id=new_id(), user_id=form.user_id.data, title=title
    )
    entry.ticket_id = ticket.id if ticket else None
    entry.starts_at, entry.ends_at = form.starts_at, form.ends_at
    db.session.add(entry)
    db.session.commit()
    flash(f"Booked: {title}.", "success")
