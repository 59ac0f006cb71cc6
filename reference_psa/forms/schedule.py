"""The dispatch board."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask_wtf import FlaskForm
from wtforms import DateField, IntegerField, SelectField, StringField, TimeField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from . import choices


class EntryForm(FlaskForm):
    """Time a technician is booked."""

    user_id = SelectField("Technician", [InputRequired("Choose who.")])
    ticket = StringField(
        "Ticket", [Length(max=20)], description="Its number, for example T-1004. May be empty."
    )
    title = StringField("What", [Optional(), Length(max=255)], description="Left empty: the ticket's title.")
    day = DateField("Day", [InputRequired("Choose the day.")])
    start = TimeField("From (UTC)", [InputRequired("From when?")])
    minutes = IntegerField("Minutes", [InputRequired("How long?"), NumberRange(5, 720)], default=60)

    def offer(self, tenant_id: str) -> None:
        """Fill in who can be booked."""
        self.user_id.choices = choices.options(choices.workers(tenant_id))

    @property
    def starts_at(self) -> datetime:
        """The beginning, with its zone."""
        return datetime.combine(self.day.data, self.start.data, UTC)

    @property
    def ends_at(self) -> datetime:
        """The end, with its zone."""
        return self.starts_at + timedelta(minutes=self.minutes.data)
