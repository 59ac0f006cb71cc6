"""What starts runs: events, people, and tests of a draft."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.orm import Session

from rmm_extension.domain.actions import ErrorCode
from rmm_extension.domain.contracts.events import CATALOGUE
from rmm_extension.domain.contracts.workflows import load_definition
from rmm_extension.domain.errors import ConfigError, Conflict
from rmm_extension.domain.workflows import (
    MANUAL,
    Definition,
    RunSource,
    Trigger,
    WorkflowState,
    document_of,
)
from rmm_extension.host import Actor
from rmm_extension.models import PUBLISHED_VERSION, Workflow, WorkflowVersion, new_id
from rmm_extension.services import audit, outbox
from rmm_extension.services.context import Rmm

from . import context, definitions, guard, manual_fields, new_run, past_events, places, rows
from .context import Scene
from .expressions import ExpressionError, truth
from .guard import Refusal
from .new_run import NewRun

LONGEST_KEY = 200


# --- By events


def wanted_events(session: Session, told: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the events, each a tenant and the name of a signal, that start a published workflow."""
    names = {(tenant_id, CATALOGUE[name].name): name for tenant_id, name in told if name in CATALOGUE}
    mine = tuple_(Workflow.tenant_id, Workflow.trigger).in_(list(names))
    found = session.execute(
        select(Workflow.tenant_id, Workflow.trigger)
        .where(Workflow.state == WorkflowState.PUBLISHED, mine)
        .distinct()
    )
    return {(row.tenant_id, names[row.tenant_id, row.trigger]) for row in found}


def on_event(rmm: Rmm, session: Session, tenant_id: str, name: str, payload: dict[str, Any]) -> None:
    """Ask for a start of each published workflow that waits for the event, through the outbox.

    Each is then dealt with in a transaction of its own: one that cannot be started keeps back no other.
    """
    event = CATALOGUE[name].name
    found = session.scalars(select(Workflow.id).where(*_started_by(tenant_id, event)).order_by(Workflow.id))
    said = {"event": event, "key": str(new_id()), "payload": payload}
    outbox.put_many(
        session, tenant_id, "workflow_start", ({"workflow_id": str(one), **said} for one in found)
    )


def by_event(rmm: Rmm, session: Session, tenant_id: str, payload: dict[str, Any]) -> None:
    """Handler of the outbox: start one workflow, if its filter lets the event through.

    Where that cannot be worked out, or the workflow runs too often, a failed run says so, up to a number of
    them.
    """
    workflow_id, event, told = UUID(payload["workflow_id"]), payload["event"], payload["payload"]
    found = _published(session, tenant_id, workflow_id, event)
    if found is None:
        return
    workflow, version = found
    new = NewRun(
        workflow=workflow,
        source=RunSource.EVENT,
        event=event,
        key=f"{RunSource.EVENT}:{payload['key']}",
        actor=_publisher(workflow),
        scene=context.look(rmm, session, tenant_id, context.about_event(told)),
        trigger={"event": event, **told},
    )
    try:
        judged = _let_through(new, version)
        # Before anything is counted: of two events at once both might be taken for the first one. And after
        # the filter: most events are kept out, and none of these is to wait for whoever counts.
        places.lock(session, tenant_id)
        refusal = judged if isinstance(judged, Refusal) else _judge(session, new, judged)
    except _NotWanted:
        return
    if refusal is None or not guard.is_shown_enough(session, workflow, refusal):
        new_run.write(session, new, version.id, refusal)
    if refusal is None:
        places.let_go_on(session, tenant_id)
    elif refusal.key:
        said = {"workflow_id": str(workflow.id), "name": workflow.name, "message": refusal.message}
        outbox.put(session, tenant_id, "workflow_refused", {**said, "key": refusal.key})


def _let_through(new: NewRun, version: WorkflowVersion) -> Trigger | Refusal:
    """The trigger, whose filter lets the event through, or why nobody can tell; raises ``_NotWanted``."""
    try:
        trigger = rows.read(version.document).trigger
        if trigger.filter is not None and not truth(trigger.filter, new.seen):
            raise _NotWanted
    except ExpressionError as error:
        words = f"The trigger's filter could not be worked out: {error}"
        return Refusal(ErrorCode.EXPRESSION_ERROR, words)
    except ConfigError as error:
        return Refusal(ErrorCode.INTERNAL_ERROR, str(error))
    return trigger


def _judge(session: Session, new: NewRun, trigger: Trigger) -> Refusal | None:
    """Why the run is not started, if it is to be written down; raises ``_NotWanted`` where it is not."""
    workflow, guard_key = new.workflow, new.scene.guard_key
    if guard.is_too_soon(session, workflow, trigger, guard_key):
        raise _NotWanted
    return guard.refusal(session, workflow, guard_key)


class _NotWanted(Exception):
    """The trigger does not want a run of this event."""


def _started_by(tenant_id: str, event: str) -> tuple[ColumnElement[bool], ...]:
    return (
        Workflow.tenant_id == tenant_id,
        Workflow.state == WorkflowState.PUBLISHED,
        Workflow.trigger == event,
    )


def _published(
    session: Session, tenant_id: str, workflow_id: UUID, event: str
) -> tuple[Workflow, WorkflowVersion] | None:
    """The workflow and what it does, while it is published and the event starts it.

    It is held as the run's row will hold it: whoever deletes it is waited for here, and not under the
    tenant's lock, which that one may come to wait for.
    """
    statement = select(Workflow, WorkflowVersion).join(WorkflowVersion, PUBLISHED_VERSION)
    mine = statement.where(Workflow.id == workflow_id, *_started_by(tenant_id, event))
    found = session.execute(mine.with_for_update(read=True, key_share=True, of=Workflow)).first()
    return (found[0], found[1]) if found else None


def _publisher(workflow: Workflow) -> Actor:
    """Whose rights a run has that an event starts: the person's who published it last."""
    name = workflow.publisher_name or "Somebody who is gone"
    return Actor(id=workflow.publisher_id or "", name=name, tenant_id=workflow.tenant_id)


# --- By people


def start_manual(
    rmm: Rmm,
    session: Session,
    actor: Actor,
    workflow_id: UUID,
    subject_type: str,
    subject_id: str,
    fields: Mapping[str, Any],
    key: str,
) -> UUID:
    """Start a workflow from an alert, a ticket, an asset or a device, with what its form says; the run's id.

    The same ``key`` again is the first start. Raises ``UnknownWorkflow``, ``Invalid`` by the fields'
    names, ``Conflict`` for a workflow that people do not start here, or something that is gone.
    """
    workflow = definitions.get(session, actor.tenant_id, workflow_id)
    found = _published(session, actor.tenant_id, workflow_id, MANUAL)
    if found is None:
        raise Conflict(f"“{workflow.name}” is not published, or is not started by people.")
    version = found[1]
    trigger = rows.read(version.document).trigger
    if subject_type not in trigger.subjects:
        raise Conflict(f"“{workflow.name}” is not started from here.")
    new = NewRun(
        workflow=workflow,
        source=RunSource.MANUAL,
        event=MANUAL,
        key=_key(RunSource.MANUAL, key),
        actor=actor,
        scene=_scene_of(rmm, session, actor.tenant_id, subject_type, subject_id),
        trigger={"event": MANUAL, "subject": subject_type},
        fields=manual_fields.load(trigger.fields, fields),
    )
    _require_filter(trigger, new)
    return _start_by_person(session, new, version.id)


def start_test(
    rmm: Rmm,
    session: Session,
    actor: Actor,
    workflow_id: UUID,
    event: str,
    subject_id: str,
    simulated: bool,
    key: str,
    *,
    subject_type: str | None = None,
    fields: Mapping[str, Any] | None = None,
) -> UUID:
    """Run the draft as it is, as if ``event`` had just been told of something that is here; the run's id.

    ``simulated``: steps that change something are worked out and checked, and not done. For a workflow that
    people start, ``subject_type`` and ``fields`` are what they would choose. The draft's filter is not
    asked: whoever tests has chosen. Raises as :func:`start_manual`, and ``Invalid`` for a draft that is no
    workflow yet.
    """
    workflow = definitions.get(session, actor.tenant_id, workflow_id)
    test_key = _key(RunSource.TEST, key)
    if (known := new_run.of_key(session, actor.tenant_id, workflow_id, test_key)) is not None:
        return known
    definition = load_definition(workflow.draft)
    if event != definition.trigger.event:
        raise Conflict("The draft has another trigger by now. Choose again what to test it with.")
    payload, scene = _chosen(rmm, session, actor.tenant_id, event, subject_type, subject_id)
    new = NewRun(
        workflow=workflow,
        source=RunSource.TEST,
        event=event,
        key=test_key,
        actor=actor,
        scene=scene,
        trigger={"event": event, **payload},
        fields=manual_fields.load(definition.trigger.fields, fields or {}),
        simulated=simulated,
    )
    return _start_by_person(session, new, _draft(session, actor, workflow, definition))


def _start_by_person(session: Session, new: NewRun, version_id: UUID) -> UUID:
    tenant_id, workflow_id = new.workflow.tenant_id, new.workflow.id
    if refusal := guard.crowd(session, tenant_id):
        raise Conflict(refusal.message)
    started = new_run.write(session, new, version_id)
    if started is None:
        first = new_run.of_key(session, tenant_id, workflow_id, new.key)
        assert first is not None
        return first
    audit.record(
        session,
        new.actor,
        "workflow.run_started",
        subject_type="workflow_run",
        subject_id=started,
        subject_name=new.workflow.name,
        integration_id=new.scene.about.integration_id,
        changes={"how": new.source.value, "simulated": new.simulated},
    )
    places.let_go_on(session, tenant_id)
    return started


def _key(source: RunSource, key: str) -> str:
    if not 0 < len(key) <= LONGEST_KEY:
        raise ValueError(f"A key has 1 to {LONGEST_KEY} characters.")
    return f"{source}:{key}"


def _scene_of(rmm: Rmm, session: Session, tenant_id: str, subject_type: str, subject_id: str) -> Scene:
    """What the workflow is started from, with all that belongs to it; ``Conflict`` where it is not here."""
    try:
        scene = context.look(rmm, session, tenant_id, context.about_subject(subject_type, subject_id))
    except LookupError as error:
        raise Conflict(str(error)) from error
    if scene.objects[subject_type] is None:
        raise Conflict(f"This {subject_type} does not exist (any more).")
    return scene


def _require_filter(trigger: Trigger, new: NewRun) -> None:
    try:
        if trigger.filter is None or truth(trigger.filter, new.seen):
            return
    except ExpressionError as error:
        raise Conflict(f"The filter of “{new.workflow.name}” could not be worked out: {error}") from error
    raise Conflict(f"“{new.workflow.name}” is not for this: its filter does not let it through.")


def _chosen(
    rmm: Rmm, session: Session, tenant_id: str, event: str, subject_type: str | None, subject_id: str
) -> tuple[Mapping[str, Any], Scene]:
    """What a test is about: what the event would say of it, and all that belongs to it."""
    if event == MANUAL:
        return {"subject": subject_type}, _scene_of(rmm, session, tenant_id, subject_type or "", subject_id)
    found = past_events.payload(rmm, session, tenant_id, event, subject_id)
    if found is None:
        raise Conflict("What you chose is not here any more. Choose something else.")
    return found, context.look(rmm, session, tenant_id, context.about_event(found))


def _draft(session: Session, actor: Actor, workflow: Workflow, definition: Definition) -> UUID:
    """A version of its own for what is tested: the draft goes on changing."""
    row = WorkflowVersion(
        tenant_id=workflow.tenant_id,
        id=new_id(),
        workflow_id=workflow.id,
        number=0,
        document=document_of(definition),
        created_by=actor.name,
    )
    session.add(row)
    session.flush()
    return row.id
