"""What a select offers of the host's."""

from __future__ import annotations

from collections.abc import Sequence

from flask_wtf import FlaskForm
from wtforms.fields.choices import SelectChoice


def offer(form: FlaskForm, name: str, options: Sequence[Sequence[str]] | None, none: str) -> None:
    """Fill a select with (value, label, group); where the host has no port to ask, the field is not there.

    A value that is offered no more stays, so that saving says so instead of dropping it.
    """
    if options is None:
        del form[name]
        return
    field = form[name]
    choices = [SelectChoice(found[0], found[1], {}, *found[2:]) for found in options]
    if field.data and field.data not in {choice.value for choice in choices}:
        choices.append(SelectChoice(field.data, f"{field.data} (not there any more)"))
    field.choices = [SelectChoice("", none), *choices]
