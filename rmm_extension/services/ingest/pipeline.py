"""One event through the pipeline."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from rmm_extension.domain.identity import dedup_key
from rmm_extension.domain.types import AlertEvent, AlertKind, Channel, Outcome
from rmm_extension.services.context import Rmm
from rmm_extension.services.driver import autocommitted

from . import adopt, comment, config, ending, known, lost, stored, text, vendor_status
from .clock import possible
from .decide import decide
from .facts import Facts, placed
from .result import Ingested, SimultaneousDelivery
from .write import Record, first_values, insert_or_reopen, received

__all__ = ["Ingested", "SimultaneousDelivery", "ingest"]


def ingest(
    rmm: Rmm,
    session: Session,
    facts: Facts,
    event: AlertEvent,
    channel: Channel,
    *,
    ticket_failure: str | None = None,
    received_at: datetime | None = None,
) -> Ingested:
    """Take one event in the session's transaction; the caller commits.

    ``received_at`` is when its delivery arrived: the history tells how long it took.

    Raises :class:`SimultaneousDelivery` when the alert was changed meanwhile (the caller rolls back, reads
    the facts again and calls again), and ``HostError`` when the host would not make the ticket: then the
    caller rolls back and calls again with the reason as ``ticket_failure``, which keeps the alert under
    Needs attention.
    """
    if received_at is not None:
        facts = replace(facts, received_at=received_at)
    event = possible(facts, event)
    if event.note_id is not None and facts.known:
        return comment.take_comment(rmm, session, facts, event, channel)
    if event.kind is AlertKind.RESET:
        return ending.reset(rmm, session, facts, event, channel)
    if event.kind is AlertKind.ACKNOWLEDGED:
        return ending.acknowledge(session, facts, event, channel)
    if facts.is_open and facts.row["synthesized"] and not event.synthesized:
        return adopt.adopt(rmm, session, facts, placed(facts, event), channel, ticket_failure)
    if facts.is_open and (waiting_for := stored.awaited(facts.row, event)):
        return _completed(rmm, session, facts, event, channel, ticket_failure, waiting_for)
    if facts.is_open:
        return known.seen_again(rmm, session, facts, event, channel, ticket_failure)
    if facts.known and _is_stale(facts, event):
        reason = "resolved_here" if facts.row["resolved_here"] else "older_event"
        return Ingested(Outcome.SKIPPED, facts.alert_id, None, reason=reason)
    return _fresh(rmm, session, facts, placed(facts, event), channel, ticket_failure)


def _is_stale(facts: Facts, event: AlertEvent) -> bool:
    """A resolved alert opens again only for something that happened after what is known of it.

    That holds too for one that a person resolved here and the vendor still lists: its time is not new.
    """
    if facts.row["resolved_here"] and event.vendor_status is not None:
        # A vendor that tells the state moves the time for much less than a new firing.
        return not vendor_status.moved(facts, event) or event.occurred_at <= facts.last_event_at
    return event.occurred_at <= facts.last_event_at


def _completed(
    rmm: Rmm,
    session: Session,
    facts: Facts,
    event: AlertEvent,
    channel: Channel,
    ticket_failure: str | None,
    waiting_for: str,
) -> Ingested:
    """What an open alert waits for came by another way than was asked: decide now."""
    newest = max(event.occurred_at, facts.last_event_at)
    code = "details_received" if waiting_for == stored.DETAILS else "report_received"
    changes = {**text.told(event), "dedup_key": dedup_key(event), "last_event_at": newest}
    done = stored.decide_again(
        rmm,
        session,
        facts.tenant_id,
        facts.alert_id,
        channel=channel,
        waiting_for=waiting_for,
        changes=changes,
        steps=(received(facts, event, channel), {"code": code}),
        ticket_failure=ticket_failure,
        received_at=facts.received_at,
    )
    if done is None:
        raise SimultaneousDelivery("The alert was decided meanwhile.")
    return done


def _fresh(
    rmm: Rmm,
    session: Session,
    facts: Facts,
    event: AlertEvent,
    channel: Channel,
    ticket_failure: str | None,
) -> Ingested:
    record = _record(facts, event, channel)
    decide(
        rmm,
        session,
        facts,
        event,
        record,
        config.load(rmm, session, facts),
        at=event.occurred_at,
        ticket_failure=ticket_failure,
    )
    if event.note_id is not None:
        ticket = comment.ticket_of(rmm, session, facts.tenant_id, record.values.get("ticket_id"))
        comment.note_comment(rmm, session, facts, event, record, ticket)
    # An alert without a ticket is this one statement, which then needs no BEGIN and COMMIT around it.
    with autocommitted(session):
        written = insert_or_reopen(session, record)
    if not written:
        raise SimultaneousDelivery("Another delivery of this alert was first.")
    return Ingested(Outcome(record.outcome), record.alert_id, record.values.get("ticket_id"))


def _record(facts: Facts, event: AlertEvent, channel: Channel) -> Record:
    record = Record.of(facts, event, channel, first_values(facts, event), received(facts, event, channel))
    if facts.known:
        record.episode += 1
        record.steps.append({"code": "new_episode", "number": record.episode})
    lost.note(record, facts, event, channel)
    return record
