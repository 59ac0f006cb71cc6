"""The world's connection to a simulated vendor: its runs as a worker does them, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from rmm_extension.jobs.execute import perform
from rmm_extension.services import runs
from rmm_extension.services.followups import ticket_closed
from tests.harness.world import World


@dataclass
class Scene:
    """A simulated server behind the world's connection. ``provider`` is the vendor's key."""

    world: World

    provider: ClassVar[str] = ""

    def run(self, kind: str, **subject: Any) -> dict[str, Any]:
        """One run as a worker does it; its row afterwards."""
        world = self.world
        with world.unit() as session:
            run_id = runs.start(
                world.rmm,
                session,
                world.admin,
                kind,
                integration_id=world.integration_id,
                subject=subject,
            )
        return self.perform(run_id)

    def perform(self, run_id: UUID) -> dict[str, Any]:
        """One attempt of a run that is queued."""
        attempt = self.world.one("SELECT attempt FROM rmm_job_runs WHERE id = :id", id=run_id)
        with self.world.app.app_context():
            perform(self.world.rmm, self.world.tenant, run_id, attempt)
        (row,) = self.world.rows("SELECT * FROM rmm_job_runs WHERE id = :id", id=run_id)
        return row

    def poll(self) -> dict[str, Any]:
        """Look for alerts at the vendor; the run's row."""
        return self.run("alert_reconcile")

    def tickets(self) -> list[dict[str, Any]]:
        """Tickets made by alerts, oldest first."""
        return self.world.rows(
            "SELECT * FROM tickets WHERE source = :source ORDER BY number", source=self.provider
        )

    def close(self, ticket_id: str) -> None:
        """A person closes the ticket in the PSA."""
        world = self.world
        world.do(
            "UPDATE tickets SET closed_at = now(), status_id = (SELECT s.id FROM ticket_statuses s"
            " JOIN tickets t ON t.board_id = s.board_id WHERE t.id = :id AND s.is_closed LIMIT 1)"
            " WHERE id = :id",
            id=ticket_id,
        )
        with world.unit() as session:
            payload = {"ticket_id": ticket_id, "actor_id": "admin", "actor": "Ada Admin"}
            ticket_closed(world.rmm, session, world.tenant, payload)

    def queued(self, kind: str) -> list[dict[str, Any]]:
        """Runs of the kind that wait."""
        return self.world.rows(
            "SELECT * FROM rmm_job_runs WHERE kind = :kind AND status = 'queued'", kind=kind
        )

    def history(self) -> int:
        """How many lines all stories have together."""
        return int(self.world.one("SELECT count(*) FROM rmm_alert_events"))

    def stored(self, external_id: str) -> dict[str, Any]:
        """A device's row."""
        (row,) = self.world.rows("SELECT * FROM rmm_devices WHERE external_id = :id", id=external_id)
        return row
