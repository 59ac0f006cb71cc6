"""The world's connection to a simulated Tactical RMM over HTTP, with its webhooks cut off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import requests

from rmm_extension.domain.types import AlertEvent
from rmm_extension.jobs.execute import perform
from rmm_extension.providers import http
from rmm_extension.providers.tacticalrmm import TacticalRmm
from rmm_extension.services import runs
from simulators.tacticalrmm import keys
from simulators.tacticalrmm.app import create_app, lab_of
from simulators.tacticalrmm.fleet import FleetOptions
from simulators.tacticalrmm.lab import Lab
from simulators.tacticalrmm.misbehaviour import Fault
from simulators.tacticalrmm.models import Agent
from simulators.testing import serve_in_thread
from tests.harness.world import World


@dataclass
class Vendor:
    """The simulated server behind the world's connection, and one poll of it."""

    world: World
    url: str
    lab: Lab

    @property
    def agents(self) -> list[Agent]:
        """Agents of the vendor's client 1, which is mapped here."""
        return [
            one
            for one in self.lab.agents()
            if self.lab.client_of(one).id == 1 and not one.maintenance_mode and one.plat == "windows"
        ]

    def control(self, path: str, **body: Any) -> Any:
        """A command of the simulator's control API."""
        answer = requests.post(f"{self.url}/_control/api/{path}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def trigger(self, agent: int = 0, **body: Any) -> str:
        """Have something go wrong; the alert's id."""
        wanted = {"agent_id": self.agents[agent].agent_id, "type": "check", "severity": "error", **body}
        return str(self.control("alerts/trigger", **wanted)["alert_id"])

    def resolve(self, alert_id: str) -> None:
        """Have it go well again."""
        self.control(f"alerts/{alert_id}/resolve")

    def fault(self, mode: str, **options: Any) -> None:
        """Have the list of alerts misbehave."""
        self.lab.misbehaviours.add(Fault(mode=mode, **{"prefix": "/alerts/", **options}))

    def well(self) -> None:
        """Have it behave."""
        self.lab.misbehaviours.clear()

    def poll(self, **subject: Any) -> dict[str, Any]:
        """One reconciliation, as a worker does it; the run's row afterwards."""
        return self.row(self.perform(self.start(**subject)))

    def start(self, **subject: Any) -> UUID:
        """Queue a reconciliation."""
        world = self.world
        with world.unit() as session:
            return runs.start(
                world.rmm,
                session,
                world.admin,
                "alert_reconcile",
                integration_id=world.integration_id,
                subject=subject,
            )

    def perform(self, run_id: UUID) -> UUID:
        """Do one attempt of it."""
        attempt = self.world.one("SELECT attempt FROM rmm_job_runs WHERE id = :id", id=run_id)
        with self.world.app.app_context():
            perform(self.world.rmm, self.world.tenant, run_id, attempt)
        return run_id

    def row(self, run_id: UUID) -> dict[str, Any]:
        """A run's row."""
        (row,) = self.world.rows("SELECT * FROM rmm_job_runs WHERE id = :id", id=run_id)
        return row

    def state(self) -> dict[str, Any]:
        """What the connection waits for."""
        return dict(self.connection()["reconcile_state"])

    def connection(self) -> dict[str, Any]:
        """The connection's row."""
        (row,) = self.world.rows(
            "SELECT * FROM rmm_integrations WHERE id = :id", id=self.world.integration_id
        )
        return row

    def minute_later(self) -> None:
        """Let a minute pass since the first look."""
        since = (datetime.now(UTC) - timedelta(seconds=61)).isoformat()
        self.world.do(
            "UPDATE rmm_integrations"
            " SET reconcile_state = jsonb_set(reconcile_state, '{since}', to_jsonb(CAST(:since AS text)))",
            since=since,
        )


@pytest.fixture
def vendor(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    """A server without alerts that nobody told where to send webhooks."""
    monkeypatch.setattr(http, "BACKOFF", 0.0)
    app = create_app(FleetOptions(30, 2, 7, 1), alerts_at_start=0)
    url, stop = serve_in_thread(app)
    with world.unit() as session:
        world.rmm.vault.store(session, world.tenant, world.integration_id, "api_key", keys.INTEGRATION_KEY)
    world.do("UPDATE rmm_integrations SET instance_url = :url", url=url)
    yield Vendor(world, url, lab_of(app))
    stop()


class Script:
    """Lists made by hand in place of the server's, for what a simulator does not do."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events: list[AlertEvent] = []
        self.while_asked: list[Any] = []
        monkeypatch.setattr(TacticalRmm, "active_alerts", self._list)
        monkeypatch.setattr(TacticalRmm, "alert", self._one)
        self.single: Any = None

    def _list(self, *_: Any) -> list[AlertEvent]:
        for act in self.while_asked:
            act()
        return list(self.events)

    def _one(self, connection: Any, external_id: str) -> AlertEvent | None:
        if isinstance(self.single, Exception):
            raise self.single
        return self.single(external_id) if self.single else None


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    """Replaces what the provider says."""
    return Script(monkeypatch)
