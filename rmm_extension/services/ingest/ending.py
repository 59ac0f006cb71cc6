"""The vendor says that an alert is over, or that somebody there took it on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from rmm_extension.domain import ticket_text
from rmm_extension.domain.types import AlertEvent, AlertStatus, Channel, Outcome
from rmm_extension.host import TicketState
from rmm_extension.models import OPEN_SQL
from rmm_extension.services.context import Rmm
from rmm_extension.services.driver import run

from . import config, lost, vendor_status
from .announced import was_announced
from .condition import lock_condition
from .facts import Facts
from .result import Ingested, SimultaneousDelivery
from .write import OVER, Record, change_as_seen, first_values, insert_or_reopen

_OTHERS = f"""
SELECT count(*) AS others FROM rmm_alerts
WHERE tenant_id = %(tenant)s AND ticket_id = %(ticket)s AND id <> %(alert)s AND {OPEN_SQL}
"""  # noqa: S608 - a constant


@dataclass(frozen=True, slots=True)
class Ending:
    """How the alert ends: its status, what the history says, and the ticket that was closed by it."""

    status: AlertStatus
    steps: tuple[dict[str, Any], ...] = ()
    closed_ticket: str | None = None

    def told(self, followups: dict[str, Any]) -> dict[str, Any]:
        """The follow-ups of the end, with the closing of its ticket: in the row that tells of both."""
        if self.closed_ticket is None:
            return followups
        signals = [*followups.get("signals", ()), "ticket_closed"]
        return {**followups, "signals": signals, "ticket_id": self.closed_ticket}


def reset(rmm: Rmm, session: Session, facts: Facts, event: AlertEvent, channel: Channel) -> Ingested:
    """Resolve the alert; close its ticket if the rule says so, it is untouched and nothing else is open."""
    if not facts.known:
        return _tombstone(session, facts, event, channel)
    ticket_id = facts.row["ticket_id"]
    if not facts.is_open:
        return _over_already(session, facts, event, channel)
    if event.occurred_at < facts.last_event_at:
        return Ingested(Outcome.SKIPPED, facts.alert_id, ticket_id, reason="older_event")
    status = vendor_status.note(facts, event) if vendor_status.moved(facts, event) else None
    note = ticket_text.resolved_note(facts.provider, event.external_id, status)
    ending = end_ticket(rmm, session, facts, note, left_alone=status)
    values = {
        **OVER,
        "status": ending.status,
        "resolved_at": event.occurred_at,
        "last_event_at": event.occurred_at,
        **vendor_status.told(facts, event),
        **_real_id(facts, event),
    }
    code = "vanished" if event.vanished else "cleared"
    cleared = {"code": code, "provider": facts.provider, "channel": channel}
    said = (cleared, *(vendor_status.step(facts, event) if status else ()))
    record = Record.of(facts, event, channel, values, *said, *ending.steps, outcome=Outcome.RESOLVED)
    lost.note(record, facts, event, channel)
    record.followups = ending.told({} if is_quiet(session, facts) else _followups("alert_resolved", channel))
    change_as_seen(session, record, facts.seen)
    return Ingested(Outcome.RESOLVED, facts.alert_id, ticket_id)


def acknowledge(session: Session, facts: Facts, event: AlertEvent, channel: Channel) -> Ingested:
    """Note that somebody took the alert on at the vendor; only an active one changes."""
    if not facts.known:
        return _tombstone(session, facts, event, channel)
    ticket_id = facts.row["ticket_id"]
    if facts.row["status"] != AlertStatus.ACTIVE or event.occurred_at < facts.last_event_at:
        return Ingested(Outcome.SKIPPED, facts.alert_id, ticket_id, reason="not_active")
    values = {
        "status": AlertStatus.ACKNOWLEDGED,
        "acknowledged_at": event.occurred_at,
        "last_event_at": event.occurred_at,
        **vendor_status.told(facts, event),
    }
    step = {"code": "acknowledged", "by": facts.provider}
    record = Record.of(facts, event, channel, values, step, outcome=Outcome.ACKNOWLEDGED)
    record.followups = _followups("alert_acknowledged", channel)
    change_as_seen(session, record, facts.seen)
    return Ingested(Outcome.ACKNOWLEDGED, facts.alert_id, ticket_id)


def is_quiet(session: Session, facts: Facts) -> bool:
    """Whether nobody was ever told of the alert: then nobody is told of its end."""
    return facts.row["status"] != AlertStatus.ACKNOWLEDGED and not was_announced(session, facts)


def _over_already(session: Session, facts: Facts, event: AlertEvent, channel: Channel) -> Ingested:
    """Remember when a resolved alert was last cleared: a trigger from before that opens nothing."""
    if event.occurred_at > facts.last_event_at:
        step = {"code": "cleared_again", "provider": facts.provider}
        values = {"last_event_at": event.occurred_at, **vendor_status.told(facts, event)}
        record = Record.of(facts, event, channel, values, step, outcome=Outcome.SKIPPED)
        change_as_seen(session, record, facts.seen)
    return Ingested(Outcome.SKIPPED, facts.alert_id, facts.row["ticket_id"], reason="already_resolved")


def _tombstone(session: Session, facts: Facts, event: AlertEvent, channel: Channel) -> Ingested:
    """Remember an end whose beginning has not come: a trigger from before it opens nothing."""
    values = {**first_values(facts, event), "status": AlertStatus.RESOLVED, "resolved_at": event.occurred_at}
    step = {"code": "tombstone", "provider": facts.provider, "severity": event.severity}
    record = Record.of(facts, event, channel, values, step, outcome=Outcome.SKIPPED)
    if not insert_or_reopen(session, record):
        raise SimultaneousDelivery("The alert's beginning was written meanwhile.")
    return Ingested(Outcome.SKIPPED, record.alert_id, None, reason="tombstone")


def _real_id(facts: Facts, event: AlertEvent) -> dict[str, Any]:
    """An alert stored under an id of ours ends under the vendor's, so that a late beginning meets its end."""
    if event.synthesized or not facts.row["synthesized"]:
        return {}
    return {"external_id": event.external_id, "synthesized": False}


def end_ticket(
    rmm: Rmm, session: Session, facts: Facts, note: str, *, left_alone: str | None = None
) -> Ending:
    """What becomes of the ticket of an alert that is over: closed, kept with the reason, or left alone.

    ``left_alone`` is what a ticket is told, while it is open, that the rule does not resolve.
    """
    ticket_id = facts.row["ticket_id"]
    if ticket_id is None or rmm.host.tickets is None:
        return Ending(AlertStatus.RESOLVED)
    actions = _actions(rmm, session, facts)
    if not actions.get("autoResolveTicket"):
        if left_alone:
            rmm.host.tickets.note_if_open(session, facts.tenant_id, ticket_id, None, left_alone)
        return Ending(AlertStatus.RESOLVED, ({"code": "ticket_untouched_rule_off"},))
    lock_condition(session, facts.tenant_id, facts.integration_id, facts.row["dedup_key"])
    state = rmm.host.tickets.state(session, facts.tenant_id, ticket_id, lock=True)
    if state is None or not state.is_open:
        return Ending(AlertStatus.RESOLVED)
    reason = _why_kept(session, facts, state)
    if reason is None:
        return _close(rmm, session, facts, state, note, actions)
    rmm.host.tickets.add_note(
        session, facts.tenant_id, ticket_id, f"{note}\nThe ticket stays open: {reason}."
    )
    return _kept(state, reason)


def _actions(rmm: Rmm, session: Session, facts: Facts) -> dict[str, Any]:
    """The rule's actions as they are now, else as they were when it matched."""
    rule = config.load(rmm, session, facts).rule(facts.row["matched_rule_id"])
    if rule is not None and rule.actions is not None:
        return rule.actions
    return facts.rule_actions


def _why_kept(session: Session, facts: Facts, state: TicketState) -> str | None:
    if state.touched:
        return state.touched_by or "somebody has worked on it"
    parameters = {"tenant": facts.tenant_id, "ticket": state.id, "alert": facts.alert_id}
    row = run(session, _OTHERS, parameters).fetchone()
    others: int = row["others"] if row else 0
    return ticket_text.still_active(others) if others else None


def _close(
    rmm: Rmm, session: Session, facts: Facts, state: TicketState, note: str, actions: dict[str, Any]
) -> Ending:
    assert rmm.host.tickets is not None
    rmm.host.tickets.add_note(session, facts.tenant_id, state.id, note)
    status_id = actions.get("autoResolveStatusId")
    result = rmm.host.tickets.close(session, facts.tenant_id, state.id, status_id)
    if not result.closed:
        return _kept(state, result.reason or "the PSA has no closed status")
    closing = (
        f"Closed automatically: the alert is over and nobody has worked on the ticket ({result.status_name})."
    )
    rmm.host.tickets.add_note(session, facts.tenant_id, state.id, closing)
    step = {"code": "ticket_closed", "number": state.number, "status": result.status_name}
    return Ending(AlertStatus.AUTO_RESOLVED, (step,), closed_ticket=state.id)


def _kept(state: TicketState, reason: str) -> Ending:
    return Ending(AlertStatus.RESOLVED, ({"code": "ticket_kept", "number": state.number, "reason": reason},))


def _followups(signal: str, channel: Channel) -> dict[str, Any]:
    found: dict[str, Any] = {"signals": [signal]}
    if channel is Channel.WEBHOOK:
        found["webhook_received"] = True
    return found
