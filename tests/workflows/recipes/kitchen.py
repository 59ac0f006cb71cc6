"""A recipe of the gallery, published, and everything that follows from it, worked off as workers do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import select

from reference_psa.models import User
from rmm_extension.host import Actor
from rmm_extension.workflows import definitions, recipes
from tests.blueprints.test_alert_actions import browser
from tests.harness.world import World
from tests.services.working import work_off

KINDS = ("alert_details", "workflow_step", "device_action", "alert_reset", "device_refresh")
"""Work that recipes lead to, and that follows alerts."""


@dataclass
class Kitchen:
    """The world and its workflows."""

    world: World

    @property
    def admin(self) -> Actor:
        """Who publishes."""
        with self.world.unit() as session:
            mine = (User.tenant_id == self.world.tenant, User.email == "admin@northbeam.example")
            found = session.scalars(select(User).where(*mine)).one()
            return Actor(id=found.id, name=found.name, tenant_id=found.tenant_id)

    @property
    def browser(self) -> FlaskClient:
        """An administrator's."""
        return browser(self.world, "admin")

    def publish(self, key: str, **given: Any) -> UUID:
        """The recipe with these answers, as the gallery makes and publishing checks it."""
        actor, recipe = self.admin, recipes.find(key)
        assert recipe is not None
        with self.world.unit() as session:
            made = recipes.document(recipe, given)
            row = definitions.create(session, actor, recipe.title, made, recipe=key)
            definitions.publish(self.world.rmm, session, actor, row.id, row.revision)
            return row.id

    def work(self) -> None:
        """Relay, and do what waits and is due, until nothing does."""
        work_off(self.world, *KINDS)

    def runs(self) -> list[dict[str, Any]]:
        """Runs, oldest first."""
        return self.world.rows("SELECT * FROM rmm_workflow_runs ORDER BY queued_at, id")

    def steps(self) -> dict[str, str]:
        """The state of each step of the only run."""
        assert len(self.runs()) == 1, self.runs()
        return {step["step_id"]: step["state"] for step in self.told()}

    def told(self) -> list[dict[str, Any]]:
        """The steps that were reached, in order."""
        return self.world.rows("SELECT * FROM rmm_workflow_invocations ORDER BY run_id, position, attempt")
