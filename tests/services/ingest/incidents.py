"""Alerts of a vendor that writes them for people: words of their own, a state, comments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from rmm_extension.domain.types import AlertEvent, AlertKind, Channel, Severity
from rmm_extension.services import webhooks
from rmm_extension.services.ingest import Ingested
from tests.harness.world import World

BEGAN = datetime(2026, 11, 20, 9, tzinfo=UTC)
SUBJECT = "CRITICAL - Incident on WS-07 (Northwind Dental Group)"
REPORT = "Severity: critical\n\nA credential stealer ran on WS-07."


def incident(minutes: int = 0, **changes: Any) -> AlertEvent:
    """The incident as it is so many minutes after it began."""
    values: dict[str, Any] = {
        "kind": AlertKind.TRIGGERED,
        "external_id": "7001",
        "occurred_at": BEGAN + timedelta(minutes=minutes),
        "severity": Severity.CRITICAL,
        "external_organization_id": "1",
        "condition": "7001",
        "alert_class": "incident",
        "message": "A credential stealer ran.",
        "title": SUBJECT,
        "report": REPORT,
        "vendor_status": "sent",
    }
    return AlertEvent(**{**values, **changes})


def comment(
    minutes: int = 5, note: str = "We are looking.", note_id: str = "msg_1", **changes: Any
) -> AlertEvent:
    """What somebody wrote about it at the vendor."""
    return incident(minutes, note=note, note_id=note_id, **changes)


def take(world: World, event: AlertEvent, channel: Channel = Channel.WEBHOOK) -> Ingested:
    """Have the pipeline take the event, as a delivery or a poll does."""
    with world.app.app_context():
        return webhooks.take(world.rmm, world.tenant, world.integration_id, event, channel)


def told(world: World) -> list[dict[str, Any]]:
    """Every step of the incident's history, oldest first."""
    rows = world.rows(
        "SELECT e.steps FROM rmm_alert_events e JOIN rmm_alerts a ON a.tenant_id = e.tenant_id"
        " AND a.id = e.alert_id WHERE a.external_id = '7001' ORDER BY e.id"
    )
    return [step for row in rows for step in row["steps"]]
