"""Signing in."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField
from wtforms.validators import InputRequired, Length


class LoginForm(FlaskForm):
    """E-mail address and password."""

    email = EmailField(
        "E-mail address",
        [InputRequired("Enter your e-mail address."), Length(max=255)],
        render_kw={"autocomplete": "username", "autofocus": True},
    )
    password = PasswordField(
        "Password",
        [InputRequired("Enter your password."), Length(max=255)],
        render_kw={"autocomplete": "current-password"},
    )
