"""Workflows: made, copied, saved as drafts, published, paused, deleted. Every change is in the audit.

What is published never changes: each publishing makes a version of its own, and a run keeps the one it began
with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from rmm_extension.domain.contracts.workflows import kept_document
from rmm_extension.domain.errors import Conflict, Invalid
from rmm_extension.domain.values import storable
from rmm_extension.domain.workflows import Step, WorkflowState
from rmm_extension.host import Actor
from rmm_extension.models import (
    UNFINISHED_RUNS_SQL,
    Workflow,
    WorkflowRun,
    WorkflowVersion,
    new_id,
    utc_now,
)
from rmm_extension.services import audit
from rmm_extension.services.context import Rmm

from . import rights, rows
from .check import check

LONGEST_NAME, LONGEST_DESCRIPTION = 100, 1_000


class UnknownWorkflow(LookupError):
    """No such workflow in this tenant."""


def get(session: Session, tenant_id: str, workflow_id: UUID, *, lock: bool = False) -> Workflow:
    """One workflow; ``lock`` reads it anew and holds its row. Raises :class:`UnknownWorkflow`."""
    statement = select(Workflow).where(Workflow.tenant_id == tenant_id, Workflow.id == workflow_id)
    if lock:
        statement = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    return _found(session.scalar(statement))


def create(
    session: Session,
    actor: Actor,
    name: str,
    document: Mapping[str, Any],
    *,
    description: str = "",
    recipe: str | None = None,
) -> Workflow:
    """A new draft; raises ``Invalid`` by path for the document, and for ``name`` and ``description``."""
    row = Workflow(
        tenant_id=actor.tenant_id,
        id=new_id(),
        draft=kept_document(document),
        revision=1,
        state=WorkflowState.DRAFT,
        recipe=recipe,
        created_by=actor.name,
        updated_by=actor.name,
        **_naming(name, description),
    )
    session.add(row)
    session.flush()
    _audit(session, actor, "workflow.created", row, {"recipe": recipe} if recipe else None)
    return row


def copy(session: Session, actor: Actor, workflow_id: UUID) -> Workflow:
    """A draft like the workflow's draft; nothing starts it."""
    row = get(session, actor.tenant_id, workflow_id)
    name = f"Copy of {row.name}"[:LONGEST_NAME]
    return create(session, actor, name, row.draft, description=row.description, recipe=row.recipe)


def save(
    session: Session, actor: Actor, workflow_id: UUID, document: Mapping[str, Any], revision: int
) -> Workflow:
    """Make the draft what the document says. Runs are not touched: they do what was published.

    Raises ``Invalid`` by path; ``Conflict`` where somebody saved since ``revision`` was read.
    """
    row = _at(session, actor, workflow_id, revision)
    kept = kept_document(document)
    if kept != row.draft:
        changes = _differences(row.draft, kept)
        row.draft, row.revision, row.updated_by = kept, row.revision + 1, actor.name
        _audit(session, actor, "workflow.saved", row, changes)
    return row


def rename(session: Session, actor: Actor, workflow_id: UUID, name: str, description: str) -> Workflow:
    """Give it another name and description, which are the same for every version; raises ``Invalid``."""
    row = get(session, actor.tenant_id, workflow_id, lock=True)
    given = _naming(name, description)
    changes = {key: [getattr(row, key), value] for key, value in given.items() if getattr(row, key) != value}
    for key, (_, value) in changes.items():
        setattr(row, key, value)
    if changes:
        row.updated_by = actor.name
        _audit(session, actor, "workflow.renamed", row, changes)
    return row


def publish(rmm: Rmm, session: Session, actor: Actor, workflow_id: UUID, revision: int) -> Workflow:
    """Make the draft what runs from now on, with the rights of whoever publishes it, paused or not.

    The same draft by the same person again is no version more. Raises ``Invalid`` with the errors of
    :func:`.check.check` by path, ``Conflict`` as :func:`save`.
    """
    row = _at(session, actor, workflow_id, revision)
    if _is_so_already(row, actor):
        return row
    report = check(rmm, session, actor, row.draft)
    if report.errors:
        raise Invalid(report.errors)
    number = (row.published_version or 0) + 1
    session.add(_version(row, actor, number))
    row.state, row.trigger = WorkflowState.PUBLISHED, row.draft["trigger"]["event"]
    row.published_version, row.published_revision = number, row.revision
    row.published_at, row.publisher_id, row.publisher_name = utc_now(), actor.id, actor.name
    session.flush()
    _audit(session, actor, "workflow.published", row, {"version": number})
    return row


def pause(session: Session, actor: Actor, workflow_id: UUID) -> Workflow:
    """Start no more runs; those under way go on. No change where it is paused; ``Conflict`` for a draft."""
    return _switch(session, actor, workflow_id, WorkflowState.PAUSED, "workflow.paused")


def resume(rmm: Rmm, session: Session, actor: Actor, workflow_id: UUID) -> Workflow:
    """Start runs again, as it was published last and with the rights of whoever did; what happened meanwhile
    starts none. Raises ``Forbidden`` for whoever lacks the right to one of the actions.
    """
    rights.require(rmm, actor, _published_steps(session, actor.tenant_id, workflow_id))
    return _switch(session, actor, workflow_id, WorkflowState.PUBLISHED, "workflow.resumed")


def delete(session: Session, actor: Actor, workflow_id: UUID) -> None:
    """Remove it with its versions and the history of its runs.

    Raises ``Conflict`` while runs are under way: their vendors' answers would come to nobody.
    """
    mine = (Workflow.tenant_id == actor.tenant_id, Workflow.id == workflow_id)
    # Whoever starts a run refers to this row and so waits for the lock, or is seen by the count.
    row = _found(session.scalar(select(Workflow).where(*mine).with_for_update()))
    unfinished = session.scalar(
        select(func.count()).where(
            WorkflowRun.tenant_id == row.tenant_id,
            WorkflowRun.workflow_id == row.id,
            text(UNFINISHED_RUNS_SQL),
        )
    )
    if unfinished:
        raise Conflict(_UNDER_WAY.format(count=unfinished))
    _audit(session, actor, "workflow.deleted", row, {"version": row.published_version})
    session.delete(row)
    session.flush()


def _found(row: Workflow | None) -> Workflow:
    if row is None:
        raise UnknownWorkflow("This workflow does not exist (any more).")
    return row


def _at(session: Session, actor: Actor, workflow_id: UUID, revision: int) -> Workflow:
    row = get(session, actor.tenant_id, workflow_id, lock=True)
    if row.revision != revision:
        raise Conflict(
            f"{row.updated_by or 'Somebody'} has saved this workflow meanwhile. Look at what it is now, and"
            " make your change again."
        )
    return row


def _naming(name: str, description: str) -> dict[str, str]:
    given = {"name": storable(name).strip(), "description": storable(description).strip()}
    errors = {}
    if not given["name"]:
        errors["name"] = ["Give it a name."]
    for key, longest in (("name", LONGEST_NAME), ("description", LONGEST_DESCRIPTION)):
        if len(given[key]) > longest:
            errors[key] = [f"This is too long: at most {longest:,} characters."]
    if errors:
        raise Invalid(errors)
    return given


def _is_so_already(row: Workflow, actor: Actor) -> bool:
    return (row.state, row.published_revision, row.publisher_id) == (
        WorkflowState.PUBLISHED,
        row.revision,
        actor.id,
    )


def _published_steps(session: Session, tenant_id: str, workflow_id: UUID) -> list[Step]:
    """The steps of what is published; none of what never was."""
    row = get(session, tenant_id, workflow_id, lock=True)
    number = row.published_version
    document = session.scalar(
        select(WorkflowVersion.document).where(
            WorkflowVersion.tenant_id == tenant_id,
            WorkflowVersion.workflow_id == workflow_id,
            WorkflowVersion.number == number,
        )
    )
    return list(rows.read(document).steps) if document is not None else []


def _version(row: Workflow, actor: Actor, number: int) -> WorkflowVersion:
    return WorkflowVersion(
        tenant_id=row.tenant_id,
        id=new_id(),
        workflow_id=row.id,
        number=number,
        document=row.draft,
        created_by=actor.name,
    )


def _switch(session: Session, actor: Actor, workflow_id: UUID, state: WorkflowState, action: str) -> Workflow:
    row = get(session, actor.tenant_id, workflow_id, lock=True)
    if row.published_version is None:
        raise Conflict("This workflow was never published. Publish it first.")
    if row.state != state:
        row.state, row.updated_by = state, actor.name
        _audit(session, actor, action, row)
    return row


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Which parts are others now, by name: inputs may hold what the audit is not to show."""
    old, new = ({step["id"]: step for step in one["steps"]} for one in (before, after))
    found: dict[str, Any] = {
        "added": [name for name in new if name not in old],
        "removed": [name for name in old if name not in new],
        "changed": [name for name in new if name in old and new[name] != old[name]],
    }
    kept = [name for name in old if name in new]
    if kept != [name for name in new if name in old]:
        found["order"] = list(new)
    if before["trigger"] != after["trigger"]:
        found["trigger"] = [before["trigger"]["event"], after["trigger"]["event"]]
    return {key: value for key, value in found.items() if value}


def _audit(
    session: Session, actor: Actor, action: str, row: Workflow, changes: dict[str, Any] | None = None
) -> None:
    audit.record(
        session,
        actor,
        action,
        subject_type="workflow",
        subject_id=row.id,
        subject_name=row.name,
        changes=changes,
    )


_UNDER_WAY = (
    "{count} of its runs are under way. Pause it, wait until they are over or cancel them, and delete it"
    " then."
)
