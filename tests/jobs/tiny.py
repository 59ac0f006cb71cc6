"""A small app around the background work: the extension's context with a host that knows two tenants."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from flask import Flask
from flask.cli import AppGroup
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from rmm_extension.cli_work import scheduler, worker
from rmm_extension.domain.settings import read_settings
from rmm_extension.host import Actor, PsaHost, Tenant
from rmm_extension.jobs.wake import make_wake
from rmm_extension.models import Base, Integration, new_id
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.registry import ProviderRegistry
from rmm_extension.services import kinds
from rmm_extension.services.context import Rmm
from rmm_extension.services.vault import Vault
from tests.jobs import work

TENANT, OTHER, SUSPENDED = "tenant-a", "tenant-b", "tenant-s"
MARA = Actor(id="u1", name="Mara", tenant_id=TENANT)


class TwoTenants:
    """The tenants port: two active ones and a suspended one."""

    def get(self, session: Session, tenant_id: str) -> Tenant | None:
        return Tenant(tenant_id, tenant_id, tenant_id != SUSPENDED)

    def active_ids(self, session: Session) -> Sequence[str]:
        return [TENANT, OTHER]


@dataclass
class People:
    """The actors and permissions ports: whoever is set is signed in and has these permissions."""

    actor: Actor | None = None
    permissions: set[str] = field(default_factory=set)

    def current(self) -> Actor | None:
        return self.actor

    def allows(self, actor: Actor, permission: str) -> bool:
        return permission in self.permissions


def make_app(database_url: str, redis_url: str | None, people: People | None = None) -> Flask:
    """The app; its extension's context is ``app.extensions["rmm"].services``."""
    app = Flask("tiny")
    app.config["SQLALCHEMY_DATABASE_URI"] = database_url
    db = SQLAlchemy()
    db.init_app(app)
    key = "k1:" + base64.b64encode(b"k" * 32).decode()
    settings = read_settings({"RMM_SECRET_KEYS": key, "RMM_REDIS_URL": redis_url})
    known = people or People()
    host = PsaHost(tenants=TwoTenants(), actors=known, permissions=known, clients=None)  # type: ignore[arg-type]
    rmm = Rmm(
        settings=settings,
        host=host,
        providers=ProviderRegistry(Runtime()),
        db=db,
        vault=Vault(settings.secret_keys),
        wake=make_wake(settings),
    )
    app.extensions["rmm"] = SimpleNamespace(services=rmm)
    register_kinds()
    group = AppGroup("rmm")
    group.add_command(worker)
    group.add_command(scheduler)
    app.cli.add_command(group)
    return app


def create_app() -> Flask:
    """For ``flask --app tests.jobs.tiny`` in a process of its own."""
    return make_app(os.environ["TINY_DATABASE_URL"], os.environ["TINY_REDIS_URL"])


def register_kinds() -> None:
    """Kinds of work whose handlers do what tests ask of them; see :mod:`tests.jobs.work`."""
    common: dict[str, Any] = {"timeout": 60, "max_attempts": 3}
    kinds.register(
        kinds.Kind(name="test_do", queue="rmm-alerts", label="Test work", handler=work.do, **common)
    )
    kinds.register(
        kinds.Kind(
            name="test_pages",
            queue="rmm-sync",
            label="Test sync",
            handler="tests.jobs.work:pages",
            exclusive=True,
            on_failure="tests.jobs.work:note_failure",
            on_cancel="tests.jobs.work:note_cancel",
            **common,
        )
    )


def make_tables(database_url: str) -> None:
    """The extension's tables and the one the test work writes to."""
    engine: Engine = create_engine(database_url)
    Base.metadata.create_all(engine)
    work.metadata.create_all(engine)
    engine.dispose()


def add_integration(session: Session, tenant_id: str = TENANT, **values: Any) -> Integration:
    """A connection that is connected, unless told otherwise."""
    row = Integration(
        tenant_id=tenant_id,
        id=new_id(),
        **{"provider": "tacticalrmm", "name": str(new_id()), "state": "connected", **values},
    )
    session.add(row)
    session.flush()
    return row
