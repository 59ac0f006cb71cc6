"""Inputs of a step held against the action's contract, as far as they are known before it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields

from rmm_extension.domain.contracts.actions import ActionSpec, load_input, secret_fields
from rmm_extension.domain.contracts.strict import problems
from rmm_extension.domain.errors import Invalid
from rmm_extension.domain.workflows import Binding

Sentences = dict[str, list[str]]

_WORKED_OUT = object()
"""Stands for what an expression will give."""


def problems_of_inputs(spec: ActionSpec, inputs: Mapping[str, Binding]) -> Sentences:
    """What the contract refuses of the literals, and which inputs are missing, by the input's dotted name.

    What follows from several inputs together is judged only where none is an expression.
    """
    try:
        given = _nested(inputs)
        if all(binding.template is None for binding in inputs.values()):
            load_input(spec, given)
            return {}
    except Invalid as error:
        return error.errors
    found: Sentences = {}
    _collect(spec.input(), given, "", found)
    return found


def secret_literals(spec: ActionSpec, inputs: Mapping[str, Binding]) -> list[str]:
    """The inputs that are shown nowhere by their contract and stand in the workflow all the same."""
    hidden = secret_fields(spec.input)
    return [name for name, one in inputs.items() if one.value and not hidden.isdisjoint(_ways_up(name))]


def _ways_up(name: str) -> list[str]:
    """The name, and those of the parts it lies in."""
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]


def _nested(inputs: Mapping[str, Binding]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, binding in inputs.items():
        *owners, last = name.split(".")
        if any(".".join(owners[: number + 1]) in inputs for number in range(len(owners))):
            raise Invalid({name: ["This is given as a whole and in parts. Give either."]})
        place = found
        for owner in owners:
            place = place.setdefault(owner, {})
        place[last] = binding.value if binding.template is None else _WORKED_OUT
    return found


def _collect(schema: Schema, given: Mapping[str, Any], prefix: str, found: Sentences) -> None:
    for name in given:
        if name not in schema.fields:
            found[prefix + name] = [str(schema.error_messages["unknown"])]
    for name, field in schema.fields.items():
        value = given.get(name, _ABSENT)
        if value is _WORKED_OUT:
            continue
        if isinstance(field, fields.Nested) and _has_worked_out(value):
            _collect(field.schema, value, f"{prefix}{name}.", found)
        else:
            _judge(field, value, prefix + name, found)


def _judge(field: fields.Field[Any], value: Any, path: str, found: Sentences) -> None:
    if value is _ABSENT:
        if field.required:
            found[path] = [str(field.error_messages["required"])]
        return
    try:
        field.deserialize(value)
    except ValidationError as error:
        told = problems(error)
        found.update({f"{path}.{inner}" if inner else path: words for inner, words in told.items()})


def _has_worked_out(value: Any) -> bool:
    if isinstance(value, dict):
        return any(one is _WORKED_OUT or _has_worked_out(one) for one in value.values())
    return False


_ABSENT = object()
