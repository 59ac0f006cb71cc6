"""A small world for tests: the reference PSA with its demonstration data and one Tactical RMM connection."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from reference_psa.models import Client
from reference_psa.seed import tenant_id
from reference_psa.seed_data import NORTHBEAM
from rmm_extension.host import Actor
from rmm_extension.models import AlertRule, DeviceRow, Integration, OrganizationMapping, new_id, utc_now
from rmm_extension.services.context import Rmm
from rmm_extension.services.unit import unit
from rmm_extension.services.webhook_access import SECRET, TOKEN, switch_on

AGENT = "ZUbbMyTjcjiYstkQgVtvXWcxhjKwnIwtykiPiJOZ"
ALERT_TIME = "2026-11-21 02:06:46.015151+00:00"
RESOLVED_ON = "2026-11-21 03:00:00.000000+00:00"


@dataclass
class World:
    """One tenant with one connection; ``post`` sends a delivery to its webhook."""

    app: Flask
    tenant: str = field(default_factory=lambda: tenant_id(NORTHBEAM))
    integration_id: UUID = field(default_factory=new_id)
    token: str = ""
    secret: str = ""
    client_id: str = ""

    @property
    def rmm(self) -> Rmm:
        """The mounted extension's context."""
        found: Rmm = self.app.extensions["rmm"].services
        return found

    @property
    def admin(self) -> Actor:
        """A person who may configure."""
        return Actor(id="admin", name="Ada Admin", tenant_id=self.tenant)

    @property
    def http(self) -> FlaskClient:
        """A client without a session, as vendors are."""
        return self.app.test_client()

    @contextmanager
    def unit(self) -> Iterator[Session]:
        """A unit of work inside an app context."""
        with self.app.app_context(), unit(self.rmm) as session:
            yield session

    def rows(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a query, as dicts."""
        with self.unit() as session:
            return [dict(row._mapping) for row in session.execute(text(statement), parameters)]

    def one(self, statement: str, **parameters: Any) -> Any:
        """The single value of a query."""
        with self.unit() as session:
            return session.execute(text(statement), parameters).scalar_one()

    def do(self, statement: str, **parameters: Any) -> None:
        """Execute a statement and commit."""
        with self.unit() as session:
            session.execute(text(statement), parameters)

    def connect(self, *, name: str = "Tactical", catch_all: bool = True, mapped: bool = True) -> World:
        """Make a connection with a webhook, an organization "1" and, with ``catch_all``, a rule."""
        with self.unit() as session:
            self.client_id = session.scalars(
                select(Client.id).where(Client.tenant_id == self.tenant).order_by(Client.name).limit(1)
            ).one()
            session.add(
                Integration(
                    tenant_id=self.tenant,
                    id=self.integration_id,
                    provider="tacticalrmm",
                    name=name,
                    state="connected",
                    instance_url="http://127.0.0.1:1",
                )
            )
            session.flush()
            session.add(
                OrganizationMapping(
                    tenant_id=self.tenant,
                    integration_id=self.integration_id,
                    external_id="1",
                    name="Northwind Dental Group",
                    client_id=self.client_id if mapped else None,
                )
            )
            if catch_all:
                session.add(self.rule())
            switch_on(self.rmm, session, self.admin, self.integration_id)
            stored = self.rmm.vault.read(session, self.tenant, self.integration_id)
        self.token, self.secret = stored[TOKEN], stored[SECRET]
        return self

    def rule(self, order: int = 0, conditions: dict[str, Any] | None = None, **actions: Any) -> AlertRule:
        """A rule of this connection; by default every alert makes a ticket that closes by itself."""
        return AlertRule(
            tenant_id=self.tenant,
            integration_id=self.integration_id,
            name=f"Rule {order}",
            priority_order=order,
            conditions=conditions or {},
            actions={"createTicket": True, "autoResolveTicket": True, **actions},
        )

    def add_rule(self, order: int = 0, conditions: dict[str, Any] | None = None, **actions: Any) -> UUID:
        """Add a rule and let the pipeline know."""
        rule = self.rule(order, conditions, **actions)
        with self.unit() as session:
            session.add(rule)
            session.flush()
            rule_id = rule.id
        self.do("UPDATE rmm_integrations SET config_version = config_version + 1")
        return rule_id

    def device(self, external_id: str = AGENT, name: str = "SERVER-01", **columns: Any) -> UUID:
        """A known device of organization "1" that belongs to the world's client."""
        row = DeviceRow(
            tenant_id=self.tenant,
            id=new_id(),
            integration_id=self.integration_id,
            external_id=external_id,
            external_organization_id="1",
            name=name,
            **{
                "kind": "server",
                "status": "online",
                "client_id": self.client_id,
                "last_seen_at": utc_now(),
                **columns,
            },
        )
        device_id = row.id
        with self.unit() as session:
            session.add(row)
        return device_id

    def body(self, alert_id: str | int = 524, **changes: Any) -> dict[str, Any]:
        """A failure delivery of the ids-only template."""
        return {
            "event": "failure",
            "alert_id": str(alert_id),
            "alert_type": "check",
            "severity": "error",
            "agent_id": AGENT,
            "client_id": "1",
            "site_id": "3",
            "check_id": "202",
            "task_id": "None",
            "alert_time": ALERT_TIME,
            "resolved_on": "None",
            **changes,
        }

    def resolved(self, alert_id: str | int = 524, **changes: Any) -> dict[str, Any]:
        """The delivery that ends :meth:`body`."""
        return self.body(alert_id, **{"event": "resolved", "resolved_on": RESOLVED_ON, **changes})

    def post(self, body: Any = None, *, secret: str | None = None, **options: Any) -> TestResponse:
        """Send a delivery; ``body`` as JSON unless it is bytes already."""
        data = body if isinstance(body, bytes) else json.dumps(self.body() if body is None else body)
        headers = {"X-RMM-Webhook-Secret": self.secret if secret is None else secret}
        url = options.pop("url", f"/api/webhooks/tacticalrmm/{self.token}")
        return self.http.post(url, data=data, headers=headers, content_type="application/json", **options)

    def alert(self, external_id: str | int = 524) -> dict[str, Any]:
        """The row of an alert."""
        (row,) = self.rows(
            "SELECT * FROM rmm_alerts WHERE external_id = :id AND integration_id = :integration",
            id=str(external_id),
            integration=self.integration_id,
        )
        return row

    def tickets(self) -> list[dict[str, Any]]:
        """Tickets made by alerts, oldest first."""
        return self.rows("SELECT * FROM tickets WHERE source = 'tacticalrmm' ORDER BY number")

    def notes(self, ticket_id: str) -> list[str]:
        """System notes of a ticket, oldest first."""
        found = self.rows(
            "SELECT body FROM comments WHERE ticket_id = :id AND is_system_generated ORDER BY at, id",
            id=ticket_id,
        )
        return [row["body"] for row in found]
