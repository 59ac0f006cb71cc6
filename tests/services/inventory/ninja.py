"""A simulated NinjaOne, the reference PSA that syncs it over HTTP, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from reference_psa import create_app
from reference_psa.db import db
from reference_psa.models import Client, Tenant
from rmm_extension.domain.types import Connection
from rmm_extension.models import OrganizationMapping, new_id
from rmm_extension.providers import http
from rmm_extension.services import connections, runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.inventory import refresh_device, sync_devices
from rmm_extension.services.unit import unit
from simulators.ninjaone import drift
from simulators.ninjaone.lab import Lab, ScheduledDrift
from simulators.ninjaone.models import Device
from tests.harness.ninjaone import Ninja, ninjas
from tests.harness.schema import app_config

from .fleet import ADA

DEVICES = "/v2/devices-detailed"


@dataclass
class NinjaFleet:
    """The account, the connection to it, and what is stored; every organization is a client here."""

    app: Flask
    ninja: Ninja
    integration_id: UUID = field(default_factory=new_id)

    @property
    def rmm(self) -> Rmm:
        found: Rmm = self.app.extensions["rmm"].services
        return found

    @property
    def lab(self) -> Lab:
        return self.ninja.lab

    def connect(self, *, joins: bool = False, **settings: Any) -> NinjaFleet:
        """Make the mapped connection; the tenant and its first clients too, unless they are there."""
        wanted = Connection(
            tenant_id="t1",
            integration_id="",
            provider="ninjaone",
            instance_url=self.ninja.url,
            auth_mode="client_credentials",
            secrets={"client_secret": self.ninja.client_secret},
            settings={"client_id": self.ninja.client_id, **settings},
        )
        organizations = list(self.lab.fleet.organizations.values())
        with unit(self.rmm) as session:
            if not joins:
                session.add(Tenant(id="t1", name="One", edition="enterprise"))
            session.flush()
            for one in organizations:
                if not session.get(Client, ("t1", f"c{one.id}")):
                    session.add(Client(tenant_id="t1", id=f"c{one.id}", name=f"{one.name} #{one.id}"))
            session.flush()
            row = connections.create(self.rmm, session, ADA, "NinjaOne", wanted, catch_all=False)
            self.integration_id = row.id
            for one in organizations:
                session.add(self._mapping(one.id, one.name))
        return self

    def _mapping(self, organization: int, name: str) -> OrganizationMapping:
        return OrganizationMapping(
            tenant_id="t1",
            id=new_id(),
            integration_id=self.integration_id,
            external_id=str(organization),
            name=name,
            client_id=f"c{organization}",
        )

    def run(self, kind: str = "device_sync", **subject: Any) -> runs.Run:
        """A run in the hands of a worker."""
        with unit(self.rmm) as session:
            run_id = runs.start(
                self.rmm, session, ADA, kind, integration_id=self.integration_id, subject=subject
            )
        taken = runs.take(self.rmm, "t1", run_id, 0)
        assert taken is not None
        return taken

    def sync(self, **subject: Any) -> dict[str, int]:
        """A whole device sync; the counts that are not zero."""
        return self.finished(self.run(**subject), sync_devices)

    def refresh(self, device: Device) -> dict[str, int]:
        """A refresh of one device; the counts that are not zero."""
        return self.finished(self.run("device_refresh", external_id=str(device.id)), refresh_device)

    def finished(self, run: runs.Run, handler: Any) -> dict[str, int]:
        counts: dict[str, int] = handler(self.rmm, run)
        with unit(self.rmm) as session:
            runs.finish(session, run)
        return {name: count for name, count in counts.items() if count}

    def errors(self) -> list[str]:
        """The sentences of the newest run."""
        (found,) = self.rows("SELECT errors FROM rmm_job_runs ORDER BY id DESC LIMIT 1")
        return [one if isinstance(one, str) else one["message"] for one in found["errors"]]

    def plan(self, action: str, after: int, device: Device | None = None, organization: int = 0) -> None:
        """Add, delete or move a device as soon as so many pages of the list were answered."""
        self.lab.scheduled.append(
            ScheduledDrift(DEVICES, after, action, device.id if device else 0, organization)
        )

    def delete(self, *devices: Device) -> None:
        for one in devices:
            drift.delete_device(self.lab, one)

    def devices_of(self, organization: int, **wanted: Any) -> list[Device]:
        """The organization's devices, by id."""
        mine = [one for one in self.lab.devices() if one.organization_id == organization]
        return [one for one in mine if all(getattr(one, key) == value for key, value in wanted.items())]

    def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        with unit(self.rmm) as session:
            return [dict(row._mapping) for row in session.execute(text(statement), values)]

    def execute(self, statement: str) -> None:
        with unit(self.rmm) as session:
            session.execute(text(statement))

    def device(self, device: Device) -> dict[str, Any]:
        (row,) = self.rows(
            "SELECT * FROM rmm_devices WHERE integration_id = :mine AND external_id = :id",
            mine=self.integration_id,
            id=str(device.id),
        )
        return row

    def asset(self, device: Device) -> dict[str, Any]:
        """The asset of a device with its workstation or server row."""
        (row,) = self.rows(
            "SELECT a.*, to_jsonb(w) AS workstation, to_jsonb(s) AS server"
            " FROM rmm_devices d JOIN assets a ON a.tenant_id = d.tenant_id AND a.id = d.asset_id"
            " LEFT JOIN workstation_assets w ON w.tenant_id = a.tenant_id AND w.asset_id = a.id"
            " LEFT JOIN server_assets s ON s.tenant_id = a.tenant_id AND s.asset_id = a.id"
            " WHERE d.integration_id = :mine AND d.external_id = :id",
            mine=self.integration_id,
            id=str(device.id),
        )
        return row

    def vitals(self, device: Device) -> dict[str, Any]:
        row = self.asset(device)
        return row["workstation"] or row["server"] or {}

    def versions(self) -> dict[str, str]:
        """The transaction that wrote each row last: of devices and of assets."""
        found = self.rows(
            "SELECT id::text, xmin::text AS at FROM rmm_devices UNION ALL SELECT id, xmin::text FROM assets"
        )
        return {row["id"]: row["at"] for row in found}

    def missing(self) -> set[int]:
        """Ids of the devices that some listing did not name."""
        found = self.rows("SELECT external_id FROM rmm_devices WHERE missing_since IS NOT NULL")
        return {int(row["external_id"]) for row in found}

    def inactive(self) -> int:
        return len(self.rows("SELECT 1 FROM assets WHERE status = 'inactive'"))

    def requests(self) -> list[str]:
        """Paths of the API asked for since the last call, without their queries."""
        found = [entry["path"] for entry in self.lab.requests if entry["path"].startswith("/v2")]
        self.lab.requests.clear()
        return found


@contextmanager
def ninja_fleets(database_url: str) -> Iterator[Callable[..., NinjaFleet]]:
    """Starts simulated accounts of any size, each with a connection; settings are the connection's."""
    app = create_app(app_config(database_url))
    with app.app_context(), ninjas() as start:

        def run(devices: int = 80, organizations: int = 4, **settings: Any) -> NinjaFleet:
            ninja = start(devices=devices, organizations=organizations, alerts_at_start=0)
            return NinjaFleet(app, ninja).connect(**settings)

        yield run
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def start_ninja(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., NinjaFleet]]:
    """Starts simulated accounts of NinjaOne that the reference PSA is connected to."""
    monkeypatch.setattr(http, "BACKOFF", 0.0)
    with ninja_fleets(database_url) as run:
        yield run
