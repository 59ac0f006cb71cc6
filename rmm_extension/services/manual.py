"""What people do with alerts: take them on, end them here, ask for a ticket, have something tried again.

Each alert is dealt with in a transaction of its own, so that one that is refused keeps no other back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from rmm_extension.domain import story, ticket_text
from rmm_extension.domain.connection_states import standing, works
from rmm_extension.domain.errors import ConfigError, HostError
from rmm_extension.domain.labels import provider_label
from rmm_extension.domain.routing import NO_ROUTING, place
from rmm_extension.domain.types import AlertEvent, AlertKind, AlertStatus, Channel, Outcome
from rmm_extension.host import Actor, TicketRef, TicketState
from rmm_extension.models import Alert, AlertCondition, utc_now
from rmm_extension.providers.capabilities import ResetsAlert

from . import audit
from .context import Rmm
from .decisions import TRIES, decide_stored
from .ingest.condition import claim_condition
from .ingest.ending import end_ticket, is_quiet
from .ingest.facts import Facts
from .ingest.pipeline import Ingested, SimultaneousDelivery
from .ingest.stored import ATTENTION, load
from .ingest.ticket import NO_CLIENT, ROUTING_INCOMPLETE, TICKET_FAILED, create_ticket
from .ingest.write import OVER, Record, change_as_seen
from .outbound import RESET_FAILED, start_reset, wish_reset
from .unit import unit
from .webhooks import is_passing

TICKET = "ticket"
"""The kind of event in the history when a person asks for a ticket."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An alert that was left alone, and why, in a sentence."""

    alert_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class Done:
    """How many alerts were dealt with, which were not, and the tickets they are on now."""

    done: int
    refused: tuple[Refused, ...] = ()
    tickets: tuple[TicketRef, ...] = ()


@dataclass(frozen=True, slots=True)
class TicketChoice:
    """What a person wants of a ticket; ``None`` leaves it to the severity and the host."""

    board_id: str | None = None
    priority_id: str | None = None
    assignee_id: str | None = None
    title_template: str | None = None
    description_template: str | None = None

    @property
    def actions(self) -> dict[str, Any]:
        """The same as a rule says it."""
        templates = {"titleTemplate": self.title_template, "descriptionTemplate": self.description_template}
        return {
            "boardId": self.board_id,
            "priorityOverride": self.priority_id,
            "assignToUserId": self.assignee_id,
            "ticketTemplate": {name: value for name, value in templates.items() if value},
        }


class _Refusal(Exception):
    """The alert is left alone; the message is a sentence for the person."""


Act = Callable[[Session, Facts, AlertEvent], TicketRef | None]


def acknowledge(rmm: Rmm, actor: Actor, alert_ids: Iterable[UUID]) -> Done:
    """Note that the actor takes the alerts on. Only here: no vendor is told.

    One that is suppressed stays to be decided when its window ends, and is acknowledged then too.
    """

    def act(session: Session, facts: Facts, event: AlertEvent) -> None:
        if facts.row["status"] not in (AlertStatus.ACTIVE, AlertStatus.SUPPRESSED):
            raise _Refusal(f"Only an active or suppressed alert can be acknowledged; {_state(facts)}.")
        values = {
            "status": AlertStatus.ACKNOWLEDGED,
            "acknowledged_at": utc_now(),
            "acknowledged_by": actor.name,
        }
        step = {"code": "acknowledged", "by": actor.name}
        record = _record(facts, event, actor, AlertKind.ACKNOWLEDGED, values, step)
        record.outcome = Outcome.ACKNOWLEDGED
        record.followups = {"signals": ["alert_acknowledged"]}
        change_as_seen(session, record, facts.seen)

    return _each(rmm, actor, alert_ids, act)


def resolve(rmm: Rmm, actor: Actor, alert_ids: Iterable[UUID], *, at_vendor: bool) -> Done:
    """End the alerts here, their tickets by the same rules as a vendor's reset.

    They stay resolved while the vendor goes on listing them. With ``at_vendor`` a job also asks the vendor to
    resolve them; where that cannot be asked, nothing is done.
    """

    def act(session: Session, facts: Facts, event: AlertEvent) -> None:
        if not facts.is_open:
            raise _Refusal("The alert is resolved already.")
        if at_vendor:
            _may_ask_vendor(rmm, facts)
        note = ticket_text.resolved_here_note(actor.name, event.external_id)
        ending = end_ticket(rmm, session, facts, note)
        values = {
            **OVER,
            "status": ending.status,
            "resolved_at": utc_now(),
            "resolved_by": actor.name,
            "resolved_here": True,
        }
        step = {"code": "resolved_here", "by": actor.name}
        record = _record(facts, event, actor, AlertKind.RESET, values, step, *ending.steps)
        record.outcome = Outcome.RESOLVED
        record.followups = {} if is_quiet(session, facts) else {"signals": ["alert_resolved"]}
        change_as_seen(session, record, facts.seen)
        if at_vendor:
            _note_wish(session, actor, facts, event)
            wish_reset(session, actor, facts.integration_id, facts.alert_id)

    return _each(rmm, actor, alert_ids, act)


def create_tickets(
    rmm: Rmm, actor: Actor, alert_ids: Iterable[UUID], choice: TicketChoice = TicketChoice()
) -> Done:
    """Put each alert on a ticket: the open one of its condition, else a new one as chosen.

    A resolved alert may get one too: somebody wants to follow it up.
    """

    def act(session: Session, facts: Facts, event: AlertEvent) -> TicketRef:
        if facts.row["ticket_id"] is not None:
            raise _Refusal("Alert already has a linked ticket")
        if rmm.host.tickets is None:
            raise _Refusal("This PSA takes no tickets.")
        if facts.client_id is None:
            raise _Refusal("No client resolvable for this alert (unmapped asset and organization)")
        step = {"code": "ticket_requested", "by": actor.name}
        record = _record(facts, event, actor, TICKET, _unsuppressed(facts), step)
        key = record.values["dedup_key"]
        last, _ = claim_condition(session, facts.tenant_id, facts.integration_id, key)
        ticket = _join(rmm, session, facts, event, record, last) if last else None
        if ticket is None:
            goes = place(NO_ROUTING, choice.actions, facts.client_id, event.severity)
            ticket = create_ticket(
                rmm, session, facts, event, record, choice.actions, None, goes, by=actor.name
            )
        change_as_seen(session, record, facts.seen)
        return ticket

    return _each(rmm, actor, alert_ids, act)


def joinable(rmm: Rmm, session: Session, tenant_id: str, alert_id: UUID) -> TicketState | None:
    """The open ticket that :func:`create_tickets` would join, so that the page can say so before."""
    on_condition = (
        (AlertCondition.tenant_id == Alert.tenant_id)
        & (AlertCondition.integration_id == Alert.integration_id)
        & (AlertCondition.dedup_key == Alert.dedup_key)
    )
    row = session.execute(
        select(Alert.client_id, AlertCondition.ticket_id)
        .join(AlertCondition, on_condition)
        .where(Alert.tenant_id == tenant_id, Alert.id == alert_id, Alert.ticket_id.is_(None))
    ).first()
    if row is None or row.ticket_id is None or rmm.host.tickets is None:
        return None
    state = rmm.host.tickets.state(session, tenant_id, row.ticket_id)
    fits = state is not None and state.is_open and row.client_id in (None, state.client_id)
    return state if fits else None


def retry_ticket(rmm: Rmm, actor: Actor, alert_id: UUID) -> Done:
    """Decide now, by windows and rules, on an alert that waits for a client or for the host's consent."""
    step = {"code": "tried_again", "by": actor.name}
    done = decide_stored(
        rmm,
        actor.tenant_id,
        alert_id,
        channel=Channel.MANUAL,
        waiting_for=ATTENTION,
        steps=(step,),
        actor=actor.name,
    )
    with unit(rmm) as session:
        if done is None or done.ticket_id is None or rmm.host.tickets is None:
            return Done(0, (Refused(alert_id, _why_no_ticket(session, actor.tenant_id, alert_id, done)),))
        state = rmm.host.tickets.state(session, actor.tenant_id, done.ticket_id)
    return Done(1, tickets=(TicketRef(state.id, state.number),) if state else ())


def retry_reset(rmm: Rmm, actor: Actor, alert_id: UUID) -> UUID | None:
    """Ask the vendor once more to resolve an alert it would not; the run, or ``None`` where none is due."""
    with unit(rmm) as session:
        found = load(session, actor.tenant_id, alert_id)
        if found is None or found[0].row["attention"] != RESET_FAILED:
            return None
        facts, event = found
        _note_wish(session, actor, facts, event)
        return start_reset(session, actor, facts.integration_id, facts.alert_id)


def _each(rmm: Rmm, actor: Actor, alert_ids: Iterable[UUID], act: Act) -> Done:
    refused: list[Refused] = []
    tickets: dict[str, TicketRef] = {}
    done = 0
    for alert_id in dict.fromkeys(alert_ids):
        try:
            ticket = _patiently(rmm, actor.tenant_id, alert_id, act)
        except (_Refusal, ConfigError, HostError) as problem:
            refused.append(Refused(alert_id, str(problem)))
            continue
        done += 1
        if ticket is not None:
            tickets[ticket.id] = ticket
    return Done(done, tuple(refused), tuple(tickets.values()))


def _patiently(rmm: Rmm, tenant_id: str, alert_id: UUID, act: Act) -> TicketRef | None:
    """Act on the alert as it is; where a delivery came in between, on what that made of it."""
    for _ in range(TRIES):
        try:
            with unit(rmm) as session:
                found = load(session, tenant_id, alert_id)
                if found is None:
                    raise _Refusal("Alert not found")
                return act(session, *found)
        except SimultaneousDelivery:
            continue
        except (DBAPIError, psycopg.Error) as error:
            if not is_passing(error):
                raise
    raise _Refusal("The alert is changing just now; try again.")


def _record(
    facts: Facts, event: AlertEvent, actor: Actor, kind: str, values: dict[str, Any], *steps: dict[str, Any]
) -> Record:
    return Record.of(
        facts, event, Channel.MANUAL, values, *steps, kind=kind, actor=actor.name, occurred_at=utc_now()
    )


def _unsuppressed(facts: Facts) -> dict[str, Any]:
    """The columns of an alert that waits for nothing any more; one that is resolved stays so."""
    status = facts.row["status"]
    return {
        **OVER,
        "status": AlertStatus.ACTIVE if status == AlertStatus.SUPPRESSED else status,
        "suppressed_by_window_id": None,
        # As they were read: a device that became known meanwhile is told to the ticket by the next sync.
        "device_id": facts.row["device_id"],
        "asset_id": facts.row["asset_id"],
        "client_id": facts.client_id,
        "dedup_key": facts.row["dedup_key"],
    }


def _join(
    rmm: Rmm, session: Session, facts: Facts, event: AlertEvent, record: Record, ticket_id: str
) -> TicketRef | None:
    """The condition's ticket, if it is open. Not counted: the condition did not fire."""
    assert rmm.host.tickets is not None
    note = ticket_text.linked_note(str(record.actor), event.external_id, event.message)
    found = rmm.host.tickets.note_if_open(session, facts.tenant_id, ticket_id, facts.client_id, note)
    if found is None:
        return None
    record.values["ticket_id"] = found.id
    record.followups = {"signals": ["ticket_linked"]}
    record.steps.append({"code": "joined_ticket", "number": found.number, "ticket_id": found.id})
    record.outcome = Outcome.OCCURRENCE_APPENDED
    return found


def _may_ask_vendor(rmm: Rmm, facts: Facts) -> None:
    vendor = provider_label(facts.provider)
    if not isinstance(rmm.providers.get(facts.provider), ResetsAlert):
        raise _Refusal(f"{vendor} cannot be asked to resolve an alert; resolve it here only.")
    if facts.row["synthesized"]:
        raise _Refusal(f"{vendor} gave this alert no number to resolve it by; resolve it here only.")
    if not works(facts.state):
        raise _Refusal(f"The connection to {vendor} {standing(facts.state)}; resolve the alert here only.")


def _note_wish(session: Session, actor: Actor, facts: Facts, event: AlertEvent) -> None:
    audit.record(
        session,
        actor,
        "alert.vendor_reset",
        subject_type="alert",
        subject_id=facts.alert_id,
        subject_name=event.device_name or event.external_id,
        integration_id=facts.integration_id,
    )


def _why_no_ticket(session: Session, tenant_id: str, alert_id: UUID, done: Ingested | None) -> str:
    row = session.execute(
        select(Alert.attention).where(Alert.tenant_id == tenant_id, Alert.id == alert_id)
    ).first()
    if row is None:
        return "Alert not found"
    if row.attention in (NO_CLIENT, ROUTING_INCOMPLETE, TICKET_FAILED):
        return story.attention(row.attention)
    if done is None:
        return "The alert does not wait for a ticket any more."
    return _INSTEAD.get(done.outcome, "By the rules of now the alert makes no ticket.")


_INSTEAD: dict[str, str] = {
    Outcome.SUPPRESSED: "The alert is in a maintenance window now; it is decided when that ends.",
    Outcome.HELD: "The rule of now waits whether the alert lasts before it makes a ticket.",
}


def _state(facts: Facts) -> str:
    return f"this one is {str(facts.row['status']).replace('_', ' ')}"
