"""Everybody's own calendar: an address that a calendar program subscribes to, and reads only."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from flask import Blueprint, Response, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from reference_psa import calendar_feed
from reference_psa.db import db, utcnow
from reference_psa.models import ScheduleEntry, User
from reference_psa.services import schedule_queries

bp = Blueprint("calendar", __name__, url_prefix="/calendar")

PAST, FUTURE = timedelta(days=60), timedelta(days=366)


@bp.get("")
def index() -> ResponseReturnValue:
    """Whether there is an address, and what to do with one."""
    return _page(None)


@bp.post("")
def renew() -> ResponseReturnValue:
    """A new address; the former one works no more. Only its hash is kept, so it is shown this once."""
    token = secrets.token_urlsafe(32)
    current_user.calendar_hash = _hash(token)
    db.session.commit()
    return _page(_public(url_for(".feed", token=token)))


@bp.post("/delete")
def delete() -> ResponseReturnValue:
    """No address any more."""
    current_user.calendar_hash = None
    db.session.commit()
    flash("Your calendar's address works no more.", "success")
    return redirect(url_for(".index"))


@bp.get("/<token>.ics")
def feed(token: str) -> ResponseReturnValue:
    """The entries of whoever has this address."""
    user = db.session.scalars(select(User).where(User.calendar_hash == _hash(token), User.is_enabled)).first()
    if user is None:
        abort(404)
    now = utcnow()
    entries = schedule_queries.of_user(
        db.session(), user.tenant_id, user.id, now - PAST, now + FUTURE, called_off=True
    )
    text = calendar_feed.render(f"{user.name}: dispatch board", [(one, _ticket(one)) for one in entries])
    return Response(text, content_type="text/calendar; charset=utf-8", headers={"Cache-Control": "no-store"})


def _page(address: str | None) -> str:
    return render_template("psa/calendar.html", address=address)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _ticket(entry: ScheduleEntry) -> str | None:
    return _public(url_for("tickets.detail", ticket_id=entry.ticket_id)) if entry.ticket_id else None


def _public(path: str) -> str:
    base = current_app.config.get("RMM_PUBLIC_URL") or request.url_root
    return base.rstrip("/") + path
