"""What an alert came without, its text or the rest of its report: fetched by a job, never in the webhook
request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select, tuple_, update
from sqlalchemy.orm import Session

from rmm_extension.domain.identity import dedup_key
from rmm_extension.domain.types import AlertEvent, AlertKind, Channel, Outcome
from rmm_extension.models import Alert
from rmm_extension.providers.capabilities import FetchesAlert

from . import followups
from .context import Rmm
from .decisions import decide_or_log, decide_stored
from .ingest import Ingested
from .ingest.stored import DETAILS, awaited, load
from .ingest.text import TEXTS, complete_text, told
from .ingest.write import Record, change
from .inventory.load import open_connection
from .lease import PLAIN
from .runs import Run
from .tenants import active
from .unit import unit
from .webhooks import take

BATCH = 200
AGAIN_AFTER = timedelta(minutes=5)
_TOLD_ANEW = ("message", "title")
_RECEIVED: tuple[dict[str, Any], ...] = ({"code": "details_received"},)
_REST_RECEIVED: tuple[dict[str, Any], ...] = ({"code": "report_received"},)
_MISSING: tuple[dict[str, Any], ...] = ({"code": "details_missing"},)


def fetch_details(rmm: Rmm, run: Run) -> dict[str, Any]:
    """Ask the vendor for one alert, then decide what waited for it or complete its ticket's text.

    The events that waited for the text are told, whatever came of it.
    """
    alert_id = UUID(run.subject["alert_id"])
    counts = _fetch(rmm, run, alert_id)
    with unit(rmm) as session:
        followups.tell_waiting(session, run.tenant_id, alert_id)
    return counts


def _fetch(rmm: Rmm, run: Run, alert_id: UUID) -> dict[str, Any]:
    assert run.integration_id is not None
    with unit(rmm) as session:
        stored = _stored(session, run.tenant_id, alert_id)
        if stored is None or (stored.message is not None and not run.subject.get("is_partial")):
            return {"unchanged": 1}
        _, connection, provider = open_connection(rmm, session, run.tenant_id, run.integration_id)
    if not isinstance(provider, FetchesAlert):
        return {"unchanged": 1}
    event = provider.alert(connection, stored.external_id)
    if event is None:
        decided = _decide(rmm, run.tenant_id, alert_id, {}, _MISSING)
        return {"missing": int(decided is not None)}
    _complete(rmm, run.tenant_id, alert_id, event, stored.last_event_at)
    if event.kind is AlertKind.RESET:
        # It is over now, however old the vendor's clock says that is; unless it fired again meanwhile.
        over = msgspec.structs.replace(event, occurred_at=max(event.occurred_at, stored.last_event_at))
        take(rmm, run.tenant_id, run.integration_id, over, Channel.POLL)
    return {"completed": 1}


def decide_overdue(rmm: Rmm) -> int:
    """Decide without their text the alerts that waited long enough; how many were decided."""
    with unit(rmm) as session:
        due = session.execute(
            select(Alert.tenant_id, Alert.id)
            .where(Alert.details_due_at <= func.now(), Alert.tenant_id == active(rmm, session))
            .order_by(Alert.details_due_at)
            .limit(BATCH)
        ).all()
    options: dict[str, Any] = {"channel": Channel.TICK, "waiting_for": DETAILS, "steps": _MISSING}
    failed = [row for row in due if decide_or_log(rmm, row.tenant_id, row.id, **options) is None]
    if failed:
        _wait_on(rmm, failed)
    return len(due) - len(failed)


def _wait_on(rmm: Rmm, failed: Sequence[Any]) -> None:
    """Have those come again later that could not be decided: they keep no others from their turn."""
    ids = tuple_(Alert.tenant_id, Alert.id).in_([(row.tenant_id, row.id) for row in failed])
    again = update(Alert).where(ids, Alert.details_due_at <= func.now())
    with unit(rmm) as session:
        session.execute(
            again.values(details_due_at=func.now() + AGAIN_AFTER, updated_at=Alert.updated_at),
            execution_options=PLAIN,
        )


def _stored(session: Session, tenant_id: str, alert_id: UUID) -> Any | None:
    return session.execute(
        select(
            Alert.external_id,
            Alert.message,
            Alert.title,
            Alert.details_due_at,
            Alert.last_event_at,
            Alert.attention,
            Alert.external_device_id,
            Alert.external_organization_id,
        ).where(Alert.tenant_id == tenant_id, Alert.id == alert_id)
    ).first()


def _complete(rmm: Rmm, tenant_id: str, alert_id: UUID, event: AlertEvent, known_to: datetime) -> None:
    """``known_to`` is the alert's newest event from before the vendor was asked."""
    with unit(rmm) as session:
        stored = _stored(session, tenant_id, alert_id)
    changes, waiting_for = told(event), _waits_with(stored, event)
    # What is over at the vendor by now is not decided any more: it would make a ticket only to close it.
    if waiting_for and event.kind is not AlertKind.RESET:
        steps = _RECEIVED if waiting_for == DETAILS else _REST_RECEIVED
        known = {**changes, "dedup_key": dedup_key(event)}
        _decide(rmm, tenant_id, alert_id, known, steps, waiting_for=waiting_for)
    elif texts := _texts(stored, changes, known_to):
        _complete_ticket(rmm, tenant_id, alert_id, texts)


def _texts(stored: Any | None, changes: dict[str, Any], known_to: datetime) -> dict[str, Any]:
    """What is completed: where a newer event overtook this answer, not what that event told anew."""
    is_overtaken = stored is not None and stored.last_event_at > known_to
    newer = {name for name in _TOLD_ANEW if getattr(stored, name) is not None} if is_overtaken else set()
    return {name: value for name, value in changes.items() if name in TEXTS and name not in newer}


def _waits_with(stored: Any | None, event: AlertEvent) -> str | None:
    if stored is None:
        return None
    return DETAILS if stored.details_due_at is not None else awaited(stored._mapping, event)


def _decide(
    rmm: Rmm,
    tenant_id: str,
    alert_id: UUID,
    changes: dict[str, Any],
    steps: tuple[dict[str, Any], ...],
    *,
    waiting_for: str = DETAILS,
) -> Ingested | None:
    """Decide an alert that waits for its text, or for whose it is."""
    return decide_stored(
        rmm,
        tenant_id,
        alert_id,
        channel=Channel.TICK,
        waiting_for=waiting_for,
        changes=changes,
        steps=steps,
    )


def _complete_ticket(rmm: Rmm, tenant_id: str, alert_id: UUID, changes: dict[str, Any]) -> None:
    with unit(rmm) as session:
        found = load(session, tenant_id, alert_id, changes)
        if found is None:
            return
        facts, event = found
        values = {**changes, **complete_text(rmm, session, facts, event)}
        came = _RECEIVED if facts.row["message"] is None else _REST_RECEIVED
        record = Record.of(facts, event, Channel.TICK, values, *came, kind="details", outcome=Outcome.UPDATED)
        change(session, record, open_only=False)
