"""Joining the open ticket of a condition, or making one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from rmm_extension.domain import ticket_text
from rmm_extension.domain.errors import HostRejected
from rmm_extension.domain.routing import Place, Routing, place
from rmm_extension.domain.rules import Rule, uses_routing
from rmm_extension.domain.types import AlertEvent, Outcome
from rmm_extension.host import TicketDraft, TicketRef
from rmm_extension.models import utc_now
from rmm_extension.services.alert_routing import lacks
from rmm_extension.services.context import Rmm

from .condition import claim_condition, count_occurrence
from .facts import Facts
from .filing import filed
from .write import Record

NO_CLIENT = "no_client"
TICKET_FAILED = "ticket_failed"
ROUTING_INCOMPLETE = "routing_incomplete"


def open_ticket(
    rmm: Rmm,
    session: Session,
    facts: Facts,
    event: AlertEvent,
    record: Record,
    rule: Rule,
    routing: Routing,
    ticket_failure: str | None,
    *,
    again: bool,
) -> None:
    """Lock the condition, then join its open ticket, wait, reopen its last ticket or make one.

    Or say why there is none. ``again``: the alert waited for this decision.
    """
    if rmm.host.tickets is None:
        record.steps.append({"code": "record_only", "reason": "this PSA takes no tickets"})
        record.outcome = Outcome.RECORDED_ONLY
        return
    last_ticket, count = _fired(session, facts, event, record, again=again)
    if last_ticket and _joined(rmm, session, facts, event, record, last_ticket, count):
        return
    held_before = again and facts.row["hold_until"] is not None
    waits = not held_before and _held(event, record, rule)
    may_reopen = last_ticket and not waits and ticket_failure is None
    if may_reopen and _reopened(rmm, session, facts, event, record, rule, str(last_ticket), count):
        return
    if waits or _has_obstacle(rmm, facts, record, rule, routing, ticket_failure):
        if last_ticket and not again:
            # It is not on the ticket that was closed before it, so it does not count there.
            record.link_ticket_id, record.link_count = last_ticket, count - 1
        return
    _create_by_rule(rmm, session, facts, event, record, rule, routing)


def _has_obstacle(
    rmm: Rmm, facts: Facts, record: Record, rule: Rule, routing: Routing, ticket_failure: str | None
) -> bool:
    """Whether no ticket can be made now; then the alert needs attention."""
    is_routed = uses_routing(rule)
    missing = lacks(rmm, facts.provider, routing) if is_routed else ()
    if missing:
        _needs_attention(record, ROUTING_INCOMPLETE, {"code": "routing_incomplete", "lacks": list(missing)})
    elif facts.client_id is None and not is_routed:
        _needs_attention(record, NO_CLIENT, {"code": "no_client", "organization": facts.organization})
    elif ticket_failure is not None:
        _needs_attention(record, TICKET_FAILED, {"code": "ticket_failed", "reason": ticket_failure})
    else:
        return False
    return True


def _fired(
    session: Session, facts: Facts, event: AlertEvent, record: Record, *, again: bool
) -> tuple[str | None, int]:
    """Hold the condition's row: its last ticket, and which firing on that ticket this one would be."""
    key = record.values["dedup_key"]
    if not again:
        return count_occurrence(session, facts.tenant_id, facts.integration_id, key, event.occurred_at)
    last_ticket, count = claim_condition(session, facts.tenant_id, facts.integration_id, key)
    # Written with the alert, and only if it gets onto the ticket: looking again is no firing.
    record.link_count = count + 1
    return last_ticket, count + 1


def _joined(
    rmm: Rmm, session: Session, facts: Facts, event: AlertEvent, record: Record, ticket_id: str, count: int
) -> bool:
    assert rmm.host.tickets is not None
    note = ticket_text.occurrence_note(count, event.external_id, event.message)
    found = rmm.host.tickets.note_if_open(session, facts.tenant_id, ticket_id, facts.client_id, note)
    if found is None:
        return False
    _is_on(record, found)
    record.steps.append(
        {"code": "joined_ticket", "number": found.number, "ticket_id": found.id, "count": count}
    )
    record.outcome = Outcome.OCCURRENCE_APPENDED
    return True


def _held(event: AlertEvent, record: Record, rule: Rule) -> bool:
    """Wait with a ticket until the alert has lasted as long as the rule wants."""
    minutes: int = rule.actions["holdMinutes"] if rule.actions else 0
    until = event.occurred_at + timedelta(minutes=minutes)
    if not minutes or until <= utc_now():
        return False
    record.values["hold_until"] = until
    record.steps.append({"code": "held", "minutes": minutes, "until": until.isoformat()})
    record.outcome = Outcome.HELD
    return True


def _reopened(
    rmm: Rmm,
    session: Session,
    facts: Facts,
    event: AlertEvent,
    record: Record,
    rule: Rule,
    ticket_id: str,
    count: int,
) -> bool:
    """Go on with the condition's last ticket where it was closed so shortly before as the rule says."""
    minutes: int = rule.actions["reopenWithinMinutes"] if rule.actions else 0
    if not minutes:
        return False
    assert rmm.host.tickets is not None
    since = event.occurred_at - timedelta(minutes=minutes)
    note = ticket_text.reopened_note(count, event.external_id, event.message)
    found = rmm.host.tickets.reopen_if_closed_since(
        session, facts.tenant_id, ticket_id, facts.client_id, since, note
    )
    if found is None:
        return False
    _is_on(record, found)
    record.steps.append(
        {"code": "ticket_reopened", "number": found.number, "ticket_id": found.id, "minutes": minutes}
    )
    record.outcome = Outcome.TICKET_REOPENED
    return True


def _is_on(record: Record, ticket: TicketRef) -> None:
    record.values["ticket_id"] = ticket.id
    if record.link_count is not None:
        record.link_ticket_id = ticket.id
    _tell_link(record, "ticket_linked")


def _create_by_rule(
    rmm: Rmm, session: Session, facts: Facts, event: AlertEvent, record: Record, rule: Rule, routing: Routing
) -> None:
    assert rule.actions is not None
    goes = place(routing, rule.actions, facts.client_id, event.severity)
    create_ticket(rmm, session, facts, event, record, rule.actions, rule.name, goes)
    record.values["auto_ticket_created"] = True
    if rule.actions["notifyUserIds"]:
        record.followups["notify"] = rule.actions["notifyUserIds"]


def create_ticket(
    rmm: Rmm,
    session: Session,
    facts: Facts,
    event: AlertEvent,
    record: Record,
    actions: dict[str, Any],
    rule_name: str | None,
    goes: Place,
    *,
    by: str | None = None,
) -> TicketRef:
    """Make the ticket at its place, with the assignee and templates of ``actions``.

    ``by`` is the person who asked for it; without one a rule did.
    """
    assert rmm.host.tickets is not None
    texts = ticket_facts(rmm, session, facts, event, rule_name, is_unmapped=goes.is_unmapped)
    if goes.is_unmapped:
        _has_fallback(rmm, session, facts.tenant_id, goes.client_id)
    title, description = ticket_text.words(texts, actions["ticketTemplate"])
    draft = TicketDraft(
        idempotency_key=f"rmm-alert:{record.alert_id}:{record.episode}",
        title=title,
        description=description,
        client_id=goes.client_id,
        source=facts.provider,
        source_reference=event.external_id,
        contact_id=None if goes.is_unmapped else _contact(rmm, session, facts, goes.client_id),
        asset_id=None if goes.is_unmapped else facts.row["asset_id"],
        note=ticket_text.creation_note(texts, by),
        **filed(rmm, session, goes, event.severity, actions["assignToUserId"], record),
    )
    ticket = rmm.host.tickets.create(session, facts.tenant_id, draft)
    record.values |= {
        "ticket_id": ticket.id,
        "generated_title": title,
        "generated_description": description,
    }
    record.link_ticket_id, record.link_count = ticket.id, 1
    _tell_link(record, "ticket_created", "ticket_linked")
    record.steps.append({"code": "ticket_created", "number": ticket.number, "ticket_id": ticket.id})
    record.outcome = Outcome.TICKET_CREATED
    return ticket


def _tell_link(record: Record, *signals: str) -> None:
    # With the ticket of this moment: the alert may have another one when the events are told.
    record.followups["ticket_id"] = record.values["ticket_id"]
    record.followups.setdefault("signals", []).extend(signals)


def ticket_facts(
    rmm: Rmm,
    session: Session,
    facts: Facts,
    event: AlertEvent,
    rule_name: str | None,
    *,
    is_unmapped: bool = False,
) -> ticket_text.TicketFacts:
    """What the ticket's texts may speak of; ``is_unmapped``: it is the fallback client's."""
    vitals = facts.vitals
    client = None
    if facts.client_id:
        found = rmm.host.clients.get_many(session, facts.tenant_id, [facts.client_id])
        client = found[facts.client_id].name if facts.client_id in found else None
    return ticket_text.TicketFacts(
        provider=facts.provider,
        external_alert_id=event.external_id,
        external_device_id=event.external_device_id,
        device_name=event.device_name or facts.row["device_name"],
        severity=event.severity,
        alert_class=event.alert_class,
        activity_type=event.activity_type,
        message=event.message,
        triggered_at=event.occurred_at,
        organization=facts.row["organization_name"],
        external_organization_id=event.external_organization_id,
        client=client,
        location=vitals.get("location"),
        lan_ip=vitals.get("lan_ip"),
        wan_ip=vitals.get("wan_ip"),
        last_user=vitals.get("current_user") or vitals.get("last_user"),
        rule=rule_name,
        link=_device_link(rmm, facts),
        title=event.title,
        report=event.report,
        is_unmapped=is_unmapped,
    )


def _has_fallback(rmm: Rmm, session: Session, tenant_id: str, client_id: str) -> None:
    """Refuse for good, until somebody chooses another one, what would be made for a client that is gone."""
    if not rmm.host.clients.get_many(session, tenant_id, [client_id]):
        raise HostRejected(
            "The fallback client of the connection's routing does not exist any more. Choose another one."
        )


def _contact(rmm: Rmm, session: Session, facts: Facts, client_id: str) -> str | None:
    if rmm.host.contacts is None:
        return None
    preferred = facts.row["default_contact_id"]
    return rmm.host.contacts.for_ticket(session, facts.tenant_id, client_id, preferred)


def _needs_attention(record: Record, reason: str, step: dict[str, Any]) -> None:
    record.values["attention"] = reason
    record.values["attention_at"] = utc_now()
    record.steps.append(step)
    record.outcome = Outcome.RECORDED_ONLY


def _device_link(rmm: Rmm, facts: Facts) -> str | None:
    if facts.row["device_id"] is None or rmm.settings.public_url is None:
        return None
    return f"{rmm.settings.public_url}{rmm.settings.url_prefix}/devices/{facts.row['device_id']}"
