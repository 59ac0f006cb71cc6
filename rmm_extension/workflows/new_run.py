"""Writing down that a run begins: what it is about, what its expressions see, and whose rights it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from rmm_extension.domain.workflows import RunSource, RunState
from rmm_extension.host import Actor
from rmm_extension.models import Workflow, WorkflowRun, new_id, utc_now

from .context import Scene
from .guard import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run as it is about to be written; ``key`` is what may start the workflow only once."""

    workflow: Workflow
    source: RunSource
    event: str
    key: str
    actor: Actor
    scene: Scene
    trigger: Mapping[str, Any]
    fields: Mapping[str, Any] | None = None
    simulated: bool = False

    @property
    def seen(self) -> dict[str, Any]:
        """What expressions see of it, but for the run itself and its steps."""
        return {"trigger": dict(self.trigger), **self.scene.objects, "fields": dict(self.fields or {})}


def write(session: Session, new: NewRun, version_id: UUID, refusal: Refusal | None = None) -> UUID | None:
    """Write the run, queued, or failed where it was refused; ``None`` where the key was used before."""
    statement = insert(WorkflowRun).values(_values(new, version_id, refusal))
    once = statement.on_conflict_do_nothing(index_elements=["tenant_id", "workflow_id", "event_key"])
    return session.scalar(once.returning(WorkflowRun.id))


def of_key(session: Session, tenant_id: str, workflow_id: UUID, key: str) -> UUID | None:
    """The run that was started with this key."""
    row = WorkflowRun
    mine = (row.tenant_id == tenant_id, row.workflow_id == workflow_id, row.event_key == key)
    return session.scalar(select(row.id).where(*mine))


def _values(new: NewRun, version_id: UUID, refusal: Refusal | None) -> dict[str, Any]:
    about, now = new.scene.about, utc_now()
    return {
        "tenant_id": new.workflow.tenant_id,
        "id": new_id(),
        "workflow_id": new.workflow.id,
        "version_id": version_id,
        "source": new.source,
        "simulated": new.simulated,
        "event": new.event,
        "event_key": new.key,
        "guard_key": new.scene.guard_key,
        "context": new.seen,
        "state": RunState.FAILED if refusal else RunState.QUEUED,
        "position": 0,
        "integration_id": about.integration_id,
        "alert_id": about.alert_id,
        "device_id": about.device_id,
        "ticket_id": about.ticket_id,
        "asset_id": about.asset_id,
        "actor_id": new.actor.id,
        "actor_name": new.actor.name,
        "error_code": refusal.code if refusal else None,
        "message": refusal.message if refusal else None,
        "queued_at": now,
        "finished_at": now if refusal else None,
    }
