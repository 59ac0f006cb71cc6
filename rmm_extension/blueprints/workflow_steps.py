"""A run's steps as its page shows them: what each was given, what came of it, who may read that."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rmm_extension.domain.actions import ErrorCode
from rmm_extension.domain.contracts.actions import ActionSpec, form_fields
from rmm_extension.domain.workflows import RunState, Step, StepState
from rmm_extension.models import utc_now
from rmm_extension.services.queries.paging import AnyRow
from rmm_extension.workflows import catalog
from rmm_extension.workflows.queries import RunDetail

from .context import allows, current_rmm

LATER, NOT_REACHED = "later", "not_reached"
"""A step that is still to come, and one that the run ended before."""

Lines = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One doing of a step; ``text`` is the output that reads as a text, ``facts`` the rest of it."""

    row: AnyRow
    inputs: Lines
    facts: Lines
    text: str | None
    reason: str | None

    @property
    def lasted(self) -> float | None:
        """Seconds from its beginning to its end, or until now."""
        started: datetime | None = self.row.started_at
        if started is None:
            return None
        return ((self.row.finished_at or utc_now()) - started).total_seconds()


@dataclass(frozen=True, slots=True)
class StepView:
    """A step with its state and what was done for it, the newest doing first.

    ``readable`` tells whether the person may read what it was given and what came of it.
    """

    number: int
    step: Step
    label: str
    icon: str | None
    state: str
    readable: bool
    attempts: Sequence[Attempt]


def step_views(found: RunDetail) -> list[StepView]:
    """Every step of the run's version, in order."""
    specs = catalog.specs(current_rmm())
    done: dict[str, list[AnyRow]] = {}
    for row in found.attempts:
        done.setdefault(row.step_id, []).insert(0, row)
    is_over = RunState(found.row.state).is_over
    return [
        _view(number, step, specs.get(step.action), done.get(step.id, []), is_over=is_over)
        for number, step in enumerate(found.definition.steps, 1)
    ]


def _view(
    number: int, step: Step, spec: ActionSpec | None, rows: Sequence[AnyRow], *, is_over: bool
) -> StepView:
    state = rows[0].state if rows else NOT_REACHED if is_over else LATER
    readable = allows(spec.permission) if spec else allows("rmm.workflows.manage")
    return StepView(
        number=number,
        step=step,
        label=spec.label if spec else step.action,
        icon=spec.icon if spec else None,
        state=state,
        readable=readable,
        attempts=[_attempt(spec, row, readable=readable) for row in rows],
    )


def _attempt(spec: ActionSpec | None, row: AnyRow, *, readable: bool) -> Attempt:
    reason = _reason(row)
    if not readable:
        return Attempt(row, (), (), None, reason)
    output = dict(row.output or {})
    text = output.pop("output", None) if isinstance(output.get("output"), str) else None
    return Attempt(row, _inputs(spec, row.input), _lines(output, {}), text, reason)


def _reason(row: AnyRow) -> str | None:
    """Why it failed, in words, where its own message says nothing."""
    if row.message or not row.error_code:
        return None
    known = row.error_code in ErrorCode.__members__
    return ErrorCode(row.error_code).in_words if known else str(row.error_code)


def _inputs(spec: ActionSpec | None, given: Mapping[str, Any]) -> Lines:
    names = {field.name: field.label for field in form_fields(spec.input)} if spec else {}
    return _lines(given, names)


def _lines(values: Mapping[str, Any], names: Mapping[str, str]) -> Lines:
    """Names and values for people; what is empty is left out."""
    return [
        (names.get(name, name.replace("_", " ").capitalize()), said(value))
        for name, value in values.items()
        if value not in (None, "", [], {})
    ]


def said(value: Any) -> str:
    """A value as a page shows it: texts as they are, lists line by line, the rest as JSON."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        return "\n".join(said(one) for one in value)
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def is_unknown(state: str) -> bool:
    """Whether a person has to say what became of the step."""
    return state == StepState.UNKNOWN
