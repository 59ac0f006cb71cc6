"""Help with expressions: what they may name at a place of a workflow, with what a real run had there, and
whether one reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from rmm_extension.domain.workflow_words import event_words
from rmm_extension.models import Workflow
from rmm_extension.services.queries.paging import AnyRow
from rmm_extension.workflows import catalog, shapes, trying
from rmm_extension.workflows.expressions.filters import FILTERS
from rmm_extension.workflows.expressions.functions import Function
from rmm_extension.workflows.expressions.tests import TESTS
from rmm_extension.workflows.queries import RunFilter, run_row, runs_about
from rmm_extension.workflows.shapes import Group
from rmm_extension.workflows.trying import Tried

from .context import actor, allows, current_rmm, session
from .narrowing import Options, uuid_argument
from .presentation import moment
from .run_access import started_by

OFFERED = 10
"""So many of the newest runs are offered for their values."""


@dataclass(frozen=True, slots=True)
class Help:
    """What can be named, group by group, and what can be done with it. ``about`` is the object the trigger is
    about, ``run_id`` the run whose values stand beside the names, ``runs`` those it is chosen from."""

    groups: Sequence[Group]
    about: str
    run_id: UUID | None
    runs: Options
    filters: Mapping[str, Function]
    tests: Mapping[str, Function]


def names_at(row: Workflow, position: int | None) -> Help:
    """What expressions of the step at ``position`` may name; ``None`` is the trigger's filter, which is asked
    before there is a run."""
    run_id, runs = _runs(row)
    groups = shapes.shape(
        current_rmm(), session(), actor().tenant_id, row.draft, position, run_id=run_id, readable=_readable()
    )
    about = event_words(row.draft["trigger"]["event"]).about or "trigger"
    offered = [(str(one.id), f"{moment(one.queued_at)}: {started_by(one)}") for one in runs]
    return Help(groups, about, run_id, offered, FILTERS, TESTS)


def _runs(row: Workflow) -> tuple[UUID | None, Sequence[AnyRow]]:
    """The run whose values are shown, and those it is chosen from: the newest ones, and it.

    It is the one that the address names, if that is one of the workflow's, else the newest.
    """
    runs = list(runs_about(session(), actor().tenant_id, RunFilter(workflow_id=row.id), OFFERED))
    wanted = uuid_argument("run")
    if wanted and all(one.id != wanted for one in runs):
        older = run_row(session(), actor().tenant_id, wanted)
        runs += [older] if older is not None and older.workflow_id == row.id else []
    ids = [one.id for one in runs]
    return wanted if wanted in ids else next(iter(ids), None), runs


def _readable() -> Callable[[str], bool]:
    """Whether the signed-in person may read what came of an action: whoever has the right to it, as on the
    pages of runs. Of one that is gone nobody knows which right that was."""
    specs = catalog.specs(current_rmm())
    return lambda action: action not in specs or allows(specs[action].permission)


def attempt(row: Workflow, position: int | None, source: str, *, is_template: bool) -> Tried:
    """What becomes of an expression that is being typed, with the values of the chosen run."""
    return trying.attempt(
        current_rmm(),
        session(),
        actor().tenant_id,
        row.draft,
        position,
        source,
        is_template=is_template,
        run_id=_runs(row)[0],
        readable=_readable(),
    )
