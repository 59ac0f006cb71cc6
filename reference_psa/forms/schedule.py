"""The dispatch board."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    IntegerField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from reference_psa.db import new_id

from . import choices


class EntryForm(FlaskForm):
    """Time technicians are booked. ``draft`` makes sending the form twice book once."""

    draft = HiddenField(validators=[Length(max=36)])
    user_ids = SelectMultipleField(
        "Technicians",
        [InputRequired("Choose who.")],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    ticket = StringField(
        "Ticket", [Length(max=20)], description="Its number, for example T-1004. May be empty."
    )
    title = StringField("What", [Optional(), Length(max=255)], description="Left empty: the ticket's title.")
    day = DateField("Day", [InputRequired("Choose the day.")])
    start = TimeField("From (UTC)", [InputRequired("From when?")])
    minutes = IntegerField("Minutes", [InputRequired("How long?"), NumberRange(5, 720)], default=60)
    notes = TextAreaField("Notes", [Length(max=2000)], render_kw={"rows": 2})
    overlap = BooleanField("Book it although they have something then")

    def offer(self, tenant_id: str) -> None:
        """Fill in who can be booked."""
        self.draft.data = self.draft.data or new_id()
        self.user_ids.choices = choices.options(choices.technicians(tenant_id))

    @property
    def starts_at(self) -> datetime:
        """The beginning, with its zone."""
        return datetime.combine(self.day.data, self.start.data, UTC)

    @property
    def ends_at(self) -> datetime:
        """The end, with its zone."""
        return self.starts_at + timedelta(minutes=self.minutes.data)
