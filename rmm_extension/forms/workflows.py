"""The forms of a workflow's parts, what starts it and each of its steps: the document's JSON as fields.

What is right is said by the document's contract and by the check of the whole workflow, not here: a form
takes what was typed, so that nothing of it is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from rmm_extension.domain.contracts.actions import FormField
from rmm_extension.domain.workflows import MANUAL, OnError, as_id

from .actions import filled, typed
from .texts import unix

MODE, TEMPLATE = "mode_", "ex_"
"""Before an input's name: how it is given, and the text with expressions."""
VALUE_MODE, TEMPLATE_MODE = "value", "template"

Form = MultiDict[str, str]
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a step. The field's name is its path (``window.start``); ``part`` is the label of the part
    it lies in, empty for most."""

    field: FormField
    part: str = ""


@dataclass(frozen=True, slots=True)
class InputState:
    """How the form shows an input: which way it is given, and what stands in both. Of one that ``is_kept``
    something is stored and not shown."""

    input: Input
    mode: str
    values: Mapping[str, Any]
    template: str
    is_kept: bool = False

    @property
    def name(self) -> str:
        """The input's path."""
        return self.input.field.name

    @property
    def is_template(self) -> bool:
        """Whether it is given with expressions."""
        return self.mode == TEMPLATE_MODE


def inputs_of(fields: Sequence[FormField], path: str = "", part: str = "") -> list[Input]:
    """The inputs of an action one by one; those within a part come with their path, for each may be given by
    an expression of its own."""
    found: list[Input] = []
    for field in fields:
        name = f"{path}.{field.name}" if path else field.name
        if field.kind == "section":
            found += inputs_of(field.fields, name, f"{part} · {field.label}" if part else field.label)
        else:
            found.append(Input(replace(field, name=name), part))
    return found


def shown_inputs(inputs: Sequence[Input], bindings: Mapping[str, Mapping[str, Any]]) -> list[InputState]:
    """The inputs as they are stored, for the form."""
    return [_shown(one, bindings.get(one.field.name)) for one in inputs]


def _shown(one: Input, binding: Mapping[str, Any] | None) -> InputState:
    stored = binding or {}
    is_kept = one.field.secret and "value" in stored
    value = {one.field.name: stored["value"]} if "value" in stored and not is_kept else {}
    template = stored.get("template")
    mode = TEMPLATE_MODE if template is not None else VALUE_MODE
    return InputState(one, mode, filled([one.field], value), template or "", is_kept)


def read_step(step: Document, inputs: Sequence[Input], form: Form, version: int | None) -> dict[str, Any]:
    """The step as it is filled in, for this version of its action; ``None`` leaves that as it is."""
    kept = {key: step[key] for key in ("id", "action", "version") if key in step}
    kept |= {"version": version} if version else {}
    device = read_text(form.get("device"))
    given = {
        "name": " ".join(unix(form.get("name")).split()),
        "connection": form.get("connection", ""),
        "device": _device(device) if device else None,
        "when": read_text(form.get("when")),
    }
    stored = step.get("inputs") or {}
    bindings = {
        name: binding
        for one in inputs
        if (binding := _binding(one.field, form, stored.get(name := one.field.name)))
    }
    on_error = OnError.CONTINUE if form.get("on_error") == OnError.CONTINUE else OnError.STOP
    rest = {name: value for name, value in given.items() if value or name == "name"}
    return {**kept, **rest, "inputs": bindings, "onError": on_error.value}


def _device(text: str) -> dict[str, str]:
    """Which device: an expression, or an id as it is."""
    return {"template": text} if "{{" in text else {"value": text}


def _binding(field: FormField, form: Form, stored: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """How an input is given; ``None`` where it is left to its default. A secret one left blank stays."""
    if form.get(MODE + field.name) == TEMPLATE_MODE:
        template = unix(form.get(TEMPLATE + field.name))
        return {"template": template} if template.strip() else None
    value = typed([field], form)
    if field.name not in value:
        return stored if field.secret and stored and "value" in stored else None
    if value[field.name] == field.default:
        return None
    return {"value": value[field.name]}


def read_trigger(form: Form) -> dict[str, Any]:
    """What starts the workflow, as it is filled in; fields without a label are not there."""
    event = form.get("event", "")
    found: dict[str, Any] = {"event": event}
    if event == MANUAL:
        fields = [field for field in read_fields(form) if field["label"]]
        return {**found, "subjects": form.getlist("subjects"), **({"fields": fields} if fields else {})}
    if condition := read_text(form.get("filter")):
        found["filter"] = condition
    if (minutes := read_text(form.get("once"))) not in ("", "0"):
        found["oncePerMinutes"] = minutes
    return found


def read_fields(form: Form) -> list[dict[str, Any]]:
    """The fields of the form that starts the workflow, row by row, empty rows included."""
    number = min(len(form.getlist("field_label")), 20)
    return [_field(form, place) for place in range(number)]


def _field(form: Form, place: int) -> dict[str, Any]:
    def at(name: str) -> str:
        rows = form.getlist(f"field_{name}")
        return unix(rows[place]).strip() if place < len(rows) else ""

    label = at("label")
    found: dict[str, Any] = {
        "name": at("name") or as_id(label) or "field",
        "label": label,
        "kind": at("kind") or "text",
    }
    found["required"] = f"{place}" in form.getlist("field_required")
    if words := at("help"):
        found["help"] = words
    choices = [line.strip() for line in at("choices").splitlines() if line.strip()]
    if choices and found["kind"] == "choice":
        found["choices"] = choices
    return found


def read_text(text: str | None) -> str:
    """One trimmed text."""
    return unix(text).strip()
