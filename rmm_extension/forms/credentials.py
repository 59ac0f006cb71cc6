"""The form of a sign-in, made from the fields its provider asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, SelectField, StringField
from wtforms import Field as FormField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from rmm_extension.domain.errors import AddressRefused, ConfigError
from rmm_extension.domain.types import Check
from rmm_extension.providers.contract import AuthMode, Field
from rmm_extension.services.credentials import SecretsNeeded

PREFIX = "field_"
"""Before the names of a provider's fields, so that they meet none of ours."""
_LONGEST = 4000
_TYPES = {"url": "url", "number": "number"}


class CredentialsForm(FlaskForm):  # type: ignore[misc]
    """Base of the generated forms; ``mode`` is the sign-in they belong to."""

    mode: AuthMode

    def typed(self) -> dict[str, str]:
        """What was typed, by the provider's names; a ticked box is ``1``."""
        return {field.name: _text(self[PREFIX + field.name].data) for field in self.mode.fields}

    def refuse(self, error: ConfigError) -> str | None:
        """Put what is about one field at it; any other sentence is returned for the top of the form."""
        names = ["instance_url"] if isinstance(error, AddressRefused) else []
        names = list(error.fields) if isinstance(error, SecretsNeeded) else names
        places = [PREFIX + name for name in names if PREFIX + name in self]
        for place in places:
            self[place].errors = [*self[place].errors, str(error)]
        return None if places else str(error)

    def mark(self, checks: Sequence[Check]) -> None:
        """Put what to do about a failed check at the field that it is about."""
        for check in checks:
            place = f"{PREFIX}{check.field}"
            if check.state == "failed" and place in self:
                self[place].errors = [*self[place].errors, check.remedy or check.message]

    def provider_fields(self) -> list[FormField]:
        """The provider's own fields, in its order."""
        return [self[PREFIX + field.name] for field in self.mode.fields]


class SuggestingField(StringField):  # type: ignore[misc]
    """Anything may be typed; ``suggestions`` (value, label) are offered."""

    def __init__(self, *args: Any, suggestions: Sequence[tuple[str, str]] = (), **more: Any) -> None:
        super().__init__(*args, **more)
        self.suggestions = tuple(suggestions)

    def __call__(self, **more: Any) -> Any:
        """The input, with the place of its suggestions."""
        offered = {"list": f"{self.id}-list", "autocomplete": "off"} if self.suggestions else {}
        return super().__call__(**offered, **more)


def credentials_form(mode: AuthMode, hints: Mapping[str, str] | None = None) -> type[CredentialsForm]:
    """The form of a sign-in; ``hints`` (by secret) mark stored secrets that a blank field keeps."""
    fields = {PREFIX + field.name: _field(field, (hints or {}).get(field.name)) for field in mode.fields}
    return type("GeneratedCredentialsForm", (CredentialsForm,), {"mode": mode, **fields})


def connect_form(mode: AuthMode, default_name: str, *, alerts: bool) -> type[CredentialsForm]:
    """The form of a new connection: its name, the sign-in, and, where there are ``alerts``, the rule that
    tickets every one."""
    name = StringField(
        "Name",
        [InputRequired("Give the connection a name."), Length(max=255)],
        default=default_name,
        description="How people tell this connection from others of the same vendor.",
    )
    catch_all = BooleanField(
        "Every alert opens a ticket",
        default=True,
        description="Adds one rule without conditions. Without any rule alerts are only recorded.",
    )
    base = credentials_form(mode)
    rule = {"catch_all": catch_all} if alerts else {}
    return type("GeneratedConnectForm", (base,), {"name": name, **rule})


def _field(field: Field, hint: str | None) -> Any:
    needed = field.required and not hint
    rules = [InputRequired(f"Fill in: {field.label}.") if needed else Optional(), Length(max=_LONGEST)]
    if field.secret or field.kind == "password":
        return PasswordField(
            field.label,
            rules,
            description=_secret_help(field, hint),
            render_kw={"autocomplete": "new-password", "spellcheck": "false"},
        )
    if field.kind == "choice":
        return SelectField(
            field.label,
            choices=[SelectChoice(value, label) for value, label in field.choices],
            default=field.default,
            description=field.help,
        )
    if field.kind == "checkbox":
        return BooleanField(field.label, default=field.default in ("1", "true", "on"), description=field.help)
    more = {"type": _TYPES[field.kind]} if field.kind in _TYPES else {}
    if field.once:
        # Never sent back to the page, for it is good for one time only.
        more = {"autocomplete": "one-time-code", "inputmode": "numeric", "value": ""}
    # type=url would refuse an address without its scheme, which the provider can complete.
    if field.kind == "url":
        more = {"inputmode": "url", "autocapitalize": "off", "spellcheck": "false"}
    return SuggestingField(
        field.label,
        rules,
        default=field.default,
        description=field.help,
        render_kw=more,
        suggestions=field.choices,
    )


def _secret_help(field: Field, hint: str | None) -> str:
    if hint is None:
        return field.help
    return f"Stored: {hint}. Leave blank to keep it at this address. {field.help}".strip()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    return str(value or "")
