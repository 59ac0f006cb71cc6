"""Changes of a workflow's document, as the designer makes them: each gives a new one, and saves nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rmm_extension.domain.contracts.actions import ActionSpec, form_fields
from rmm_extension.domain.contracts.workflows import MOST_STEPS
from rmm_extension.domain.errors import Conflict
from rmm_extension.domain.workflows import LONGEST_ID, as_id

Document = Mapping[str, Any]
_ABOUT = ("alert", "ticket", "asset", "client")
_LONGEST_NAME = 100


class UnknownStep(LookupError):
    """The workflow has no such step (any more)."""


def steps_of(document: Document) -> list[dict[str, Any]]:
    """The steps in their order."""
    return list(document.get("steps") or ())


def place_of(document: Document, step_id: str) -> int:
    """Where the step stands, from 0; raises :class:`UnknownStep`."""
    for place, step in enumerate(steps_of(document)):
        if step["id"] == step_id:
            return place
    raise UnknownStep("The workflow has no such step.")


def with_trigger(document: Document, trigger: Mapping[str, Any]) -> dict[str, Any]:
    """The document with another trigger."""
    return {**document, "trigger": dict(trigger)}


def with_step(document: Document, step: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the step of this id as it is given; raises :class:`UnknownStep`."""
    place = place_of(document, step["id"])
    steps = steps_of(document)
    return {**document, "steps": [*steps[:place], dict(step), *steps[place + 1 :]]}


def added(document: Document, spec: ActionSpec, place: int) -> tuple[dict[str, Any], str]:
    """The document with a step that does the action, at ``place`` or the end, and the new step's id.

    Raises ``Conflict`` where there are as many as a workflow may have.
    """
    step_id = _free_id(document, spec.label)
    step = {
        "id": step_id,
        "name": spec.label[:_LONGEST_NAME],
        "action": spec.id,
        "version": spec.version,
        "inputs": _usual(spec),
    }
    return _inserted(document, step, place), step_id


def duplicated(document: Document, step_id: str) -> tuple[dict[str, Any], str]:
    """The document with a copy right behind the step, and the copy's id."""
    place = place_of(document, step_id)
    step = steps_of(document)[place]
    copy = {**step, "id": _free_id(document, step["name"]), "name": f"Copy of {step['name']}"[:_LONGEST_NAME]}
    return _inserted(document, copy, place + 1), copy["id"]


def removed(document: Document, step_id: str) -> dict[str, Any]:
    """The document without the step."""
    place_of(document, step_id)
    return {**document, "steps": [step for step in steps_of(document) if step["id"] != step_id]}


def moved(document: Document, step_id: str, *, up: bool) -> dict[str, Any]:
    """The document with the step one place earlier or later; at its end it stays where it is."""
    place = place_of(document, step_id)
    steps = steps_of(document)
    other = place - 1 if up else place + 1
    if 0 <= other < len(steps):
        steps[place], steps[other] = steps[other], steps[place]
    return {**document, "steps": steps}


def ordered(document: Document, step_ids: Sequence[str]) -> dict[str, Any]:
    """The document with its steps in this order; raises ``Conflict`` where they are not all of them."""
    steps = {step["id"]: step for step in steps_of(document)}
    if sorted(step_ids) != sorted(steps):
        raise Conflict("The steps were changed meanwhile. Here they are as they stand now.")
    return {**document, "steps": [steps[step_id] for step_id in step_ids]}


def _usual(spec: ActionSpec) -> dict[str, Any]:
    """Inputs that name an alert, a ticket and so on, with what the workflow is about."""
    fields = [one for one in form_fields(spec.input) if one.kind == "text" and one.picks in _ABOUT]
    return {one.name: {"template": f"{{{{ {one.picks}.id }}}}"} for one in fields}


def _inserted(document: Document, step: Mapping[str, Any], place: int) -> dict[str, Any]:
    steps = steps_of(document)
    if len(steps) >= MOST_STEPS:
        raise Conflict(f"A workflow has at most {MOST_STEPS} steps.")
    return {**document, "steps": [*steps[:place], dict(step), *steps[place:]]}


def _free_id(document: Document, label: str) -> str:
    """A name for expressions made from a label, with a number where it is taken."""
    stem = as_id(label, LONGEST_ID - 3) or "step"
    taken = {step["id"] for step in steps_of(document)}
    names = [stem, *(f"{stem}_{number}" for number in range(2, MOST_STEPS + 2))]
    return next(name for name in names if name not in taken)
