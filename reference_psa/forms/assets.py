"""Assets."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from reference_psa.models import ASSET_TYPES
from reference_psa.presentation import words

from . import choices

KEEPABLE = ("name", "client_id", "asset_type", "serial_number", "location", "asset_tag")


class AssetForm(FlaskForm):
    """What a person enters; ``kept_fields`` are not overwritten by an RMM."""

    name = StringField("Name", [InputRequired("Enter the name."), Length(max=255)])
    client_id = SelectField("Client", [Optional()])
    asset_type = SelectField("Type", choices=choices.options([(kind, words(kind)) for kind in ASSET_TYPES]))
    serial_number = StringField("Serial number", [Length(max=255)])
    location = StringField("Location", [Length(max=255)])
    asset_tag = StringField("Asset tag", [Length(max=255)])
    status = SelectField("Status", choices=choices.options([("active", "Active"), ("inactive", "Inactive")]))
    notes = TextAreaField("Notes", [Length(max=20000)], render_kw={"rows": 4})
    kept_fields = SelectMultipleField(
        "Keep against the RMM",
        choices=choices.options([(name, words(name)) for name in KEEPABLE]),
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
        description="A kept field stays as it is; what the RMM reports instead is shown for review.",
    )

    def offer(self, tenant_id: str) -> None:
        """Fill in the clients."""
        self.client_id.choices = choices.options([("", "No client"), *choices.clients(tenant_id)])
