"""The contract of a workflow's document: strict, and refused in sentences by path, all of them at once.

What needs more than the document (whether an action exists, whether an expression reads, whether inputs fit)
is judged above, where the actions and the expressions are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from marshmallow import ValidationError, fields, validate, validates_schema

from rmm_extension.domain.errors import Invalid
from rmm_extension.domain.workflows import MANUAL, SUBJECTS, Definition, OnError, definition_of

from .actions import Choice, Whole
from .events import CATALOGUE
from .strict import Flag, Section, Strict, Text, problems

MOST_STEPS = 30
MOST_FIELDS = 10
LONGEST_EXPRESSION = 2_000
LONGEST_TEMPLATE = 10_000
FIELD_KINDS = ("text", "long_text", "number", "choice", "flag")

EVENTS = tuple(event.name for event in CATALOGUE.values())
"""Every event that can start a workflow."""

_SLUG = validate.Regexp(
    r"\A[a-z][a-z0-9_]{0,39}\Z",
    error="Use a name of small letters, digits and _, such as clean_up; it begins with a letter.",
)


class BindingSchema(Strict):
    """Exactly one of ``value`` and ``template``."""

    value = fields.Raw(allow_none=True)
    template = Text(LONGEST_TEMPLATE, trimmed=False)

    @validates_schema
    def _one(self, data: dict[str, Any], **_: Any) -> None:
        if len(data) != 1:
            raise ValidationError("Give either a value or a template.")


class ManualFieldSchema(Strict):
    """A field of the form that starts a manual workflow."""

    name = fields.String(required=True, validate=_SLUG)
    label = Text(100, required=True)
    kind = Choice([(kind, kind) for kind in FIELD_KINDS], load_default="text")
    required = Flag(load_default=False)
    help = Text(300)
    choices = fields.List(Text(100), validate=validate.Length(max=50))


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


class StepSchema(Strict):
    """One step."""

    id = fields.String(required=True, validate=_SLUG)
    name = Text(100, required=True)
    action = Text(200, required=True)
    version = Whole(1, 1_000, load_default=1)
    connection = fields.UUID()
    device = Section(BindingSchema)
    inputs = fields.Dict(keys=fields.String(), values=Section(BindingSchema), load_default=dict)
    when = Text(LONGEST_EXPRESSION)
    onError = Choice([(one.value, one.value) for one in OnError], load_default=OnError.STOP.value)  # noqa: N815


class WorkflowSchema(Strict):
    """A trigger and its steps; step ids are unique."""

    trigger = Section(TriggerSchema, required=True)
    steps = fields.List(
        Section(StepSchema),
        required=True,
        validate=validate.Length(max=MOST_STEPS, error=f"These are too many: at most {MOST_STEPS}."),
    )

    @validates_schema
    def _unique(self, data: dict[str, Any], **_: Any) -> None:
        seen: set[str] = set()
        for number, step in enumerate(data.get("steps", ())):
            if step["id"] in seen:
                raise ValidationError({"steps": {number: {"id": ["Another step has this name already."]}}})
            seen.add(step["id"])


def load_definition(document: Mapping[str, Any]) -> Definition:
    """The definition; raises ``Invalid`` with every problem by path (``steps.0.name``)."""
    try:
        return definition_of(cast(dict[str, Any], WorkflowSchema().load(dict(document))))
    except ValidationError as error:
        raise Invalid(problems(error)) from error
