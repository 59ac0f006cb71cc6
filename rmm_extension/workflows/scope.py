"""What expressions of a step may name, by the contracts of what comes before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from marshmallow import Schema, fields

from rmm_extension.domain.contracts.events import BY_NAME
from rmm_extension.domain.workflow_objects import NAMES, OBJECTS, RUN, Keys
from rmm_extension.domain.workflow_words import event_words
from rmm_extension.domain.workflows import Definition, ManualField, Trigger
from rmm_extension.services.actions.registry import UnknownAction
from rmm_extension.services.context import Rmm

from . import catalog

_MOST_TOLD = 20
_NEVER = {
    "connection": frozenset(OBJECTS) - {"connection"},
    "device": frozenset({"alert", "ticket"}),
}
_FIELD_TYPES = {"number": "number", "flag": "yes or no"}
_TYPES: tuple[tuple[type[fields.Field[Any]], str], ...] = (
    (fields.Boolean, "yes or no"),
    (fields.Number, "number"),
    (fields.DateTime, "time"),
    (fields.String, "text"),
    (fields.List, "list"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Something that can be named, and what is in it.

    ``optional``: it may be absent. ``is_open``: there may be more in it than is told.
    """

    label: str
    type: str = "object"
    optional: bool = False
    is_open: bool = False
    keys: Mapping[str, Known] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scope:
    """Everything one step may name.

    ``later`` are the steps it does not see: itself and what follows. ``absent`` are the things that what
    starts the workflow is never about: they can be named, and are null in every run.
    """

    root: Known
    later: frozenset[str]
    absent: frozenset[str]


def scope(rmm: Rmm, definition: Definition, position: int) -> Scope:
    """What the step at ``position`` sees."""
    steps = {
        step.id: Known(label=step.name, keys=_step_keys(rmm, step.action))
        for step in definition.steps[:position]
    }
    keys = {
        **_of_trigger(definition.trigger),
        "run": Known(label="The run", keys=_keys(RUN)),
        "steps": Known(label="Steps before", keys=steps),
    }
    root = Known(label="", keys={name: keys[name] for name in NAMES})
    later = frozenset(step.id for step in definition.steps[position:])
    return Scope(root, later, _absent(definition.trigger))


def filter_scope(definition: Definition) -> Scope:
    """What the trigger's filter sees: it is asked before there is a run."""
    root = Known(label="", keys=_of_trigger(definition.trigger))
    return Scope(root, frozenset(), _absent(definition.trigger))


def _absent(trigger: Trigger) -> frozenset[str]:
    """The things that this trigger is never about."""
    if trigger.is_manual:
        about = "device" if not {"alert", "ticket"} & set(trigger.subjects) else ""
    else:
        about = event_words(trigger.event).about
    return _NEVER.get(about, frozenset())


def find(seen: Scope, path: str) -> Known | str:
    """What a dotted path names, or a sentence why it names nothing."""
    place, found = "", seen.root
    for part in path.split("."):
        if part in found.keys:
            found = found.keys[part]
        elif found.is_open:
            return Known(label=part, type="any", is_open=True)
        else:
            return _nothing(seen, part, place, found)
        place = f"{place}.{part}" if place else part
    return found


def of_schema(schema: type[Schema]) -> Mapping[str, Known]:
    """The keys that a contract promises."""
    return _schema_keys(schema)


@cache
def _schema_keys(schema: type[Schema]) -> Mapping[str, Known]:
    return {one.data_key or name: _of_field(name, one) for name, one in schema().fields.items()}


def _of_field(name: str, one: fields.Field[Any]) -> Known:
    label = str(one.metadata.get("label") or _words(name))
    inner = one.inner if isinstance(one, fields.List) else one
    keys = _schema_keys(type(inner.schema)) if isinstance(inner, fields.Nested) else {}
    many = isinstance(one, fields.List) or (isinstance(inner, fields.Nested) and inner.many)
    if keys:
        return Known(label=label, type="list" if many else "object", optional=not one.required, keys=keys)
    kind = next((word for known, word in _TYPES if isinstance(one, known)), "any")
    return Known(label=label, type=kind, optional=not one.required, is_open=kind in ("any", "list"))


def _words(name: str) -> str:
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return spaced.replace("_", " ").strip().capitalize().replace(" id", " ID")


def _of_trigger(trigger: Trigger) -> dict[str, Known]:
    return {
        "trigger": Known(label="What started it", keys=_trigger(trigger)),
        **{name: Known(label=name.capitalize(), keys=_keys(keys)) for name, keys in OBJECTS.items()},
        "fields": Known(label="What the person filled in", keys=_fields(trigger.fields)),
    }


def _trigger(trigger: Trigger) -> Mapping[str, Known]:
    event = {"event": Known(label="Event", type="text")}
    if trigger.is_manual:
        return {**event, "subject": Known(label="What it was started from", type="text")}
    told = BY_NAME.get(trigger.event)
    return {**event, **(of_schema(type(told.schema)) if told else {})}


def _keys(known: Keys) -> Mapping[str, Known]:
    return {name: Known(label=label, type=kind) for name, (label, kind) in known.items()}


def _fields(asked: list[ManualField]) -> Mapping[str, Known]:
    return {one.name: Known(label=one.label, type=_FIELD_TYPES.get(one.kind, "text")) for one in asked}


def _step_keys(rmm: Rmm, action: str) -> Mapping[str, Known]:
    try:
        output = Known(label="Output", keys=of_schema(catalog.find(rmm, action).spec.output))
    except UnknownAction:
        output = Known(label="Output", is_open=True)
    return {
        "output": output,
        "state": Known(label="State", type="text"),
        "error": Known(label="Error code", type="text"),
        "message": Known(label="Message", type="text"),
    }


def _nothing(seen: Scope, part: str, place: str, owner: Known) -> str:
    if place == "steps" and part in seen.later:
        return f"The step “{part}” does not come before: a step sees only what was done by then."
    if place == "steps" and not owner.keys:
        return f"There is no step “{part}” before this one."
    said = f"There is no “{part[:50]}”{f' in {place}' if place else ''}"
    if not owner.keys:
        return f"{said}: {_empty(place, owner)}."
    more = ", …" if len(owner.keys) > _MOST_TOLD else ""
    return f"{said}. Known are: {', '.join(list(owner.keys)[:_MOST_TOLD])}{more}."


def _empty(place: str, owner: Known) -> str:
    if place == "fields":
        return "the trigger asks for no fields"
    return f"it is {owner.type}" if owner.type != "object" else "nothing is in it"
