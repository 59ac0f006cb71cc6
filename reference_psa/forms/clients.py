"""Clients and contacts."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, SelectField, StringField, TelField
from wtforms.validators import Email, InputRequired, Length, Optional

from . import choices


class ClientForm(FlaskForm):
    """A client."""

    name = StringField("Name", [InputRequired("Enter the name."), Length(max=255)])
    website = StringField("Website", [Length(max=255)])
    phone = TelField("Phone", [Length(max=50)])
    primary_contact_id = SelectField("Primary contact", [Optional()])
    is_active = BooleanField("Active", default=True, description="Inactive clients are not offered any more.")

    def offer(self, tenant_id: str, client_id: str | None) -> None:
        """Fill in the client's contacts."""
        people = choices.contacts(tenant_id, client_id) if client_id else []
        self.primary_contact_id.choices = choices.options([*choices.NOBODY, *people])


class ContactForm(FlaskForm):
    """A person at a client."""

    name = StringField("Name", [InputRequired("Enter the name."), Length(max=255)])
    email = EmailField("E-mail address", [Optional(), Email("This is no e-mail address."), Length(max=255)])
    phone = TelField("Phone", [Length(max=50)])
    is_active = BooleanField("Active", default=True)
