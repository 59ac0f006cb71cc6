"""Deliveries that could not simply be processed: quarantined ones, and failed ones that are tried again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import ConfigError, WebhookRejected
from rmm_extension.domain.types import Channel, WebhookRequest
from rmm_extension.models import WebhookDelivery, new_id, utc_now
from rmm_extension.providers.contract import ReceivesWebhooks

from .context import Rmm
from .ingest.facts import Facts
from .runs import Run
from .unit import unit

KEPT_HEADERS = ("content-type", "user-agent", "x-request-id")
"""All other headers may carry the secret and are not stored."""
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


def retry_delivery(rmm: Rmm, run: Run) -> dict[str, Any]:
    """Process a stored delivery again, as if it came now with its old arrival time."""
    from .webhooks import take

    delivery_id = UUID(run.subject["delivery_id"])
    with unit(rmm) as session:
        row = _locked(session, run.tenant_id, delivery_id)
        if row is None or row.state == "processed":
            return {"already_processed": 1}
        stored = (row.integration_id, row.provider, row.headers, bytes(row.body), row.received_at)
        _plan_next(row)
    integration_id, key, headers, body, received_at = stored
    provider = rmm.providers.get(key)
    if not isinstance(provider, ReceivesWebhooks):
        raise ConfigError(f"{key} receives no webhooks.")
    request = WebhookRequest(headers=headers, body=body, received_at=received_at)
    try:
        events = provider.parse_webhook(request)
    except WebhookRejected as problem:
        _close(rmm, run.tenant_id, delivery_id, "quarantined", problem.reason)
        return {"quarantined": 1}
    for event in events:
        take(rmm, run.tenant_id, integration_id, event, Channel.WEBHOOK)
    _close(rmm, run.tenant_id, delivery_id, "processed", "processed by a later try")
    return {"events": len(events)}


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
    )


def _locked(session: Session, tenant_id: str, delivery_id: UUID) -> WebhookDelivery | None:
    return session.scalar(
        select(WebhookDelivery)
        .where(WebhookDelivery.tenant_id == tenant_id, WebhookDelivery.id == delivery_id)
        .with_for_update()
    )


def _plan_next(row: WebhookDelivery) -> None:
    """Set the next try before this one, so that a crash in between loses nothing."""
    row.attempts += 1
    gap = GAPS[row.attempts] if row.attempts < len(GAPS) else None
    row.due_at = utc_now() + timedelta(seconds=gap) if gap else None


def _close(rmm: Rmm, tenant_id: str, delivery_id: UUID, state: str, reason: str) -> None:
    with unit(rmm) as session:
        session.execute(
            update(WebhookDelivery)
            .where(WebhookDelivery.tenant_id == tenant_id, WebhookDelivery.id == delivery_id)
            .values(state=state, reason=reason, due_at=None, processed_at=utc_now())
        )
