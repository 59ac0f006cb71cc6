"""The first page after signing in."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import func, select

from reference_psa.db import db, utcnow
from reference_psa.models import ScheduleEntry, Ticket
from reference_psa.services import schedule_queries, ticket_queries

bp = Blueprint("dashboard", __name__)


@bp.get("/")
def index() -> ResponseReturnValue:
    """My work, what nobody has, and what is booked today."""
    tickets = ticket_queries.with_names(current_user.tenant_id).where(Ticket.closed_at.is_(None))
    newest = tickets.order_by(Ticket.opened_at.desc()).limit(8)
    return render_template(
        "psa/dashboard.html",
        mine=db.session.execute(newest.where(Ticket.assignee_id == current_user.id)).all(),
        unassigned=db.session.execute(newest.where(Ticket.assignee_id.is_(None))).all(),
        counts=_counts(),
        booked=_booked(),
    )


def _counts() -> dict[str, int]:
    is_open, today = Ticket.closed_at.is_(None), utcnow() - timedelta(days=1)
    counted = {
        "open": func.count().filter(is_open),
        "mine": func.count().filter(is_open, Ticket.assignee_id == current_user.id),
        "unassigned": func.count().filter(is_open, Ticket.assignee_id.is_(None)),
        "opened_today": func.count().filter(Ticket.opened_at >= today),
        "closed_today": func.count().filter(Ticket.closed_at >= today),
    }
    recent = Ticket.closed_at.is_(None) | (Ticket.closed_at >= today)
    columns = [column.label(name) for name, column in counted.items()]
    query = select(*columns).where(Ticket.tenant_id == current_user.tenant_id, recent)
    return dict(db.session.execute(query).one()._mapping)


def _booked() -> list[ScheduleEntry]:
    start = utcnow().replace(hour=0, minute=0, second=0, microsecond=0)
    return schedule_queries.of_user(
        db.session(), current_user.tenant_id, current_user.id, start, start + timedelta(days=1)
    )
