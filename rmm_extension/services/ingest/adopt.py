"""The real alert behind one that was stored under an id of ours takes over its row."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from rmm_extension.domain.identity import dedup_key
from rmm_extension.domain.types import AlertEvent, Channel, Outcome
from rmm_extension.services.context import Rmm
from rmm_extension.services.driver import run

from . import vendor_status
from .anew import decide_anew, was_only_recorded
from .condition import claim_condition, lock_condition
from .facts import Facts
from .result import Ingested
from .text import complete_text, words
from .write import Record, change_as_seen, received

_CARRY = """
UPDATE rmm_alert_conditions c
SET ticket_id = %(ticket)s, occurrence_count = old.occurrence_count,
    last_occurrence_at = old.last_occurrence_at
FROM rmm_alert_conditions old
WHERE c.tenant_id = %(tenant)s AND c.integration_id = %(integration)s AND c.dedup_key = %(new)s
  AND old.tenant_id = c.tenant_id AND old.integration_id = c.integration_id AND old.dedup_key = %(old)s
"""


def adopt(
    rmm: Rmm,
    session: Session,
    facts: Facts,
    event: AlertEvent,
    channel: Channel,
    ticket_failure: str | None,
) -> Ingested:
    """Keep row and ticket, take the vendor's id, condition and text.

    An alert that no rule wanted is decided anew: what stood under an id of ours said little of itself.
    """
    key = dedup_key(event)
    _carry_condition(rmm, session, facts, key)
    record = Record.of(
        facts,
        event,
        channel,
        {**_values(facts, event), "dedup_key": key},
        received(facts, event, channel),
        {"code": "adopted"},
        outcome=Outcome.UPDATED,
        followups={"fetch_details": True} if event.message is None and facts.row["message"] is None else {},
    )
    if was_only_recorded(facts):
        decide_anew(rmm, session, facts, event, record, ticket_failure)
    if event.message is not None and facts.row["message"] is None:
        record.values |= complete_text(rmm, session, facts, event)
    change_as_seen(session, record, facts.seen)
    ticket_id = record.values.get("ticket_id") or facts.row["ticket_id"]
    return Ingested(Outcome(record.outcome), facts.alert_id, ticket_id)


def _values(facts: Facts, event: AlertEvent) -> dict[str, Any]:
    values = {
        "external_id": event.external_id,
        "synthesized": False,
        "severity": event.severity,
        "alert_class": event.alert_class,
        "message": event.message or facts.row["message"],
        "last_event_at": max(event.occurred_at, facts.last_event_at),
        "raw": event.raw,
        **words(event),
        **vendor_status.told(facts, event),
    }
    return {**values, "device_name": event.device_name} if event.device_name else values


def _carry_condition(rmm: Rmm, session: Session, facts: Facts, new: str) -> None:
    """Give the new condition the old one's ticket and count; both rows locked in the order of their keys.

    Not where the new condition has an open ticket of its own: its next firing belongs there.
    """
    old, ticket_id = facts.row["dedup_key"], facts.row["ticket_id"]
    if old == new or ticket_id is None:
        return
    last = None
    for key in sorted((old, new)):
        if key == new:
            last, _ = claim_condition(session, facts.tenant_id, facts.integration_id, new)
        else:
            lock_condition(session, facts.tenant_id, facts.integration_id, old)
    if last is not None and _is_open(rmm, session, facts.tenant_id, last):
        return
    parameters = {
        "tenant": facts.tenant_id,
        "integration": facts.integration_id,
        "ticket": ticket_id,
        "new": new,
        "old": old,
    }
    run(session, _CARRY, parameters)


def _is_open(rmm: Rmm, session: Session, tenant_id: str, ticket_id: str) -> bool:
    state = rmm.host.tickets.state(session, tenant_id, ticket_id) if rmm.host.tickets else None
    return state is not None and state.is_open
