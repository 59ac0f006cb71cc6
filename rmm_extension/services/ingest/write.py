"""Writing a decision: the alert, its history, the condition's ticket and the follow-ups in one statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.identity import dedup_key
from rmm_extension.domain.types import AlertEvent, AlertStatus, Channel
from rmm_extension.models import OPEN_SQL, new_id, utc_now
from rmm_extension.services import outbox
from rmm_extension.services.driver import json_text, run

from .facts import Facts
from .result import SimultaneousDelivery

_HISTORY = """
history AS (
    INSERT INTO rmm_alert_events (tenant_id, id, alert_id, integration_id, at, occurred_at, channel, kind,
                                  outcome, rule_id, actor, duration_ms, steps)
    SELECT %(tenant_id)s, %(history_id)s, written.id, %(integration_id)s, %(now)s, %(occurred_at)s,
           %(channel)s, %(kind)s, %(outcome)s, %(rule_id)s, %(actor)s, %(duration_ms)s, %(steps)s::jsonb
    FROM written),
followed AS (
    INSERT INTO rmm_outbox (tenant_id, id, topic, payload, created_at, due_at, attempts)
    SELECT %(tenant_id)s, %(outbox_id)s, 'alert_followups',
           %(followups)s::jsonb || jsonb_build_object('alert_id', written.id), %(now)s, %(now)s, 0
    FROM written WHERE %(followups)s::jsonb <> '{}'::jsonb),
linked AS (
    UPDATE rmm_alert_conditions c SET ticket_id = %(link_ticket_id)s, occurrence_count = %(link_count)s
    FROM written
    WHERE %(link_ticket_id)s::text IS NOT NULL AND c.tenant_id = %(tenant_id)s
      AND c.integration_id = %(integration_id)s AND c.dedup_key = %(dedup_key)s)
SELECT id, episode FROM written
"""

_COLUMNS = [
    "external_device_id",
    "external_organization_id",
    "device_id",
    "asset_id",
    "client_id",
    "device_name",
    "status",
    "severity",
    "alert_class",
    "activity_type",
    "source_type",
    "dedup_key",
    "message",
    "title",
    "report",
    "vendor_status",
    "ticket_id",
    "auto_ticket_created",
    "generated_title",
    "generated_description",
    "matched_rule_id",
    "rule_actions",
    "suppressed_by_window_id",
    "attention",
    "attention_at",
    "details_due_at",
    "hold_until",
    "webhook_lost",
    "triggered_at",
    "last_event_at",
    "raw",
]
_JSON = {"rule_actions", "raw"}
_FIRST = {"auto_ticket_created": False, "webhook_lost": False, "resolved_at": None}
OVER: dict[str, Any] = {"details_due_at": None, "hold_until": None, "attention": None, "attention_at": None}
"""What an alert waits for no more once it is over."""


def _value(column: str) -> str:
    return f"%({column})s::jsonb" if column in _JSON else f"%({column})s"


# The row's own times are the database's: reconciliation compares them with the start of a listing.
# A row is only overwritten when it is resolved and this event is newer: no row back means that a
# simultaneous delivery was first, and the caller undoes the rest.
_UPSERT = f"""
WITH written AS (
    INSERT INTO rmm_alerts AS a (tenant_id, id, integration_id, external_id, synthesized, first_channel,
                                 episode, resolved_at, resolved_here, created_at, updated_at,
                                 {", ".join(_COLUMNS)})
    VALUES (%(tenant_id)s, %(id)s, %(integration_id)s, %(external_id)s, %(synthesized)s, %(channel)s,
            1, %(resolved_at)s, FALSE, clock_timestamp(), clock_timestamp(),
            {", ".join(_value(c) for c in _COLUMNS)})
    ON CONFLICT (tenant_id, integration_id, external_id) DO UPDATE SET
        {", ".join(f"{c} = excluded.{c}" for c in _COLUMNS)},
        episode = a.episode + 1, updated_at = excluded.updated_at, resolved_at = excluded.resolved_at,
        resolved_by = NULL, resolved_here = FALSE, acknowledged_at = NULL, acknowledged_by = NULL
    WHERE a.status IN ('resolved', 'auto_resolved') AND a.last_event_at < excluded.last_event_at
    RETURNING a.id, a.episode),
{_HISTORY}"""  # noqa: S608 - built from constants of this module


@dataclass(slots=True)
class Record:
    """What is about to be written for one event; ``values`` are the alert's columns.

    ``rule_id`` is the rule that took the alert in this event. ``link_ticket_id`` becomes the condition's
    ticket, with ``link_count`` firings on it, where that was not counted with the lock.
    """

    tenant_id: str
    integration_id: UUID
    alert_id: UUID
    external_id: str
    channel: str
    kind: str
    occurred_at: datetime
    values: dict[str, Any]
    synthesized: bool = False
    episode: int = 1
    outcome: str = ""
    actor: str | None = None
    received_at: datetime | None = None
    rule_id: UUID | None = None
    link_ticket_id: str | None = None
    link_count: int | None = None
    steps: list[dict[str, Any]] = field(default_factory=list)
    followups: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        facts: Facts,
        event: AlertEvent,
        channel: Channel,
        values: dict[str, Any],
        *steps: dict[str, Any],
        outcome: str = "",
        kind: str | None = None,
        actor: str | None = None,
        occurred_at: datetime | None = None,
        followups: dict[str, Any] | None = None,
    ) -> Record:
        """What is written of this event, for the alert of these facts or a new one.

        ``kind`` and ``occurred_at`` are the event's own unless something else happened to a stored alert.
        """
        known = facts.known
        return cls(
            tenant_id=facts.tenant_id,
            integration_id=facts.integration_id,
            alert_id=facts.alert_id if known else new_id(),
            external_id=event.external_id,
            synthesized=event.synthesized,
            channel=channel,
            kind=kind or event.kind,
            occurred_at=occurred_at or event.occurred_at,
            episode=facts.row["episode"] if known else 1,
            received_at=facts.received_at,
            values=values,
            outcome=outcome,
            actor=actor,
            steps=list(steps),
            followups=followups if followups is not None else {},
        )


def first_values(facts: Facts, event: AlertEvent) -> dict[str, Any]:
    """The columns of an alert as its event brings it, before anything is decided."""
    return {
        "external_device_id": event.external_device_id,
        "external_organization_id": event.external_organization_id or facts.organization_id,
        "device_id": facts.row["device_id"],
        "asset_id": facts.row["asset_id"],
        "client_id": facts.client_id,
        "device_name": event.device_name or facts.row["device_name"],
        "status": AlertStatus.ACTIVE,
        "severity": event.severity,
        "alert_class": event.alert_class,
        "activity_type": event.activity_type,
        "source_type": event.source_type,
        "dedup_key": dedup_key(event),
        "message": event.message,
        "title": event.title,
        "report": event.report,
        "vendor_status": event.vendor_status,
        "triggered_at": event.occurred_at,
        "last_event_at": event.occurred_at,
        "raw": event.raw,
    }


def received(facts: Facts, event: AlertEvent, channel: Channel) -> dict[str, Any]:
    """The history's first step of an event that reports the alert."""
    return {"code": "received", "channel": channel, "provider": facts.provider, "severity": event.severity}


def insert_or_reopen(session: Session, record: Record) -> bool:
    """Write a new alert, or a new episode of a resolved one; false when another delivery was first."""
    values = dict.fromkeys(_COLUMNS) | _FIRST | record.values
    values["rule_actions"] = json_text(values["rule_actions"]) if values["rule_actions"] else None
    values["raw"] = json_text(values["raw"] or {})
    return _execute(session, _UPSERT, record, values)


def change(
    session: Session, record: Record, *, open_only: bool = True, seen: Mapping[str, Any] | None = None
) -> bool:
    """Update some columns of a known alert.

    False when it is not open any more (with ``open_only``), or not what was ``seen`` (columns and values).
    """
    values = {"dedup_key": None} | record.values
    for column in _JSON & values.keys():
        values[column] = json_text(values[column]) if values[column] is not None else None
    values |= {f"seen_{column}": value for column, value in (seen or {}).items()}
    return _execute(session, _update(tuple(record.values), open_only, tuple(seen or ())), record, values)


def change_as_seen(session: Session, record: Record, seen: Mapping[str, Any]) -> None:
    """Update a known alert that is as it was read; raises :class:`SimultaneousDelivery` when it moved since.

    What the transaction did to conditions and tickets by then rests on the older state and must be undone.
    """
    if not change(session, record, open_only=False, seen=seen):
        raise SimultaneousDelivery("The alert changed while this was decided.")


@cache
def _update(columns: tuple[str, ...], open_only: bool, seen: tuple[str, ...]) -> str:
    assignments = ", ".join(f"{column} = {_value(column)}" for column in columns)
    guard = f"AND a.{OPEN_SQL}" if open_only else ""
    guard += "".join(f" AND a.{column} IS NOT DISTINCT FROM %(seen_{column})s" for column in seen)
    return f"""
    WITH written AS (
        UPDATE rmm_alerts a SET {assignments}{", " if assignments else ""}updated_at = clock_timestamp()
        WHERE a.tenant_id = %(tenant_id)s AND a.id = %(id)s {guard}
        RETURNING a.id, a.episode),
    {_HISTORY}"""  # noqa: S608 - column names come from this package only


def _execute(session: Session, statement: str, record: Record, values: dict[str, Any]) -> bool:
    now = utc_now()
    parameters = {
        **values,
        "tenant_id": record.tenant_id,
        "id": record.alert_id,
        "integration_id": record.integration_id,
        "external_id": record.external_id,
        "synthesized": record.synthesized,
        "channel": record.channel,
        "kind": record.kind,
        "outcome": record.outcome,
        "actor": record.actor,
        "occurred_at": record.occurred_at,
        "now": now,
        "rule_id": record.rule_id,
        "duration_ms": _milliseconds(record.received_at, now),
        "history_id": new_id(),
        "outbox_id": new_id(),
        "steps": json_text(record.steps),
        "followups": json_text(record.followups),
        "link_ticket_id": record.link_ticket_id,
        "link_count": record.link_count,
    }
    written = run(session, statement, parameters).fetchone() is not None
    if written and record.followups:
        outbox.mark_written(session)
    return written


def _milliseconds(since: datetime | None, now: datetime) -> float | None:
    return None if since is None else round((now - since).total_seconds() * 1000, 3)
