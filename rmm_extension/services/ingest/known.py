"""An open alert is reported again: a repeat, or news about its severity or text."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from rmm_extension.domain.types import AlertEvent, Channel, Outcome, Severity
from rmm_extension.services.context import Rmm

from . import config, vendor_status
from .anew import decide_anew, was_only_recorded
from .condition import lock_condition
from .facts import Facts, placed
from .filing import severity_priority
from .result import Ingested
from .text import complete_text, words
from .write import Record, change_as_seen, received


def seen_again(
    rmm: Rmm,
    session: Session,
    facts: Facts,
    event: AlertEvent,
    channel: Channel,
    ticket_failure: str | None,
) -> Ingested:
    """No second ticket and no occurrence; changes of severity, words and the vendor's state are written down.

    So is a newer time: an end from before it, which may still be on its way, must not resolve the alert. One
    that was only recorded and got worse is decided anew: a rule that did not want it before may want it now.
    """
    ticket_id = facts.row["ticket_id"]
    if event.occurred_at < facts.last_event_at:
        return Ingested(Outcome.SKIPPED, facts.alert_id, ticket_id, reason="older_event")
    changes = _changes(facts, event)
    if not changes and event.occurred_at == facts.last_event_at:
        return Ingested(Outcome.SKIPPED, facts.alert_id, ticket_id, reason="duplicate")
    values = {**changes, **words(event), "last_event_at": event.occurred_at}
    steps = _steps(facts, event, channel, changes)
    record = Record.of(facts, event, channel, values, *steps, outcome=Outcome.UPDATED)
    if ticket_id and _is_raised(facts, changes):
        _raise_ticket(rmm, session, facts, event, record)
    elif _is_raised(facts, changes) and was_only_recorded(facts):
        decide_anew(rmm, session, facts, placed(facts, event), record, ticket_failure)
    # After the condition, which a rise in severity holds: the order of locks.
    vendor_status.tell_ticket(rmm, session, facts, event)
    if ticket_id and _tells_more(facts, event, changes):
        record.values |= complete_text(rmm, session, facts, event)
    change_as_seen(session, record, facts.seen)
    return Ingested(Outcome(record.outcome), facts.alert_id, record.values.get("ticket_id") or ticket_id)


def _changes(facts: Facts, event: AlertEvent) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if event.severity is not Severity.NONE and event.severity != facts.row["severity"]:
        changes["severity"] = event.severity
    if event.message is not None and event.message != facts.row["message"]:
        changes["message"] = event.message
    if event.title is not None and event.title != facts.row["title"]:
        changes["title"] = event.title
    if vendor_status.moved(facts, event):
        changes |= vendor_status.told(facts, event)
    return changes


def _tells_more(facts: Facts, event: AlertEvent, changes: dict[str, Any]) -> bool:
    """Whether the words of the ticket can be better than they were."""
    came = "message" in changes and facts.row["message"] is None
    return came or "title" in changes or "report" in words(event)


def _steps(
    facts: Facts, event: AlertEvent, channel: Channel, changes: dict[str, Any]
) -> list[dict[str, Any]]:
    steps = [received(facts, event, channel)]
    if "severity" in changes:
        steps.append({"code": "severity_changed", "old": facts.row["severity"], "new": event.severity})
    if "message" in changes:
        steps.append({"code": "message_changed"})
    if "title" in changes:
        steps.append({"code": "title_changed"})
    return [*steps, *vendor_status.step(facts, event)]


def _is_raised(facts: Facts, changes: dict[str, Any]) -> bool:
    new = changes.get("severity")
    return new is not None and new.rank > Severity(facts.row["severity"]).rank


def _raise_ticket(rmm: Rmm, session: Session, facts: Facts, event: AlertEvent, record: Record) -> None:
    """Tell the ticket; raise its priority when nobody has touched it and no rule fixed it."""
    host, ticket_id = rmm.host, facts.row["ticket_id"]
    if host.tickets is None:
        return
    lock_condition(session, facts.tenant_id, facts.integration_id, facts.row["dedup_key"])
    state = host.tickets.state(session, facts.tenant_id, ticket_id, lock=True)
    if state is None or not state.is_open:
        return
    note = f"Severity rose from {facts.row['severity']} to {event.severity}."
    host.tickets.add_note(session, facts.tenant_id, ticket_id, note)
    fixed = facts.rule_actions.get("priorityOverride")
    if state.touched or fixed or host.catalog is None:
        return
    priorities = host.catalog.priorities(session, facts.tenant_id)
    routing = config.load(rmm, session, facts).routing
    priority = severity_priority(event.severity, priorities, facts.rule_actions, routing)
    if priority:
        host.tickets.set_priority(session, facts.tenant_id, ticket_id, priority)
        record.steps.append({"code": "priority_raised", "number": state.number})
