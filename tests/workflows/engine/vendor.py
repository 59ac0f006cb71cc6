"""A device of a simulated Tactical RMM behind the world's connection, and workflows that ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.harness.world import World
from tests.services.actions.conftest import PING, REBOOT, SCRIPT, Scene
from tests.services.working import relay_all, relay_once
from tests.workflows.engine.studio import Studio

__all__ = ["PING", "REBOOT", "SCRIPT", "Vendor"]


@dataclass
class Vendor:
    """Workflows about one device."""

    studio: Studio
    scene: Scene

    @property
    def world(self) -> World:
        """The world of both."""
        return self.studio.world

    def tell(self, **payload: Any) -> None:
        """An event about the device."""
        self.studio.tell(externalDeviceId=self.scene.agent.agent_id, **payload)

    def relay(self) -> None:
        """Hand over what waits in the outbox."""
        relay_all(self.world)

    def relay_once(self) -> None:
        """Hand over what waits, and not what comes of that."""
        relay_once(self.world)

    def do_next(self, kind: str) -> str:
        """Do the oldest job of the kind."""
        return self.studio.do(self.studio.jobs(kind)[0])

    def sent(self) -> list[str]:
        """What reached the vendor's agents."""
        return self.scene.sent()

    def action(self) -> dict[str, Any]:
        """The newest action."""
        found = self.world.rows("SELECT * FROM rmm_action_invocations ORDER BY created_at DESC, id DESC")
        return found[0]

    def die(self) -> None:
        """Leave the newest action as a worker does that ended while it asked."""
        action_id: UUID = self.action()["id"]
        self.scene.die(action_id)
