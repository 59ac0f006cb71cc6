"""Signing in and out."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_user, logout_user
from sqlalchemy import func, select
from werkzeug.security import check_password_hash, generate_password_hash

from reference_psa.db import db
from reference_psa.forms.auth import LoginForm
from reference_psa.models import User

bp = Blueprint("auth", __name__)

# Compared against when there is no such user, so that both answers take the same time.
_NOBODY = generate_password_hash("nobody")


@bp.route("/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    """The log-in page."""
    form = LoginForm()
    if form.validate_on_submit():
        user = _verified(form.email.data or "", form.password.data or "")
        if user is not None:
            session.clear()
            login_user(user)
            session.permanent = True
            return redirect(_safe_target(request.args.get("next")))
        flash("The e-mail address or the password is wrong.", "danger")
    return render_template("psa/login.html", form=form), 422 if form.is_submitted() else 200


@bp.post("/logout")
def logout() -> ResponseReturnValue:
    """End the session."""
    logout_user()
    session.clear()
    return redirect(url_for("auth.login"))


def _verified(email: str, password: str) -> User | None:
    user = db.session.scalar(select(User).where(func.lower(User.email) == email.strip().lower()))
    right = check_password_hash(user.password_hash if user else _NOBODY, password)
    return user if user and right and user.is_enabled else None


def _safe_target(target: str | None) -> str:
    """The page asked for, if it is one of ours."""
    parts = urlsplit(target or "")
    ours = target and target.startswith("/") and not parts.scheme and not parts.netloc and "\\" not in target
    return target if ours and target else "/"
