"""The real alert behind one that was stored under an id of ours takes over its row."""

from __future__ import annotations

from sqlalchemy.orm import Session

from rmm_extension.domain.identity import dedup_key
from rmm_extension.domain.types import AlertEvent, Channel, Outcome
from rmm_extension.services.driver import run

from .facts import Facts
from .result import Ingested
from .write import Record, change, count_occurrence, lock_condition

_CARRY = """
UPDATE rmm_alert_conditions c SET ticket_id = %(ticket)s, occurrence_count = old.occurrence_count
FROM rmm_alert_conditions old
WHERE c.tenant_id = %(tenant)s AND c.integration_id = %(integration)s AND c.dedup_key = %(new)s
  AND old.tenant_id = c.tenant_id AND old.integration_id = c.integration_id AND old.dedup_key = %(old)s
  AND c.ticket_id IS NULL
"""


def adopt(session: Session, facts: Facts, event: AlertEvent, channel: Channel) -> Ingested:
    """Keep row and ticket, take the vendor's id, condition and text."""
    old, new = facts.row["dedup_key"], dedup_key(event)
    _carry_condition(session, facts, event, old, new)
    record = Record(
        tenant_id=facts.tenant_id,
        integration_id=facts.integration_id,
        alert_id=facts.alert_id,
        external_id=event.external_id,
        channel=channel,
        kind=event.kind,
        occurred_at=event.occurred_at,
        outcome=Outcome.UPDATED,
        values={
            "external_id": event.external_id,
            "synthesized": False,
            "dedup_key": new,
            "severity": event.severity,
            "alert_class": event.alert_class,
            "message": event.message or facts.row["message"],
            "last_event_at": max(event.occurred_at, facts.last_event_at),
            "raw": event.raw,
        },
        steps=[
            {"code": "received", "channel": channel, "provider": facts.provider, "severity": event.severity},
            {"code": "adopted"},
        ],
        followups={"fetch_details": True} if event.message is None else {},
    )
    written = change(session, record)
    outcome = Outcome.UPDATED if written else Outcome.SKIPPED
    return Ingested(outcome, facts.alert_id, facts.row["ticket_id"], None if written else "older_event")


def _carry_condition(session: Session, facts: Facts, event: AlertEvent, old: str, new: str) -> None:
    """Give the new condition the old one's ticket and count; both rows locked in the order of their keys."""
    if old == new or facts.row["ticket_id"] is None:
        return
    for key in sorted((old, new)):
        if key == new:
            count_occurrence(session, facts.tenant_id, facts.integration_id, new, event.occurred_at)
        else:
            lock_condition(session, facts.tenant_id, facts.integration_id, old)
    run(
        session,
        _CARRY,
        {
            "tenant": facts.tenant_id,
            "integration": facts.integration_id,
            "ticket": facts.row["ticket_id"],
            "new": new,
            "old": old,
        },
    )
