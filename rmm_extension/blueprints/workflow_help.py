"""Help with expressions: what they may name at a place of a workflow, with what a real run had there, and
whether one reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from rmm_extension.domain.workflow_words import event_words
from rmm_extension.models import Workflow
from rmm_extension.workflows import catalog, shapes
from rmm_extension.workflows.expressions import ExpressionError, parse, parse_template
from rmm_extension.workflows.expressions.filters import FILTERS
from rmm_extension.workflows.expressions.functions import Function
from rmm_extension.workflows.expressions.tests import TESTS
from rmm_extension.workflows.queries import RunFilter, runs_about
from rmm_extension.workflows.shapes import Group

from .context import actor, allows, current_rmm, session


@dataclass(frozen=True, slots=True)
class Help:
    """What can be named, group by group, and what can be done with it. ``about`` is the object the trigger is
    about, ``run_id`` the run whose values stand beside the names."""

    groups: Sequence[Group]
    about: str
    run_id: UUID | None
    filters: Mapping[str, Function]
    tests: Mapping[str, Function]


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of an expression: ``problem`` says why it does not read."""

    problem: str | None


def names_at(row: Workflow, position: int | None) -> Help:
    """What expressions of the step at ``position`` may name; ``None`` is the trigger's filter, which is asked
    before there is a run."""
    tenant_id = actor().tenant_id
    last = runs_about(session(), tenant_id, RunFilter(workflow_id=row.id), 1)
    run_id = last[0].id if last else None
    groups = shapes.shape(
        current_rmm(), session(), tenant_id, row.draft, position, run_id=run_id, readable=_readable()
    )
    about = event_words(row.draft["trigger"]["event"]).about or "trigger"
    return Help(groups, about, run_id, FILTERS, TESTS)


def _readable() -> Callable[[str], bool]:
    """Whether the signed-in person may read what came of an action: whoever has the right to it, as on the
    pages of runs. Of one that is gone nobody knows which right that was."""
    specs = catalog.specs(current_rmm())
    return lambda action: action not in specs or allows(specs[action].permission)


def attempt(source: str, *, is_template: bool) -> Tried:
    """Whether an expression, or a text with some, reads; an empty one does."""
    try:
        if is_template:
            parse_template(source)
        elif source.strip():
            parse(source)
    except ExpressionError as error:
        return Tried(str(error))
    return Tried(None)
