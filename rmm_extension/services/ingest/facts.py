"""Everything a decision needs to know, in one statement."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.orm import Session

from rmm_extension.domain.signals import OrganizationSignal, Told
from rmm_extension.domain.types import OPEN_STATUSES, AlertEvent
from rmm_extension.models import SYNTHESIZED_SQL
from rmm_extension.services.driver import run

_ALERT = (
    "status",
    "severity",
    "message",
    "title",
    "vendor_status",
    "ticket_id",
    "last_event_at",
    "triggered_at",
    "episode",
    "dedup_key",
    "synthesized",
    "matched_rule_id",
    "resolved_here",
    "details_due_at",
    "attention",
    "hold_until",
    "suppressed_by_window_id",
    "external_device_id",
    "external_organization_id",
)

# A row stored under an id of ours stands for the real alert only while it is open. It is looked for apart: in
# one condition with the alert's own id PostgreSQL would plan the statement anew for every event, which takes
# five times as long as answering it.
_FACTS = f"""
SELECT i.id AS integration_id, i.provider, i.name AS integration_name, i.state, i.webhook_enabled,
       i.webhook_since, i.config_version,
       s.key_id AS secret_key_id, s.ciphertext AS secret_ciphertext,
       p.key_id AS previous_key_id, p.ciphertext AS previous_ciphertext,
       a.id AS alert_id, a.external_id AS alert_external_id, {", ".join(f"a.{c}" for c in _ALERT)},
       a.rule_actions::text,
       d.id AS device_id, d.asset_id, d.client_id AS device_client_id, d.name AS device_name,
       d.facts::text AS device_facts,
       m.client_id AS organization_client_id, m.name AS organization_name,
       m.default_contact_id, m.auto_tickets, m.external_id AS organization_external_id
FROM rmm_integrations i
LEFT JOIN rmm_secrets s
       ON s.tenant_id = i.tenant_id AND s.integration_id = i.id AND s.name = 'webhook_secret'
LEFT JOIN rmm_secrets p
       ON p.tenant_id = i.tenant_id AND p.integration_id = i.id AND p.name = 'webhook_secret_previous'
LEFT JOIN LATERAL (
       (SELECT id, external_id, {", ".join(_ALERT)}, rule_actions FROM rmm_alerts a
        WHERE a.tenant_id = i.tenant_id AND a.integration_id = i.id AND a.external_id = %(alert)s::text)
       UNION ALL
       (SELECT id, external_id, {", ".join(_ALERT)}, rule_actions FROM rmm_alerts a
        WHERE a.tenant_id = i.tenant_id AND a.integration_id = i.id AND {SYNTHESIZED_SQL}
          AND a.external_id = ANY(string_to_array(%(adopts)s, chr(31)))
        ORDER BY array_position(string_to_array(%(adopts)s, chr(31)), a.external_id) LIMIT 1)
       LIMIT 1) a ON TRUE
LEFT JOIN rmm_devices d
       ON d.tenant_id = i.tenant_id AND d.integration_id = i.id AND d.external_id = %(device)s::text
LEFT JOIN rmm_organization_mappings m
       ON m.tenant_id = i.tenant_id AND m.integration_id = i.id
      AND m.external_id = COALESCE(%(organization)s::text, d.external_organization_id)
WHERE i.tenant_id = %(tenant)s AND
"""  # noqa: S608 - a constant
_BY_TOKEN = _FACTS + "i.webhook_token_hash = %(token)s"
_BY_ID = _FACTS + "i.id = %(integration)s"
_BY_PROVIDER = _FACTS + "i.provider = %(provider)s AND i.webhook_token_hash IS NOT NULL"
_SEEN = (
    "status",
    "severity",
    "ticket_id",
    "last_event_at",
    "episode",
    "details_due_at",
    "attention",
    "hold_until",
    "vendor_status",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """The connection, the alert if it is known, and the device and organization it is about.

    ``received_at`` is when the delivery arrived that they were read for.
    """

    tenant_id: str
    integration_id: UUID
    provider: str
    state: str
    webhook_enabled: bool
    config_version: int
    row: dict[str, Any] = field(repr=False)
    received_at: datetime | None = None

    @property
    def known(self) -> bool:
        """Whether the alert has a row."""
        return self.row["alert_id"] is not None

    @property
    def is_open(self) -> bool:
        """Whether the alert has a row in an open state."""
        return self.known and self.row["status"] in OPEN_STATUSES

    @property
    def seen(self) -> dict[str, Any]:
        """What a decision on a known alert rests on; a row where this moved must be read again."""
        return {"external_id": self.row["alert_external_id"], **{name: self.row[name] for name in _SEEN}}

    @property
    def alert_id(self) -> UUID:
        """The row's id; only for a known alert."""
        return self.row["alert_id"]  # type: ignore[no-any-return]

    @property
    def last_event_at(self) -> datetime:
        """The vendor's time of the newest event taken; only for a known alert."""
        return self.row["last_event_at"]  # type: ignore[no-any-return]

    @property
    def client_id(self) -> str | None:
        """The client: the asset's wins over the organization's."""
        client_id: str | None = self.row["device_client_id"] or self.row["organization_client_id"]
        return client_id

    @property
    def rule_actions(self) -> dict[str, Any]:
        """The snapshot of the matched rule's actions. Decoded only here: most events never ask."""
        return _decoded(self.row["rule_actions"])

    @property
    def vitals(self) -> dict[str, Any]:
        """What is known of the device."""
        return _decoded(self.row["device_facts"])

    @property
    def organization_id(self) -> str | None:
        """The vendor's organization, from the event or from the device."""
        return self.row["organization_external_id"]  # type: ignore[no-any-return]

    @property
    def organization(self) -> str | None:
        """The organization as people know it: its name, else its id."""
        return self.row["organization_name"] or self.organization_id


def _decoded(value: str | None) -> dict[str, Any]:
    return msgspec.json.decode(value, type=dict[str, Any]) if value else {}


def placed(facts: Facts, event: AlertEvent) -> AlertEvent:
    """The event with its device's organization where it names none, so that rules see what is stored."""
    if event.external_organization_id is not None or facts.organization_id is None:
        return event
    return msgspec.structs.replace(event, external_organization_id=facts.organization_id)


def by_token(session: Session, tenant_id: str, token_hash: bytes, event: Told | None) -> Facts | None:
    """The facts for a delivery; ``None`` when no connection has this token."""
    return _one(session, tenant_id, _BY_TOKEN, event, token=token_hash)


def by_id(session: Session, tenant_id: str, integration_id: UUID, event: Told | None) -> Facts | None:
    """The facts for an event of a known connection."""
    return _one(session, tenant_id, _BY_ID, event, integration=integration_id)


def by_provider(session: Session, tenant_id: str, provider: str, event: Told | None) -> list[Facts]:
    """The facts for each connection of this vendor that has a webhook: the secret picks one of them."""
    rows = run(session, _BY_PROVIDER, _parameters(tenant_id, event, provider=provider)).fetchall()
    return [_facts(tenant_id, row) for row in rows]


def _one(session: Session, tenant_id: str, statement: str, event: Told | None, **where: Any) -> Facts | None:
    row = run(session, statement, _parameters(tenant_id, event, **where)).fetchone()
    return _facts(tenant_id, row) if row else None


def _parameters(tenant_id: str, event: Told | None, **where: Any) -> dict[str, Any]:
    alert = event if isinstance(event, AlertEvent) else None
    about_device = None if isinstance(event, OrganizationSignal) else event
    return {
        "tenant": tenant_id,
        "alert": alert.external_id if alert else None,
        # One text, for psycopg takes long over arrays; the unit separator stands in no id.
        "adopts": "\x1f".join(alert.adopts) if alert else "",
        "device": about_device.external_device_id if about_device else None,
        "organization": event.external_organization_id if event else None,
        **where,
    }


def _facts(tenant_id: str, row: dict[str, Any]) -> Facts:
    return Facts(
        tenant_id=tenant_id,
        integration_id=row["integration_id"],
        provider=row["provider"],
        state=row["state"],
        webhook_enabled=row["webhook_enabled"],
        config_version=row["config_version"],
        row=row,
    )
