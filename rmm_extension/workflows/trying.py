"""What becomes of an expression that is being written: whether it reads, whether there is what it names, and
what it gives with the values of a run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.workflows import Binding, definition_of
from rmm_extension.models import WorkflowRun
from rmm_extension.services.context import Rmm

from . import rows
from .expressions import ExpressionError, Uses, binding_uses, evaluate, parse, render, uses
from .scope import Scope, filter_scope, find, scope
from .shapes import readable_steps

LONGEST_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Tried:
    """``problem`` says why it cannot be published so, ``obstacle`` why the run's values do not do for it, and
    ``value`` what it gives with them, in words. Nothing is said where nothing is written, or there was no run
    and it is right."""

    problem: str | None = None
    obstacle: str | None = None
    value: str | None = None


def attempt(
    rmm: Rmm,
    session: Session,
    tenant_id: str,
    document: Mapping[str, Any],
    position: int | None,
    source: str,
    *,
    is_template: bool,
    run_id: UUID | None,
    readable: Callable[[str], bool],
) -> Tried:
    """Try an expression, or a text with some, of the step at ``position``; without one, the trigger's filter.

    Of the run it sees what the help shows beside the names: of steps, those whose action is ``readable``.
    """
    if not source.strip():
        return Tried()
    definition = definition_of(dict(document))
    seen = filter_scope(definition) if position is None else scope(rmm, definition, position)
    try:
        used = binding_uses(Binding(template=source)) if is_template else uses(source)
    except ExpressionError as error:
        return Tried(problem=str(error))
    if unknown := [said for name in sorted(used.names) if isinstance(said := find(seen, name), str)]:
        return Tried(problem=" ".join(unknown))
    run = session.get(WorkflowRun, (tenant_id, run_id)) if run_id else None
    if run is None:
        return Tried()
    values = rows.seen(session, run, whole=True)
    open_to = readable_steps(session, run, values["steps"], readable)
    if hidden := _hidden(used, set(values["steps"]) - set(open_to)):
        return Tried(obstacle=f"what came of “{hidden}” is shown to those who may do it.")
    try:
        return Tried(value=_given(source, _context(seen, values, open_to), is_template=is_template))
    except ExpressionError as error:
        return Tried(obstacle=_continued(str(error)))


def _hidden(used: Uses, closed: set[str]) -> str | None:
    """The first step it names that may not be read; one that names all of them names it, too."""
    if "steps" in used.names and closed:
        return min(closed)
    named = {parts[1] for name in used.names if (parts := name.split("."))[0] == "steps" and len(parts) > 1}
    return min(named & closed, default=None)


def _context(seen: Scope, values: Mapping[str, Any], steps: Mapping[str, Any]) -> dict[str, Any]:
    """The run's values as this place would have seen them: those of steps before it alone."""
    found = {name: values.get(name) for name in seen.root.keys}
    if "steps" in found:
        before = seen.root.keys["steps"].keys
        found["steps"] = {name: value for name, value in steps.items() if name in before}
    return found


def _given(source: str, context: Mapping[str, Any], *, is_template: bool) -> str:
    if is_template:
        value = render(Binding(template=source), context)
        return "nothing: it is left out" if value is None else _words(value)
    value = evaluate(parse(source), context)
    if isinstance(value, bool):
        return _words(value)
    return f"{_words(value)}, which counts as {_words(bool(value))}"


def _words(value: Any) -> str:
    if value is None:
        return "nothing"
    if value == "":
        return "an empty text"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _continued(sentence: str) -> str:
    """The sentence, to stand behind a colon."""
    return sentence[:1].lower() + sentence[1:]
