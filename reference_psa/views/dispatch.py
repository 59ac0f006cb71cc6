"""The dispatch board: who is where on a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from reference_psa.db import db, utcnow
from reference_psa.forms import choices
from reference_psa.forms.schedule import EntryForm
from reference_psa.models import ScheduleEntry, Ticket
from reference_psa.security import requires
from reference_psa.services import schedule_queries, scheduling
from rmm_extension.host import ScheduleConflict, ScheduleDraft

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
    ticket = _ticket(form.ticket.data or "")
    if not (form.validate() and _names_something(form, ticket) and _book(form, ticket)):
        db.session.rollback()
        return _page(form.day.data or utcnow().date(), form), 422
    db.session.commit()
    return redirect(url_for(".index", day=form.day.data.isoformat()))


@bp.post("/<entry_id>/call-off")
@requires("psa.dispatch")
def call_off(entry_id: str) -> ResponseReturnValue:
    """Say that an entry does not take place."""
    entry = db.get_or_404(ScheduleEntry, (current_user.tenant_id, entry_id))
    day, title = entry.starts_at.astimezone(UTC).date(), entry.title
    scheduling.call_off(db.session(), current_user.tenant_id, entry_id)
    db.session.commit()
    flash(f"Called off: {title}.", "success")
    return redirect(url_for(".index", day=day.isoformat()))


def _page(day: date, form: EntryForm) -> str:
    tenant_id = current_user.tenant_id
    form.offer(tenant_id)
    start = datetime.combine(day, datetime.min.time(), UTC)
    rows = schedule_queries.board(
        db.session(), tenant_id, choices.technicians(tenant_id), start, start + timedelta(days=1)
    )
    days = {"before": day - timedelta(days=1), "shown": day, "after": day + timedelta(days=1)}
    return render_template("psa/dispatch.html", rows=rows, days=days, form=form)


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


def _names_something(form: EntryForm, ticket: Ticket | None) -> bool:
    if form.ticket.data and ticket is None:
        form.ticket.errors = ["There is no ticket of this number."]
        return False
    if not (form.title.data or ticket):
        form.title.errors = ["Enter what it is about, or a ticket."]
        return False
    return True


def _book(form: EntryForm, ticket: Ticket | None) -> bool:
    """Whether it was booked; where somebody has something then, only if that is wanted."""
    session, tenant_id, users = db.session(), current_user.tenant_id, form.user_ids.data
    scheduling.hold(session, tenant_id, users)
    found = scheduling.conflicts(session, tenant_id, users, form.starts_at, form.ends_at)
    if found and not form.overlap.data:
        form.user_ids.errors = [_taken(found)]
        return False
    draft = _draft(form, ticket, tuple({one.user_id for one in found}))
    try:
        scheduling.book(session, tenant_id, draft, by=current_user.id)
    except scheduling.NotBookable as problem:
        form.user_ids.errors = [str(problem)]
        return False
    flash(f"Booked: {draft.title}.", "success")
    return True


def _draft(form: EntryForm, ticket: Ticket | None, overlaps: tuple[str, ...]) -> ScheduleDraft:
    return ScheduleDraft(
        idempotency_key=f"form:{form.draft.data}",
        user_ids=tuple(form.user_ids.data),
        title=form.title.data or (ticket.title if ticket else ""),
        start=form.starts_at,
        end=form.ends_at,
        link_type="ticket" if ticket else None,
        link_id=ticket.id if ticket else None,
        notes=form.notes.data or None,
        overlaps=overlaps,
    )


def _taken(found: Sequence[ScheduleConflict]) -> str:
    names = dict(choices.technicians(current_user.tenant_id))
    one = found[0]
    times = f"{one.start.astimezone(UTC):%H:%M}–{one.end.astimezone(UTC):%H:%M}"
    return f"{names.get(one.user_id, 'Somebody')} has “{one.title}” then ({times})."
