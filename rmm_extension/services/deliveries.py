"""Deliveries that could not simply be processed: quarantined ones, and failed ones that are tried again."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from rmm_extension.domain.types import WebhookRequest
from rmm_extension.models import WebhookDelivery, new_id, utc_now

from .ingest.facts import Facts

KEPT_HEADERS = ("content-type", "user-agent", "x-request-id", "svix-id")
"""All other headers may carry the secret and are not stored. The last one is the only id that some vendors
give their messages."""
GAPS = (30, 60, 300, 900, 3600)
"""Seconds until the next try of a failed delivery; afterwards it waits for a person."""


def quarantine(session: Session, facts: Facts, request: WebhookRequest, reason: str) -> None:
    """Keep a delivery whose sender is right but whose shape is not."""
    session.add(_row(facts, request, "quarantined", reason, None))
    session.flush()


def store_failed(session: Session, facts: Facts, request: WebhookRequest, reason: str) -> None:
    """Keep a delivery that failed here; the tick tries it again."""
    session.add(_row(facts, request, "failed", reason, utc_now() + timedelta(seconds=GAPS[0])))
    session.flush()


def _row(
    facts: Facts, request: WebhookRequest, state: str, reason: str, due_at: datetime | None
) -> WebhookDelivery:
    return WebhookDelivery(
        tenant_id=facts.tenant_id,
        id=new_id(),
        integration_id=facts.integration_id,
        provider=facts.provider,
        received_at=request.received_at,
        state=state,
        reason=reason,
        body=request.body,
        headers={name: request.headers[name] for name in KEPT_HEADERS if name in request.headers},
        due_at=due_at,
        duration_ms=max((utc_now() - request.received_at) / timedelta(milliseconds=1), 0.0),
    )
