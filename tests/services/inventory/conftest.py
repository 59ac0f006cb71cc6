"""A tenant with one connection to a scripted vendor, a host in memory, and a real PostgreSQL."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import scoped_session, sessionmaker

from rmm_extension.domain.settings import read_settings
from rmm_extension.domain.types import AgentStatus, Device, DeviceKind, Organization
from rmm_extension.host import SYSTEM_ACTOR, PsaHost
from rmm_extension.models import Base, DeviceRow, Integration, JobRun, OrganizationMapping, Outbox, new_id
from rmm_extension.providers import http
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.registry import ProviderRegistry
from rmm_extension.services import runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.inventory import sync_devices
from rmm_extension.services.unit import unit
from rmm_extension.services.vault import Vault

from .fakes import (
    SCRIPTS,
    FakeAssets,
    FakeClients,
    FakeContacts,
    FakeProvider,
    FakeTenants,
    NamingProvider,
    OtherProvider,
    Script,
)
from .fleet import Fleet, fleets
from .ninja import start_ninja as start_ninja

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def device(external_id: str, organization: str = "1", **values: Any) -> Device:
    """A device as the vendor tells it; its name is its id in capitals."""
    basic: dict[str, Any] = {
        "name": external_id.upper(),
        "kind": DeviceKind.WORKSTATION,
        "status": AgentStatus.ONLINE,
        "last_seen_at": NOON,
        "serial": f"SN-{external_id}",
    }
    return Device(external_id=external_id, external_organization_id=organization, **(basic | values))


@dataclass
class World:
    """Everything a test needs; ``assets``, ``clients`` and the others are the host's memory."""

    rmm: Rmm
    tenant: str
    integration_id: UUID
    script: Script
    assets: FakeAssets
    clients: FakeClients
    contacts: FakeContacts
    tenants: FakeTenants
    provider_type: type[FakeProvider] = FakeProvider

    def connect(self, provider: str = "fake", *, tenant: str | None = None, **values: Any) -> World:
        """Another connection, of the same tenant or another one, with a script of its own."""
        address = f"https://{new_id()}"
        script = SCRIPTS[address] = Script()
        row = Integration(
            tenant_id=tenant or self.tenant,
            id=new_id(),
            provider=provider,
            name=address,
            instance_url=address,
            **({"state": "connected"} | values),
        )
        identity = row.id
        with unit(self.rmm) as session:
            session.add(row)
        return World(
            self.rmm,
            tenant or self.tenant,
            identity,
            script,
            self.assets,
            self.clients,
            self.contacts,
            self.tenants,
        )

    def map(self, organization: str = "1", client_id: str | None = "acme", **values: Any) -> UUID:
        """Map an organization of the vendor to a client."""
        row = OrganizationMapping(
            tenant_id=self.tenant,
            id=new_id(),
            integration_id=self.integration_id,
            external_id=organization,
            name=f"Organization {organization}",
            client_id=client_id,
            **values,
        )
        identity = row.id
        with unit(self.rmm) as session:
            session.add(row)
        self.script.organizations.append(
            Organization(external_id=organization, name=f"Organization {organization}")
        )
        return identity

    def run(self, kind: str = "device_sync", **subject: Any) -> runs.Run:
        """A run in the hands of a worker."""
        with unit(self.rmm) as session:
            run_id = runs.start(
                self.rmm,
                session,
                SYSTEM_ACTOR(self.tenant),
                kind,
                integration_id=self.integration_id,
                subject=subject,
            )
        taken = runs.take(self.rmm, self.tenant, run_id, 0)
        assert taken is not None
        return taken

    def finish(self, run: runs.Run) -> None:
        """Close the run, so that the next may start."""
        with unit(self.rmm) as session:
            runs.finish(session, run)

    def sync(self, **subject: Any) -> dict[str, int]:
        """A whole device sync; the counts that are not zero."""
        run = self.run(**subject)
        counts = sync_devices(self.rmm, run)
        self.finish(run)
        return {name: count for name, count in counts.items() if count}

    def devices(self) -> dict[str, DeviceRow]:
        """What is stored, by external id."""
        found = [row for row in self._all(DeviceRow) if row.integration_id == self.integration_id]
        return {row.external_id: row for row in found}

    def versions(self) -> dict[str, str]:
        """The transaction that wrote each stored device last."""
        statement = text("SELECT external_id, xmin::text FROM rmm_devices WHERE integration_id = :id")
        with unit(self.rmm) as session:
            found = session.execute(statement, {"id": self.integration_id}).all()
        return dict(found)

    def device(self, external_id: str) -> DeviceRow:
        return self.devices()[external_id]

    def execute(self, statement: str) -> None:
        """Change what is stored, behind everybody's back."""
        with unit(self.rmm) as session:
            session.execute(text(statement))

    def asset_of(self, external_id: str) -> Any:
        """The asset of a device, in the host's memory."""
        return self.assets.of(self.tenant)[self.device(external_id).asset_id or ""]

    def mappings(self) -> dict[str, OrganizationMapping]:
        return {
            row.external_id: row
            for row in self._all(OrganizationMapping)
            if row.integration_id == self.integration_id
        }

    def connection(self) -> Integration:
        return next(row for row in self._all(Integration) if row.id == self.integration_id)

    def stored_run(self, run: runs.Run) -> JobRun:
        return next(row for row in self._all(JobRun) if row.id == run.id)

    def events(self, topic: str = "event") -> list[dict[str, Any]]:
        """Payloads of the outbox, oldest first."""
        return [
            row.payload for row in sorted(self._all(Outbox), key=lambda row: row.id) if row.topic == topic
        ]

    def _all(self, model: Any) -> list[Any]:
        with unit(self.rmm) as session:
            rows = list(session.scalars(select(model).where(model.tenant_id == self.tenant)))
            session.expunge_all()
        return rows


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    engine = create_engine(database_url)
    Base.metadata.create_all(engine)
    session = scoped_session(sessionmaker(engine, expire_on_commit=False))
    assets, clients, contacts, tenants = FakeAssets(), FakeClients(), FakeContacts(), FakeTenants()
    nobody: Any = SimpleNamespace()
    host = PsaHost(
        tenants=tenants, actors=nobody, permissions=nobody, clients=clients, contacts=contacts, assets=assets
    )
    sources = [
        ("fake", lambda: FakeProvider),
        ("other", lambda: OtherProvider),
        ("naming", lambda: NamingProvider),
    ]
    key = base64.b64encode(b"k" * 32).decode()
    rmm = Rmm(
        settings=read_settings({"RMM_SECRET_KEYS": f"k1:{key}"}),
        host=host,
        providers=ProviderRegistry(Runtime(), sources=sources),
        db=SimpleNamespace(session=session, engine=engine),
        vault=Vault({"k1": b"k" * 32}),
    )
    clients.add("t1", "Acme", "Birch Dental", "Cedar Law")
    nowhere: Any = None
    yield World(rmm, "t1", nowhere, Script(), assets, clients, contacts, tenants).connect()
    session.remove()
    engine.dispose()
    SCRIPTS.clear()


@pytest.fixture
def start(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Fleet]]:
    """Starts simulated Tactical RMM servers that the reference PSA is connected to."""
    monkeypatch.setattr(http, "BACKOFF", 0.0)
    with fleets(database_url) as run:
        yield run
