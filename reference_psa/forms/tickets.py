"""Forms of the ticket pages."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import HiddenField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from reference_psa.db import new_id

from . import choices


class NewTicketForm(FlaskForm):
    """A new ticket. ``draft`` makes sending the form twice make one ticket."""

    draft = HiddenField(validators=[Length(max=36)])
    title = StringField("Title", [InputRequired("Say in a few words what is wrong."), Length(max=500)])
    client_id = SelectField("Client", [InputRequired("Choose the client.")])
    contact_id = SelectField("Contact", [Optional()], description="Left empty: the client's primary contact.")
    board_id = SelectField("Board", [InputRequired("Choose the board.")])
    priority_id = SelectField("Priority", [Optional()])
    assignee_id = SelectField("Assignee", [Optional()])
    description = TextAreaField("Description", [Length(max=20000)], render_kw={"rows": 6})

    def offer(self, tenant_id: str) -> None:
        """Fill in what can be chosen."""
        self.draft.data = self.draft.data or new_id()
        self.client_id.choices = choices.options(choices.clients(tenant_id))
        self.contact_id.choices = choices.options([("", "Primary contact"), *choices.contacts(tenant_id)])
        self.board_id.choices = choices.options(choices.boards(tenant_id))
        self.priority_id.choices = choices.options([("", "No priority"), *choices.priorities(tenant_id)])
        self.assignee_id.choices = choices.options([*choices.NOBODY, *choices.workers(tenant_id)])


class CommentForm(FlaskForm):
    """A comment, for colleagues or for the contact."""

    body = TextAreaField(
        "Comment", [InputRequired("Write the comment."), Length(max=20000)], render_kw={"rows": 3}
    )
    audience = RadioField(
        "Who sees it",
        choices=choices.options(
            [("internal", "Internal: colleagues only"), ("public", "Public: the contact sees it")]
        ),
        default="internal",
    )


class TimeForm(FlaskForm):
    """Time worked."""

    minutes = IntegerField("Minutes", [InputRequired("How many minutes?"), NumberRange(1, 1440)])
    note = StringField("What was done", [Length(max=500)])


class EditTicketForm(FlaskForm):
    """What the side of a ticket shows."""

    status_id = SelectField("Status")
    priority_id = SelectField("Priority", [Optional()])
    assignee_id = SelectField("Assignee", [Optional()])
    board_id = SelectField("Board")

    def offer(self, tenant_id: str, board_id: str, assignee_id: str | None) -> None:
        """Fill in what can be chosen on the ticket's board; its assignee stays on the list."""
        self.status_id.choices = choices.options(choices.statuses(tenant_id, board_id))
        self.priority_id.choices = choices.options([("", "No priority"), *choices.priorities(tenant_id)])
        self.assignee_id.choices = choices.options(
            [*choices.NOBODY, *choices.workers(tenant_id, assignee_id)]
        )
        self.board_id.choices = choices.options(choices.boards(tenant_id))


class CloseForm(FlaskForm):
    """Closing with a status and, if wanted, a last word."""

    status_id = SelectField("Close as", id="close_status_id")
    comment = TextAreaField("Internal comment", [Length(max=20000)], render_kw={"rows": 2})

    def offer(self, tenant_id: str, board_id: str) -> None:
        """Fill in the board's closed statuses."""
        self.status_id.choices = choices.options(choices.statuses(tenant_id, board_id, closed=True))
