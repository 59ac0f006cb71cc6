"""A vendor made up for these tests, which tells what changed of its alerts since a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from rmm_extension.domain.errors import ProviderError
from rmm_extension.domain.types import (
    AlertChanges,
    AlertEvent,
    AlertKind,
    Connection,
    Severity,
    UnreadAlert,
)
from rmm_extension.jobs.execute import perform
from rmm_extension.providers.contract import AuthMode, Manifest, Provider, Runtime
from rmm_extension.services import connections, runs
from tests.harness.world import World

NOW = datetime.now(UTC).replace(microsecond=0)


def ago(minutes: float) -> datetime:
    """A time of the vendor's."""
    return NOW - timedelta(minutes=minutes)


class Acme(Provider):
    """Lists alerts by the time of their last change, newest first until ``since``, as such vendors do."""

    manifest = Manifest(
        key="acme",
        label="Acme RMM",
        description="",
        auth_modes=(AuthMode(key="api_key", label="Key", description="", fields=()),),
        editions=("community", "enterprise"),
    )

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(runtime)
        self.alerts: dict[str, AlertEvent] = {}
        self.unread: list[UnreadAlert] = []
        self.is_whole = True
        self.error: ProviderError | None = None
        self.of_one: dict[str, ProviderError] = {}
        self.asked: list[datetime] = []
        self.asked_for: list[str] = []
        self.while_asked: Callable[[], object] = lambda: None

    def tell(self, external_id: str, at: datetime, status: str = "sent", **more: Any) -> None:
        """An alert is in this state since then."""
        self.alerts[external_id] = event(external_id, at, status, **more)

    def alert_changes(self, connection: Connection, since: datetime) -> AlertChanges:
        """As the capability says."""
        self.asked.append(since)
        if self.error is not None:
            raise self.error
        found = sorted(
            (one for one in self.alerts.values() if one.occurred_at >= since), key=lambda one: one.occurred_at
        )
        told = AlertChanges(events=tuple(found), unread=tuple(self.unread), is_whole=self.is_whole)
        self.while_asked()
        return told

    def alert(self, connection: Connection, external_id: str) -> AlertEvent | None:
        """As the capability says."""
        self.asked_for.append(external_id)
        if external_id in self.of_one:
            raise self.of_one[external_id]
        return self.alerts.get(external_id)


def event(external_id: str, at: datetime, status: str = "sent", **more: Any) -> AlertEvent:
    """An alert of its own condition in organization "1"."""
    values: dict[str, Any] = {
        "kind": AlertKind.RESET if status == "closed" else AlertKind.TRIGGERED,
        "severity": Severity.CRITICAL,
        "external_organization_id": "1",
        "condition": f"incident {external_id}",
        "message": f"Something about {external_id}",
    }
    return AlertEvent(external_id=external_id, occurred_at=at, vendor_status=status, raw={}, **values | more)


@dataclass
class Follower:
    """The world's connection to that vendor, and one look at its changes."""

    world: World
    vendor: Acme = field(default_factory=lambda: Acme(Runtime()))

    def poll(self) -> dict[str, Any]:
        """One look, as a worker does it; the run's row afterwards."""
        return self.work(self.start())

    def start(self) -> UUID:
        """Queue a look."""
        world = self.world
        with world.unit() as session:
            return runs.start(
                world.rmm, session, world.admin, "alert_reconcile", integration_id=world.integration_id
            )

    def work(self, run_id: UUID) -> dict[str, Any]:
        """Do one attempt of it."""
        attempt = self.world.one("SELECT attempt FROM rmm_job_runs WHERE id = :id", id=run_id)
        with self.world.app.app_context():
            perform(self.world.rmm, self.world.tenant, run_id, attempt)
        (row,) = self.world.rows("SELECT * FROM rmm_job_runs WHERE id = :id", id=run_id)
        return row

    def connection(self) -> dict[str, Any]:
        """The connection's row."""
        (row,) = self.world.rows(
            "SELECT * FROM rmm_integrations WHERE id = :id", id=self.world.integration_id
        )
        return row

    def sign_in_again(self) -> None:
        """An administrator saves credentials."""
        world = self.world
        given = Connection(tenant_id=world.tenant, integration_id="", provider="acme", instance_url="")
        with world.unit() as session:
            connections.reconnect(world.rmm, session, world.admin, world.integration_id, given)

    @property
    def cursor(self) -> datetime | None:
        """How far the vendor was followed."""
        found: datetime | None = self.connection()["alerts_followed_to"]
        return found

    def known(self) -> set[str]:
        """The ids that have a row here."""
        return {row["external_id"] for row in self.world.rows("SELECT external_id FROM rmm_alerts")}

    def aside(self) -> dict[str, dict[str, Any]]:
        """What is set aside, by id."""
        rows = self.world.rows("SELECT * FROM rmm_set_aside_alerts")
        return {row["external_id"]: row for row in rows}

    def is_due(self, external_id: str) -> None:
        """Let its next try be due."""
        self.world.do(
            "UPDATE rmm_set_aside_alerts SET due_at = now() - interval '1 s' WHERE external_id = :id",
            id=external_id,
        )

    def poison(self, *external_ids: str, code: str = "P0001") -> None:
        """PostgreSQL itself refuses the rows of these alerts, until :meth:`heal`."""
        self._refuse("rmm_alerts", f"NEW.external_id = ANY('{_array(external_ids)}'::text[])", code)

    def refuse_cursor(self, code: str) -> None:
        """As :meth:`poison`, with the connection's row where the cursor moves."""
        self._refuse("rmm_integrations", "NEW.alerts_followed_to IS NOT NULL", code)

    def _refuse(self, table: str, when: str, code: str) -> None:
        self.heal()
        self.world.do(
            "CREATE FUNCTION poisoned() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF {when} THEN RAISE EXCEPTION 'poisoned' USING ERRCODE = '{code}'; END IF;"
            " RETURN NEW; END $$"
        )
        self.world.do(
            f"CREATE TRIGGER poisoned BEFORE INSERT OR UPDATE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION poisoned()"
        )

    def heal(self) -> None:
        """They are taken again."""
        self.world.do("DROP FUNCTION IF EXISTS poisoned() CASCADE")


def _array(ids: Iterable[str]) -> str:
    return "{" + ",".join(ids) + "}"


def follow(world: World) -> Follower:
    """Turn the world's connection into one to that vendor."""
    follower = Follower(world)
    world.rmm.providers._providers["acme"] = follower.vendor
    world.do("UPDATE rmm_integrations SET provider = 'acme', webhook_enabled = false")
    return follower
