"""What the user was told, and how they want to be told."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import ColumnElement, select, update

from reference_psa.db import db, utcnow
from reference_psa.forms.settings import PreferencesForm
from reference_psa.models import Notification
from reference_psa.notices import KINDS, SUBTYPES
from reference_psa.security import current_tenant
from reference_psa.services.paging import paged

bp = Blueprint("notifications", __name__, url_prefix="/notifications")


@bp.get("")
def index() -> ResponseReturnValue:
    """The list, newest first."""
    query = select(Notification).where(*_mine()).order_by(Notification.created_at.desc(), Notification.id)
    return render_template("psa/notifications/index.html", page=paged(query))


@bp.post("/read")
def read() -> ResponseReturnValue:
    """Mark one, or all, as read."""
    where = [*_mine(), Notification.read_at.is_(None)]
    if request.form.get("id"):
        where.append(Notification.id == request.form["id"])
    db.session.execute(update(Notification).where(*where).values(read_at=utcnow()))
    db.session.commit()
    return redirect(url_for(".index"))


@bp.route("/preferences", methods=["GET", "POST"])
def preferences() -> ResponseReturnValue:
    """E-mail or not, from which level on, and about what."""
    form = PreferencesForm(obj=current_user)
    if form.validate_on_submit():
        wanted = request.form.getlist("subtype")
        current_user.email_notifications = form.email_notifications.data
        current_user.email_level = form.email_level.data
        current_user.muted_subtypes = [name for name in SUBTYPES if name not in wanted]
        db.session.commit()
        flash("Your preferences were saved.", "success")
        return redirect(url_for(".preferences"))
    return render_template(
        "psa/notifications/preferences.html", form=form, kinds=KINDS, tenant=current_tenant()
    )


def _mine() -> tuple[ColumnElement[bool], ...]:
    return Notification.tenant_id == current_user.tenant_id, Notification.user_id == current_user.id
