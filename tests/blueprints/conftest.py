"""The reference PSA with a made-up vendor, two tenants, and a person for each role."""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert
from werkzeug.test import TestResponse

from reference_psa import create_app
from reference_psa.db import db
from reference_psa.models import Client, Contact, Tenant, User
from rmm_extension.domain.types import Connection
from rmm_extension.host import Actor
from rmm_extension.models import (
    Alert,
    AlertHistory,
    AlertRule,
    DeviceRow,
    JobRun,
    OrganizationMapping,
    new_id,
    utc_now,
)
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.registry import ProviderRegistry
from rmm_extension.services import connections
from rmm_extension.services.context import Rmm
from rmm_extension.services.unit import unit
from tests.harness.schema import app_config

from .vendor import KEY, SECRET, AcmeProvider, sources

ROLES = ("admin", "dispatcher", "technician", "read_only")
TENANTS = {"one": "enterprise", "two": "enterprise", "small": "community"}


@dataclass
class World:
    """The app with a little data, and short ways to what tests need."""

    app: Flask

    @property
    def rmm(self) -> Rmm:
        """The services' context."""
        found: Rmm = self.app.extensions["rmm"].services
        return found

    def actor(self, tenant: str = "one", role: str = "admin") -> Actor:
        """A person as services know them."""
        return Actor(id=f"{tenant}-{role}", name=f"{role} of {tenant}", tenant_id=tenant)

    def client(self, role: str = "admin", tenant: str = "one") -> FlaskClient:
        """A browser in which this person is signed in."""
        client = self.app.test_client()
        with client.session_transaction() as cookie:
            cookie["_user_id"] = f"{tenant}/{tenant}-{role}"
            cookie["_fresh"] = True
        return client

    def connect(
        self, name: str = "Acme", tenant: str = "one", *, provider: str = KEY, **settings: Any
    ) -> UUID:
        """A connection that is set up to the end."""
        connection = Connection(
            tenant_id=tenant,
            integration_id="",
            provider=provider,
            instance_url="https://rmm.example.com",
            secrets={"api_key": SECRET},
            settings=settings,
        )
        with self.app.app_context(), unit(self.rmm) as session:
            row = connections.create(self.rmm, session, self.actor(tenant), name, connection, catch_all=True)
            row.setup_step = None
            return row.id

    def insert(self, model: type[Any], rows: list[dict[str, Any]]) -> list[UUID]:
        """Rows of a table of the extension, tenant ``one`` unless they say otherwise; their ids."""
        complete = [{"tenant_id": "one", "id": new_id(), **row} for row in rows]
        with self.app.app_context(), unit(self.rmm) as session:
            session.execute(insert(model), complete)
        return [row["id"] for row in complete]

    def organizations(self, integration_id: UUID, names: list[str], **more: Any) -> list[UUID]:
        """Organizations of a connection."""
        rows = [{"external_id": f"o{at}", "name": name, **more} for at, name in enumerate(names)]
        return self.insert(
            OrganizationMapping,
            [
                {"integration_id": integration_id, "auto_sync": True, "vendor_metadata": {}, **row}
                for row in rows
            ],
        )

    def rules(self, integration_id: UUID, *names: str, **more: Any) -> list[UUID]:
        """Rules behind the one that every connection here has."""
        rows = [{"name": name, "priority_order": at, **more} for at, name in enumerate(names, 1)]
        return self.insert(
            AlertRule,
            [{"integration_id": integration_id, "conditions": {}, "actions": {}, **row} for row in rows],
        )

    def alerts(self, integration_id: UUID, number: int = 1, **more: Any) -> list[UUID]:
        """Open alerts, one a minute."""
        now = utc_now()
        rows = [_alert(integration_id, at, now - timedelta(minutes=at)) | more for at in range(number)]
        return self.insert(Alert, rows)

    def devices(self, integration_id: UUID, number: int = 1, **more: Any) -> list[UUID]:
        """Devices named PC-0001 and so on."""
        return self.insert(DeviceRow, [_device(integration_id, at) | more for at in range(number)])

    def history(self, alert_id: UUID, integration_id: UUID, steps: list[dict[str, Any]]) -> None:
        """One row of an alert's history."""
        now = datetime.now(UTC)
        row = {"alert_id": alert_id, "integration_id": integration_id, "at": now, "occurred_at": now}
        self.insert(
            AlertHistory,
            [{**row, "channel": "webhook", "kind": "triggered", "outcome": "recorded_only", "steps": steps}],
        )

    def run(self, integration_id: UUID | None, **more: Any) -> UUID:
        """A run."""
        row = {
            "kind": "device_sync",
            "queue": "rmm-sync",
            "integration_id": integration_id,
            "status": "running",
        }
        return self.insert(JobRun, [{**row, "counts": {}, "errors": [], **more}])[0]


def _alert(integration_id: UUID, at: int, moment: datetime) -> dict[str, Any]:
    return {
        "integration_id": integration_id,
        "external_id": f"a{new_id()}",
        "status": "active",
        "severity": "critical",
        "dedup_key": f"k{at}",
        "message": f"Disk {at} is full",
        "device_name": f"PC-{at:04}",
        "first_channel": "webhook",
        "triggered_at": moment,
        "last_event_at": moment,
        "raw": {},
    }


def _device(integration_id: UUID, at: int) -> dict[str, Any]:
    return {
        "integration_id": integration_id,
        "external_id": f"d{new_id()}",
        "external_organization_id": "o0",
        "name": f"PC-{at:04}",
        "kind": "workstation",
        "status": "online",
        "last_seen_at": utc_now(),
        "facts": {},
    }


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """The app on a fresh database."""
    app = create_app({**app_config(database_url), "WTF_CSRF_ENABLED": False})
    mounted = app.extensions["rmm"]
    registry = ProviderRegistry(Runtime(), sources=sources())
    app.extensions["rmm"] = dataclasses.replace(
        mounted, services=dataclasses.replace(mounted.services, providers=registry)
    )
    made = World(app)
    with app.app_context():
        _people(made)
    yield made
    AcmeProvider.before_check = staticmethod(lambda: None)
    with app.app_context():
        db.engine.dispose()


def _people(world: World) -> None:
    for tenant, edition in TENANTS.items():
        db.session.add(Tenant(id=tenant, name=f"Tenant {tenant}", edition=edition))
        db.session.flush()
        db.session.add_all(
            User(
                tenant_id=tenant,
                id=f"{tenant}-{role}",
                email=f"{role}@{tenant}.example",
                name=f"{role} of {tenant}",
                role=role,
                password_hash="-",
            )
            for role in ROLES
        )
        names = ("Alpha", "Beta Ltd.", "<script>alert(1)</script>")
        db.session.add_all(
            Client(tenant_id=tenant, id=f"{tenant}-c{at}", name=name) for at, name in enumerate(names)
        )
        db.session.flush()
        db.session.add(
            Contact(tenant_id=tenant, id=f"{tenant}-k0", client_id=f"{tenant}-c0", name="Ann of Alpha")
        )
        db.session.add(
            Contact(tenant_id=tenant, id=f"{tenant}-k1", client_id=f"{tenant}-c1", name="Bob of Beta")
        )
    db.session.commit()


def said(answer: TestResponse) -> str:
    """The words of a page: without tags, in one line."""
    body = re.sub(r"(?s)<(script|style)\b.*?</\1>", " ", answer.text)
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", body).split()))
