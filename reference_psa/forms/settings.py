"""Settings and preferences."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from . import choices


class BoardForm(FlaskForm):
    """A new board; it starts with the usual statuses."""

    name = StringField("Name", [InputRequired("Enter the name."), Length(max=100)])


class StatusForm(FlaskForm):
    """A new status on a board."""

    name = StringField("Name", [InputRequired("Enter the name."), Length(max=100)])
    is_closed = BooleanField("Closes the ticket")


class PriorityForm(FlaskForm):
    """A new priority, below the others."""

    name = StringField("Name", [InputRequired("Enter the name."), Length(max=50)])


class PreferencesForm(FlaskForm):
    """How a user wants to be told."""

    email_notifications = BooleanField("Send me e-mail as well")
    email_level = SelectField(
        "E-mail from",
        choices=choices.options(
            [("info", "Everything"), ("warning", "Warnings and errors"), ("error", "Errors only")]
        ),
    )
