"""The contract of a workflow's document: strict, and refused in sentences by path, all of them at once.

What needs more than the document (whether an action exists, whether an expression reads, whether inputs fit)
is judged above, where the actions and the expressions are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from marshmallow import ValidationError, fields, validate, validates_schema

from rmm_extension.domain.errors import Invalid
from rmm_extension.domain.values import storable
from rmm_extension.domain.workflows import (
    LONGEST_ID,
    MANUAL,
    MANUAL_KINDS,
    SUBJECTS,
    Definition,
    OnError,
    definition_of,
    document_of,
)

from .actions import Choice, Whole
from .events import BY_NAME
from .strict import Flag, Section, Strict, Text, problems

MOST_STEPS = 30
MOST_FIELDS = 10
LONGEST_EXPRESSION = 2_000
LONGEST_TEMPLATE = 10_000
LONGEST_VALUE = 50_000
MOST_INPUTS = 100

EVENTS = tuple(BY_NAME)
"""Every event that can start a workflow."""

_SLUG = validate.Regexp(
    rf"\A[a-z][a-z0-9_]{{0,{LONGEST_ID - 1}}}\Z",
    error="Use a name of small letters, digits and _, such as clean_up; it begins with a letter.",
)


_WORDS: dict[str, Any] = dict.fromkeys(("required", "null", "invalid"), "Fill this in.")


def _kept(value: Any) -> None:
    try:
        length = len(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise ValidationError("This must be a value of JSON.") from error
    if length > LONGEST_VALUE:
        raise ValidationError(f"This is too long: at most {LONGEST_VALUE:,} characters.")
    if storable(value) != value:
        raise ValidationError(
            "This contains a character that cannot be stored, or has more levels than can be."
        )


class BindingSchema(Strict):
    """Exactly one of ``value`` and ``template``."""

    value = fields.Raw(allow_none=True, validate=_kept)
    template = Text(LONGEST_TEMPLATE, trimmed=False)

    @validates_schema
    def _one(self, data: dict[str, Any], **_: Any) -> None:
        if len(data) != 1:
            raise ValidationError("Give either a value or a template.")


class Inputs(fields.Dict):
    """Bindings by the name of their input, refused under that name."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return super()._deserialize(value, attr, data, **kwargs)  # type: ignore[no-untyped-call]
        except ValidationError as error:
            told = cast(dict[str, Any], error.messages) if isinstance(error.messages, dict) else {}
            found = {name: one.get("value") or one["key"] for name, one in told.items()}
            raise ValidationError(found or error.messages) from error


class ManualFieldSchema(Strict):
    """A field of the form that starts a manual workflow."""

    name = fields.String(required=True, validate=_SLUG, error_messages=_WORDS)
    label = Text(100, required=True)
    kind = Choice([(kind, kind) for kind in MANUAL_KINDS], load_default="text")
    required = Flag(load_default=False)
    help = Text(300)
    choices = fields.List(
        Text(100), validate=validate.Length(max=50, error="These are too many: at most 50.")
    )

    @validates_schema
    def _fits(self, data: dict[str, Any], **_: Any) -> None:
        if (data["kind"] == "choice") != bool(data.get("choices")):
            raise ValidationError("A choice has choices, and nothing else has.", "choices")


class TriggerSchema(Strict):
    """What starts it."""

    event = Choice([(name, name) for name in (MANUAL, *EVENTS)], required=True)
    filter = Text(LONGEST_EXPRESSION)
    oncePerMinutes = Whole(0, 10_080)  # noqa: N815 - the document's own names
    subjects = fields.List(Choice([(name, name) for name in SUBJECTS]), validate=validate.Length(max=4))
    fields_ = fields.List(
        Section(ManualFieldSchema),
        data_key="fields",
        attribute="fields",
        validate=validate.Length(max=MOST_FIELDS),
    )

    @validates_schema
    def _fits(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("event") == MANUAL:
            if not data.get("subjects"):
                raise ValidationError("Choose at least one place it is started from.", "subjects")
        elif data.get("subjects") or data.get("fields"):
            raise ValidationError("Only a workflow that people start has these.", "subjects")
        _unique(data.get("fields", ()), "name", "fields", "Another field has this name already.")


class StepSchema(Strict):
    """One step."""

    id = fields.String(required=True, validate=_SLUG, error_messages=_WORDS)
    name = Text(100, required=True)
    action = Text(200, required=True)
    version = Whole(1, 1_000, load_default=1)
    connection = fields.UUID(error_messages={"invalid_uuid": "This is no connection. Choose one."})
    device = Section(BindingSchema)
    inputs = Inputs(
        keys=Text(100),
        values=Section(BindingSchema),
        load_default=dict,
        validate=validate.Length(max=MOST_INPUTS, error=f"These are too many: at most {MOST_INPUTS}."),
    )
    when = Text(LONGEST_EXPRESSION)
    onError = Choice([(one.value, one.value) for one in OnError], load_default=OnError.STOP.value)  # noqa: N815


class WorkflowSchema(Strict):
    """A trigger and its steps; step ids are unique."""

    trigger = Section(TriggerSchema, required=True)
    steps = fields.List(
        Section(StepSchema),
        required=True,
        error_messages=_WORDS,
        validate=validate.Length(max=MOST_STEPS, error=f"These are too many: at most {MOST_STEPS}."),
    )

    @validates_schema
    def _told_apart(self, data: dict[str, Any], **_: Any) -> None:
        _unique(data.get("steps", ()), "id", "steps", "Another step has this name already.")


def _unique(parts: Iterable[Mapping[str, Any]], key: str, where: str, words: str) -> None:
    seen: set[str] = set()
    for number, part in enumerate(parts):
        if part[key] in seen:
            raise ValidationError({where: {number: {key: [words]}}})
        seen.add(part[key])


def load_definition(document: Mapping[str, Any]) -> Definition:
    """The definition; raises ``Invalid`` with every problem by path (``steps.0.name``)."""
    try:
        return definition_of(cast(dict[str, Any], WorkflowSchema().load(dict(document))))
    except ValidationError as error:
        raise Invalid(problems(error)) from error


def kept_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document as it is stored: checked, and without what goes without saying. Raises as above."""
    return document_of(load_definition(document))
