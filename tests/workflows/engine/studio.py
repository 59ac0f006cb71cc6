"""Published workflows, events told, and runs worked off as workers do it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reference_psa.models import User
from rmm_extension.domain.contracts.workflows import load_definition
from rmm_extension.domain.workflows import document_of
from rmm_extension.host import Actor
from rmm_extension.jobs.execute import perform
from rmm_extension.models import Workflow, WorkflowVersion, new_id, utc_now
from rmm_extension.services import events
from rmm_extension.workflows import decisions, starting
from tests.harness.world import World
from tests.services.working import due, work_off
from tests.workflows.engine.acme import DONE, WRITE

EVENT = "RMM_ALERT_TRIGGERED"
KINDS = ("workflow_step", "device_action")


def step(name: str, action: str = WRITE, **more: Any) -> dict[str, Any]:
    """A step that writes what it is called, unless it says otherwise."""
    given = more.pop("inputs", {"text": {"value": name}} if action == WRITE else {})
    return {"id": name, "name": name.capitalize(), "action": action, "inputs": given, **more}


def document(*steps: dict[str, Any], event: str = EVENT, **trigger: Any) -> dict[str, Any]:
    """A workflow's document."""
    return {"trigger": {"event": event, **trigger}, "steps": list(steps)}


@dataclass
class Studio:
    """The world and its workflows."""

    world: World

    def person(self, role: str = "admin") -> Actor:
        """Somebody of the tenant with that role."""
        with self.world.unit() as session:
            return self.person_in(session, role)

    def publish(
        self, document: dict[str, Any], *, name: str = "Mend", by: Actor | None = None, **columns: Any
    ) -> UUID:
        """A published workflow."""
        actor, definition = by or self.person(), load_definition(document)
        row = Workflow(
            tenant_id=self.world.tenant,
            id=new_id(),
            name=name,
            **{
                "draft": document,
                "state": "published",
                "trigger": definition.trigger.event,
                "published_version": 1,
                "published_at": utc_now(),
                "publisher_id": actor.id,
                "publisher_name": actor.name,
                **columns,
            },
        )
        with self.world.unit() as session:
            session.add(row)
            session.flush()
            session.add(
                WorkflowVersion(
                    tenant_id=row.tenant_id,
                    id=new_id(),
                    workflow_id=row.id,
                    number=1,
                    document=document_of(definition),
                )
            )
            return row.id

    def tell(self, name: str = "alert_triggered", **payload: Any) -> None:
        """An event, which waits in the outbox."""
        about = {
            "integrationId": str(self.world.integration_id),
            "provider": "tacticalrmm",
            "alertId": "00000000-0000-0000-0000-000000000001",
            "externalAlertId": "524",
            "severity": "major",
        }
        with self.world.unit() as session:
            events.tell(session, self.world.tenant, name, {**about, **payload})

    def start(
        self, workflow_id: UUID, subject: str, subject_id: str, by: Actor | None = None, **more: Any
    ) -> UUID:
        """A person starts a workflow."""
        options = {"fields": {}, "key": str(new_id()), **more}
        with self.world.unit() as session:
            actor = by or self.person_in(session)
            return starting.start_manual(
                self.world.rmm, session, actor, workflow_id, subject, subject_id, **options
            )

    def person_in(self, session: Session, role: str = "admin") -> Actor:
        """The same, within a unit."""
        mine = (User.tenant_id == self.world.tenant, User.role == role)
        found = session.scalars(select(User).where(*mine).order_by(User.id)).first()
        assert found is not None
        return Actor(id=found.id, name=found.name, tenant_id=found.tenant_id)

    def decide(self, run_id: UUID, choice: str) -> None:
        """A person decides about what is unknown."""
        with self.world.unit() as session:
            decisions.decide(self.world.rmm, session, self.person_in(session), run_id, choice)

    def cancel(self, run_id: UUID) -> None:
        """A person cancels the run."""
        with self.world.unit() as session:
            decisions.cancel(self.world.rmm, session, self.person_in(session), run_id)

    def work(self) -> int:
        """Relay and do jobs of workflows and actions until nothing is left; how many jobs there were."""
        return work_off(self.world, *KINDS)

    def jobs(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Jobs of workflows and actions that wait and are due, oldest first."""
        return due(self.world, *([kind] if kind else KINDS))

    def do(self, job: dict[str, Any]) -> str:
        """One attempt of a job; its outcome in one word."""
        with self.world.app.app_context():
            return perform(self.world.rmm, self.world.tenant, job["id"], job["attempt"])

    def runs(self) -> list[dict[str, Any]]:
        """Runs, oldest first."""
        return self.world.rows("SELECT * FROM rmm_workflow_runs ORDER BY queued_at, id")

    def run(self, run_id: UUID | None = None) -> dict[str, Any]:
        """One run, or the only one."""
        (found,) = [one for one in self.runs() if run_id in (None, one["id"])]
        return found

    def steps(self, run_id: UUID | None = None) -> list[dict[str, Any]]:
        """Attempts of steps, in order."""
        found = self.world.rows("SELECT * FROM rmm_workflow_invocations ORDER BY run_id, position, attempt")
        return [one for one in found if run_id in (None, one["run_id"])]

    def states(self, run_id: UUID | None = None) -> list[str]:
        """The states of the attempts."""
        return [one["state"] for one in self.steps(run_id)]

    def written(self) -> list[str]:
        """What the pack has written, oldest first."""
        found = self.world.rows(
            "SELECT changes FROM rmm_audit WHERE action = :done ORDER BY at, id", done=DONE
        )
        return [one["changes"]["text"] for one in found]
