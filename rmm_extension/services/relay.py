"""The outbox's other end: each row is handed to its topic's handler, in the transaction that deletes it.

Rows are claimed for a while, in the order of their ids, and each is dealt with on its own: one that fails,
or takes its worker down, is put off while the others go on.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, select, text, tuple_, update
from sqlalchemy.orm import Session

from rmm_extension.models import Outbox

from . import kinds, outbox
from .context import Rmm
from .lease import PLAIN
from .unit import unit

_FOLLOWUPS = "rmm_extension.services.followups"
TOPICS: dict[str, kinds.Work] = {
    "alert_followups": f"{_FOLLOWUPS}:alert_followups",
    "alert_events": f"{_FOLLOWUPS}:alert_events",
    "ticket_closed": f"{_FOLLOWUPS}:ticket_closed",
    "alert_reset": "rmm_extension.services.outbound:reset_wished",
    "device_refresh_again": "rmm_extension.services.signals:refresh_again",
    "device_events": "rmm_extension.services.device_events:fan_out",
    "organization_mapped": f"{_FOLLOWUPS}:organization_mapped",
    "routing_saved": f"{_FOLLOWUPS}:routing_saved",
    "ticket_assets": "rmm_extension.services.inventory.alerts:link_tickets",
    "connection_down": f"{_FOLLOWUPS}:connection_down",
    "connection_up": f"{_FOLLOWUPS}:connection_up",
    "notify_user": "rmm_extension.services.notices:notify_user",
    "workflow_start": "rmm_extension.workflows.starting:by_event",
    "workflow_action_over": "rmm_extension.workflows.engine:action_over",
    "workflow_refused": "rmm_extension.services.notices:workflow_refused",
}
"""Topic to handler, called as ``handler(rmm, session, tenant_id, payload)``. It may insert runs, put more
into the outbox and use the host's ports; it makes no call over the network."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """What must not miss an event, such as what starts workflows.

    ``take`` is called as ``take(rmm, session, tenant_id, name, payload)`` for a row of the topic ``event``,
    once, in its transaction; signals come after it. ``wants``, called as ``wants(session, events)`` with
    pairs of tenant and name, gives those of them that it wants now; without it, it wants all. An event that
    nobody wants costs no transaction of its own.
    """

    take: kinds.Work
    wants: kinds.Work | None = None


EVENT_CONSUMERS = [
    Consumer("rmm_extension.workflows.starting:on_event", "rmm_extension.workflows.starting:wanted_events")
]

BATCH = 100
CLAIM = timedelta(seconds=60)
GAPS = (5, 15, 60, 300, 900, 3600)
"""Seconds until a failed row is tried again; the last one stays."""

_EVENT, _SIGNAL = "event", "signal"

CLAIM_NEXT = text("""
WITH RECURSIVE waiting AS (
    (SELECT tenant_id FROM rmm_outbox ORDER BY tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT o.tenant_id FROM rmm_outbox o WHERE o.tenant_id > w.tenant_id ORDER BY o.tenant_id LIMIT 1)
    FROM waiting w WHERE w.tenant_id IS NOT NULL
), picked AS (
    SELECT due.* FROM waiting w CROSS JOIN LATERAL (
        SELECT o.tenant_id, o.id FROM rmm_outbox o
        WHERE o.tenant_id = w.tenant_id AND o.due_at <= now()
        ORDER BY o.due_at, o.id LIMIT :limit FOR UPDATE SKIP LOCKED
    ) due
    ORDER BY due.id LIMIT :limit
)
UPDATE rmm_outbox o SET attempts = o.attempts + 1, due_at = clock_timestamp() + :claim
FROM picked WHERE o.tenant_id = picked.tenant_id AND o.id = picked.id
RETURNING o.tenant_id, o.id, o.topic, o.payload, o.attempts
""")
"""The oldest due rows of all tenants, found tenant by tenant by the index: what a batch costs does not grow
with what waits, such as an event for each device of a large fleet."""


@dataclass(frozen=True, slots=True)
class Message:
    """A claimed outbox row; ``attempts`` counts this claim and tells it from later ones.

    ``is_wanted``: it is an event, and a consumer wanted such when it was claimed.
    """

    tenant_id: str
    id: UUID
    topic: str
    payload: dict[str, Any]
    attempts: int
    is_wanted: bool = False


def has_due(rmm: Rmm) -> bool:
    """Whether any row waits."""
    with unit(rmm) as session:
        return bool(session.scalar(select(exists().where(Outbox.due_at <= func.now()))))


def claim(rmm: Rmm, limit: int = BATCH) -> list[Message]:
    """Take the next rows for a minute. A worker that dies leaves them to the next, counted as an attempt."""
    with unit(rmm) as session:
        rows = session.execute(CLAIM_NEXT, {"limit": limit, "claim": CLAIM}).all()
        told = {(row.tenant_id, row.payload["name"]) for row in rows if row.topic == _EVENT}
        wanted = wanted_events(session, told)
    # RETURNING promises no order.
    return sorted((_message(row, wanted) for row in rows), key=lambda message: message.id)


def _message(row: Any, wanted: Collection[tuple[str, str]]) -> Message:
    is_wanted = row.topic == _EVENT and (row.tenant_id, row.payload["name"]) in wanted
    return Message(row.tenant_id, row.id, row.topic, row.payload, row.attempts, is_wanted)


def wanted_events(session: Session, told: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the events, each a tenant and a name, that a consumer wants."""
    wanted: set[tuple[str, str]] = set()
    for consumer in EVENT_CONSUMERS if told else ():
        wanted |= set(told) if consumer.wants is None else kinds.resolve(consumer.wants)(session, told)
    return wanted


def is_signal(message: Message) -> bool:
    """Whether all that is left to do is telling the host's receivers."""
    return message.topic == _SIGNAL or (message.topic == _EVENT and not message.is_wanted)


def deliver(rmm: Rmm, message: Message) -> bool:
    """Handle one row and delete it, in one transaction; false when another worker has it by now."""
    with unit(rmm) as session:
        # The delete comes first: it locks the row and tells whether the claim still holds.
        gone = delete(Outbox).where(*_mine(message)).returning(Outbox.id)
        if session.scalar(gone, execution_options=PLAIN) is None:
            return False
        _handle(rmm, session, message)
    return True


def settle(rmm: Rmm, messages: Sequence[Message]) -> None:
    """Delete rows whose signals were sent."""
    if messages:
        claims = [(message.tenant_id, message.id, message.attempts) for message in messages]
        ours = tuple_(Outbox.tenant_id, Outbox.id, Outbox.attempts).in_(claims)
        with unit(rmm) as session:
            session.execute(delete(Outbox).where(ours), execution_options=PLAIN)


def put_off(rmm: Rmm, message: Message, error: str) -> None:
    """Try a failed row again later; ``error`` says in words what went wrong."""
    gap = timedelta(seconds=GAPS[min(message.attempts, len(GAPS)) - 1])
    later = (
        update(Outbox)
        .where(*_mine(message))
        .values(due_at=func.clock_timestamp() + gap, last_error=error[:1000])
    )
    with unit(rmm) as session:
        session.execute(later, execution_options=PLAIN)


def _handle(rmm: Rmm, session: Session, message: Message) -> None:
    if message.topic == _EVENT:
        name, payload = message.payload["name"], message.payload["payload"]
        for consumer in EVENT_CONSUMERS:
            kinds.resolve(consumer.take)(rmm, session, message.tenant_id, name, payload)
        # A signal's receivers run outside every transaction of ours, so they get a row of their own.
        outbox.put(session, message.tenant_id, _SIGNAL, message.payload)
        return
    if message.topic not in TOPICS:
        raise LookupError(f"Nothing installed here handles the topic {message.topic}.")
    kinds.resolve(TOPICS[message.topic])(rmm, session, message.tenant_id, message.payload)


def _mine(message: Message) -> list[ColumnElement[bool]]:
    return [
        Outbox.tenant_id == message.tenant_id,
        Outbox.id == message.id,
        Outbox.attempts == message.attempts,
    ]
