"""A vendor that can be told of maintenance, the windows that it follows, and what a tick and its runs do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from rmm_extension.domain.errors import (
    ProviderError,
)
from rmm_extension.domain.types import Connection
from rmm_extension.jobs import execute
from rmm_extension.models import utc_now
from rmm_extension.providers.tacticalrmm import TacticalRmm
from rmm_extension.services import maintenance, vendor_maintenance
from tests.harness.world import World
from tests.services.working import queued, work

KIND = "vendor_maintenance"
HOUR = timedelta(hours=1)


class Vendor:
    """A vendor that can be told: ``told`` is every call, ``held`` what it believes; ``fails`` by device."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.held: dict[str, tuple[datetime, str]] = {}
        self.fails: dict[str, ProviderError] = {}
        self.between: Callable[[str], None] = lambda _: None

    def set(self, external_id: str, until: datetime, reason: str) -> None:
        self._asked("set", external_id)
        self.held[external_id] = (until, reason)

    def end(self, external_id: str) -> None:
        self._asked("end", external_id)
        self.held.pop(external_id, None)

    def _asked(self, what: str, external_id: str) -> None:
        self.told.append((what, external_id))
        self.between(external_id)
        error = self.fails.get(external_id) or self.fails.get("*")
        if error is not None:
            raise error

    def calls(self, what: str) -> list[str]:
        return [external_id for said, external_id in self.told if said == what]


class Told(TacticalRmm):
    """Tactical RMM, as if it could be told of maintenance. A class of its own: what a class can is kept."""

    vendor: Vendor

    def set_maintenance(
        self, connection: Connection, external_id: str, *, until: datetime, reason: str
    ) -> None:
        self.vendor.set(external_id, until, reason)

    def end_maintenance(self, connection: Connection, external_id: str) -> None:
        self.vendor.end(external_id)


def window(world: World, name: str = "Patch night", hours: float = 2, **value: Any) -> UUID:
    now = utc_now()
    given = {
        "name": name,
        "atVendor": True,
        "startsAt": (now - timedelta(minutes=5)).isoformat(),
        "endsAt": (now + hours * HOUR).isoformat(),
        **value,
    }
    with world.unit() as session:
        return maintenance.create(world.rmm, session, world.admin, given).id


def edit(world: World, window_id: UUID, **changes: Any) -> None:
    with world.unit() as session:
        row = maintenance.locked(session, world.tenant, window_id)
        value = {
            "name": row.name,
            "atVendor": row.at_vendor,
            "startsAt": row.starts_at.isoformat() if row.starts_at else None,
            "endsAt": row.ends_at.isoformat() if row.ends_at else None,
            "clientId": row.client_id,
            "integrationId": str(row.integration_id) if row.integration_id else None,
        }
        maintenance.update(world.rmm, session, world.admin, window_id, {**value, **changes})


def end(world: World, window_id: UUID) -> datetime:
    return world.one("SELECT ends_at FROM rmm_maintenance_windows WHERE id = :id", id=window_id)


def tick(world: World) -> int:
    with world.app.app_context():
        return vendor_maintenance.follow_windows(world.rmm)


def go(world: World) -> list[dict[str, Any] | str]:
    """A tick, and the runs that it starts."""
    tick(world)
    return work(world, KIND)


def run_once(world: World) -> str:
    """The queued run, as a worker does it: judged by how it ends."""
    (run_id,) = queued(world, KIND)
    attempt = world.one("SELECT attempt FROM rmm_job_runs WHERE id = :id", id=run_id)
    with world.app.app_context():
        return execute.perform(world.rmm, world.tenant, run_id, attempt)


def stands(world: World) -> dict[str, str]:
    rows = world.rows(
        "SELECT d.external_id, m.state FROM rmm_vendor_maintenance m JOIN rmm_devices d"
        " ON d.tenant_id = m.tenant_id AND d.id = m.device_id ORDER BY 1"
    )
    return {row["external_id"]: row["state"] for row in rows}


def errors(world: World) -> set[str | None]:
    return {row["error"] for row in world.rows("SELECT error FROM rmm_vendor_maintenance")}


def due_now(world: World) -> None:
    world.do("UPDATE rmm_vendor_maintenance SET due_at = now() WHERE due_at IS NOT NULL")


def activity(world: World, action: str) -> list[dict[str, Any]]:
    return world.rows("SELECT * FROM rmm_audit WHERE action = :action ORDER BY at, id", action=action)
