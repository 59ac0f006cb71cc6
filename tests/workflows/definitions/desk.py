"""What an administrator does with workflows, each in a unit of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.host import Actor
from rmm_extension.models import Integration, new_id
from rmm_extension.workflows import definitions
from rmm_extension.workflows.check import Report, check
from tests.harness.world import World
from tests.workflows.engine.studio import Studio, document, step

TEXT = {"text": {"value": "Hello"}}
PLAIN = document(step("write"))


@dataclass
class Desk:
    """The world, and who sits here."""

    world: World
    role: str = "admin"

    def person(self, session: Session, role: str | None = None) -> Actor:
        """Somebody of the tenant with that role."""
        return Studio(self.world).person_in(session, role or self.role)

    def make(self, found: Mapping[str, Any] = PLAIN, name: str = "Mend", **more: Any) -> UUID:
        """A draft."""
        with self.world.unit() as session:
            return definitions.create(session, self.person(session), name, found, **more).id

    def save(self, workflow_id: UUID, found: Mapping[str, Any], revision: int = 1) -> None:
        """Save the draft."""
        with self.world.unit() as session:
            actor = self.person(session)
            definitions.save(session, actor, workflow_id, found, revision)

    def act(self, work: Any, workflow_id: UUID, *args: Any, role: str | None = None) -> Any:
        """Call one of the functions of definitions; what it gives is not of a session any more."""
        with self.world.unit() as session:
            found = work(session, self.person(session, role), workflow_id, *args)
            return found.id if found is not None else None

    def publish(self, workflow_id: UUID, revision: int = 1, role: str | None = None) -> None:
        """Publish the draft."""
        self.act(partial(definitions.publish, self.world.rmm), workflow_id, revision, role=role)

    def row(self, workflow_id: UUID) -> dict[str, Any]:
        """The stored workflow."""
        (found,) = self.world.rows("SELECT * FROM rmm_workflows WHERE id = :id", id=workflow_id)
        return found

    def versions(self, workflow_id: UUID) -> list[dict[str, Any]]:
        """Its versions, the first one first."""
        return self.world.rows(
            "SELECT * FROM rmm_workflow_versions WHERE workflow_id = :id ORDER BY number", id=workflow_id
        )

    def audited(self) -> list[dict[str, Any]]:
        """What the audit says of workflows."""
        return self.world.rows(
            "SELECT action, actor_name, subject_name, changes FROM rmm_audit"
            " WHERE subject_type = 'workflow' ORDER BY at, id"
        )

    def check(self, found: Mapping[str, Any], role: str | None = None) -> Report:
        """What the check says to somebody."""
        with self.world.unit() as session:
            return check(self.world.rmm, session, self.person(session, role), found)

    def connect(self, name: str = "Second", provider: str = "tacticalrmm", state: str = "connected") -> UUID:
        """One connection more."""
        row = Integration(
            tenant_id=self.world.tenant,
            id=new_id(),
            provider=provider,
            name=name,
            state=state,
            instance_url="http://127.0.0.1:1",
        )
        with self.world.unit() as session:
            session.add(row)
            return row.id
