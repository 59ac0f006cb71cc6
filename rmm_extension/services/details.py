"""The text of an alert that came with ids only: fetched by a job, never in the webhook request."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rmm_extension.domain import ticket_text
from rmm_extension.domain.errors import HostError
from rmm_extension.domain.types import AlertEvent, AlertKind, Channel, Outcome
from rmm_extension.models import Alert
from rmm_extension.providers.contract import FetchesAlert

from .context import Rmm
from .ingest import decide_again
from .ingest.facts import Facts
from .ingest.stored import load
from .ingest.ticket import ticket_facts
from .ingest.write import Record, change
from .inventory.load import open_connection
from .runs import Run
from .unit import unit
from .webhooks import take

BATCH = 200
_RECEIVED: tuple[dict[str, Any], ...] = ({"code": "details_received"},)
_MISSING: tuple[dict[str, Any], ...] = ({"code": "details_missing"},)


def fetch_details(rmm: Rmm, run: Run) -> dict[str, Any]:
    """Ask the vendor for one alert, then decide what waited for it or complete its ticket's text."""
    alert_id = UUID(run.subject["alert_id"])
    assert run.integration_id is not None
    with unit(rmm) as session:
        stored = session.get(Alert, (run.tenant_id, alert_id))
        if stored is None or stored.message is not None:
            return {"unchanged": 1}
        external_id = stored.external_id
        _, connection, provider = open_connection(rmm, session, run.tenant_id, run.integration_id)
    if not isinstance(provider, FetchesAlert):
        return {"unchanged": 1}
    event = provider.alert(connection, external_id)
    if event is None:
        return {"missing": int(_decide(rmm, run.tenant_id, alert_id, {}, _MISSING))}
    _complete(rmm, run.tenant_id, alert_id, event)
    if event.kind is AlertKind.RESET:
        take(rmm, run.tenant_id, run.integration_id, event, Channel.POLL)
    return {"completed": 1}


def decide_overdue(rmm: Rmm) -> int:
    """Decide without their text the alerts that waited long enough; how many were decided."""
    with unit(rmm) as session:
        due = session.execute(
            select(Alert.tenant_id, Alert.id)
            .where(Alert.details_due_at <= func.now())
            .order_by(Alert.details_due_at)
            .limit(BATCH)
        ).all()
    return sum(_decide(rmm, row.tenant_id, row.id, {}, _MISSING) for row in due)


def _complete(rmm: Rmm, tenant_id: str, alert_id: UUID, event: AlertEvent) -> None:
    with unit(rmm) as session:
        stored = session.get(Alert, (tenant_id, alert_id))
        waits = stored is not None and stored.details_due_at is not None
    known = {"message": event.message, "device_name": event.device_name}
    changes = {name: value for name, value in known.items() if value}
    if waits:
        _decide(rmm, tenant_id, alert_id, changes, _RECEIVED)
    elif changes:
        _complete_ticket(rmm, tenant_id, alert_id, changes)


def _decide(
    rmm: Rmm, tenant_id: str, alert_id: UUID, changes: dict[str, Any], steps: tuple[dict[str, Any], ...]
) -> bool:
    """Decide a waiting alert; a ticket the host refuses is kept for Needs attention."""
    failure: str | None = None
    for _ in range(2):
        try:
            with unit(rmm) as session:
                done = decide_again(
                    rmm,
                    session,
                    tenant_id,
                    alert_id,
                    channel=Channel.TICK,
                    changes=changes,
                    steps=steps,
                    ticket_failure=failure,
                )
                return done is not None
        except HostError as error:
            failure = str(error)
    return False


def _complete_ticket(rmm: Rmm, tenant_id: str, alert_id: UUID, changes: dict[str, Any]) -> None:
    with unit(rmm) as session:
        found = load(session, tenant_id, alert_id)
        if found is None:
            return
        facts, event = found
        stored = session.get(Alert, (tenant_id, alert_id))
        assert stored is not None
        values = {**changes, **_rewrite(rmm, session, facts, event, stored, changes)}
        record = Record(
            tenant_id=tenant_id,
            integration_id=facts.integration_id,
            alert_id=alert_id,
            external_id=event.external_id,
            channel=Channel.TICK,
            kind="details",
            occurred_at=event.occurred_at,
            outcome=Outcome.UPDATED,
            values=values,
            steps=list(_RECEIVED),
        )
        change(session, record, open_only=False)


def _rewrite(
    rmm: Rmm, session: Session, facts: Facts, event: AlertEvent, stored: Alert, changes: dict[str, Any]
) -> dict[str, Any]:
    """Complete the ticket's title and description, where nobody changed ours."""
    tickets = rmm.host.tickets
    if tickets is None or not stored.ticket_id or stored.generated_title is None:
        return {}
    told = msgspec.structs.replace(event, **changes)
    texts = ticket_facts(rmm, session, facts, told, None)
    template = (stored.rule_actions or {}).get("ticketTemplate") or {}
    title = ticket_text.title(texts, template.get("titleTemplate"))
    description = ticket_text.description(texts, template.get("descriptionTemplate"))
    tickets.complete_text(
        session,
        facts.tenant_id,
        stored.ticket_id,
        old_title=stored.generated_title,
        title=title,
        old_description=stored.generated_description or "",
        description=description,
    )
    return {"generated_title": title, "generated_description": description}
