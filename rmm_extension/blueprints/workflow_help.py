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
    run_id = chosen_run(row)
    groups = shapes.shape(
        current_rmm(), session(), actor().tenant_id, row.draft, position, run_id=run_id, readable=_readable()
    )
    about = event_words(row.draft["trigger"]["event"]).about or "trigger"
    return Help(groups, about, run_id, _offered(row, run_id), FILTERS, TESTS)


def _offered(row: Workflow, chosen: UUID | None) -> Options:
    """The newest runs in words, and the chosen one."""
    runs = list(_newest(row, OFFERED))
    older = run_row(session(), actor().tenant_id, chosen) if chosen else None
    if older is not None and all(one.id != chosen for one in runs):
        runs.append(older)
    return [(str(one.id), f"{moment(one.queued_at)}: {started_by(one)}") for one in runs]


def _readable() -> Callable[[str], bool]:
    """Whether the signed-in person may read what came of an action: whoever has the right to it, as on the
    pages of runs. Of one that is gone nobody knows which right that was."""
    specs = catalog.specs(current_rmm())
    return lambda action: action not in specs or allows(specs[action].permission)


def chosen_run(row: Workflow) -> UUID | None:
    """The run that the address names, if it is one of the workflow's, else its newest."""
    wanted = uuid_argument("run")
    named = run_row(session(), actor().tenant_id, wanted) if wanted else None
    if named is not None and named.workflow_id == row.id:
        return wanted
    last = _newest(row, 1)
    return last[0].id if last else None


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
        run_id=chosen_run(row),
        readable=_readable(),
    )


def _newest(row: Workflow, limit: int) -> Sequence[AnyRow]:
    return runs_about(session(), actor().tenant_id, RunFilter(workflow_id=row.id), limit)
