"""What may be done with one alert by somebody's wish: taken on, ended here, put on a ticket.

Each is done in the caller's transaction, on the alert as it was read there: where a delivery came in between,
nothing is written, and :func:`act_on` reads anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from rmm_extension.domain import ticket_text
from rmm_extension.domain.connection_states import standing, works
from rmm_extension.domain.errors import Conflict
from rmm_extension.domain.labels import provider_label
from rmm_extension.domain.routing import NO_ROUTING, place
from rmm_extension.domain.types import AlertEvent, AlertKind, AlertStatus, Channel, Outcome
from rmm_extension.host import Actor, TicketRef
from rmm_extension.models import utc_now
from rmm_extension.providers.capabilities import ResetsAlert

from . import audit
from .context import Rmm
from .decisions import TRIES
from .ingest.condition import claim_condition
from .ingest.ending import end_ticket, is_quiet
from .ingest.facts import Facts
from .ingest.pipeline import SimultaneousDelivery
from .ingest.stored import load
from .ingest.ticket import create_ticket as make_ticket
from .ingest.write import OVER, Record, change_as_seen
from .outbound import wish_reset
from .webhooks import is_passing

TICKET = "ticket"
"""The kind of event in the history when somebody asks for a ticket."""


class AlertRefused(Conflict):
    """The alert is left alone; the message is a sentence for the person."""


class UnknownAlert(AlertRefused):
    """The tenant has no such alert."""

    def __init__(self) -> None:
        super().__init__("Alert not found")


class AlreadySo(AlertRefused):
    """Somebody did the same before."""


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


NO_CHOICE = TicketChoice()
"""Everything is left to the severity and the host."""

Act = Callable[[Session, Facts, AlertEvent], TicketRef | None]
"""Does something with an alert that was read in this session; raises ``AlertRefused``."""


def act_on(session: Session, tenant_id: str, alert_id: UUID, act: Act) -> TicketRef | None:
    """Act on the alert as it is; where a delivery came in between, on what that made of it.

    All of it or, when it raises, nothing is in the caller's transaction.
    """
    for _ in range(TRIES):
        try:
            with session.begin_nested():
                found = load(session, tenant_id, alert_id)
                if found is None:
                    raise UnknownAlert()
                return act(session, *found)
        except SimultaneousDelivery:
            continue
        except (DBAPIError, psycopg.Error) as error:
            if not is_passing(error):
                raise
    raise AlertRefused("The alert is changing just now; try again.")


def acknowledging(actor: Actor) -> Act:
    """Note that the actor takes the alert on. Only here: no vendor is told.

    One that is suppressed stays to be decided when its window ends, and is acknowledged then too.
    """

    def act(session: Session, facts: Facts, event: AlertEvent) -> None:
        _may_acknowledge(facts)
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

    return act


def resolving(rmm: Rmm, actor: Actor, *, at_vendor: bool) -> Act:
    """End the alert here, its ticket by the same rules as a vendor's reset.

    It stays resolved while the vendor goes on listing it. With ``at_vendor`` a job also asks the vendor to
    resolve it; where that cannot be asked, nothing is done.
    """

    def act(session: Session, facts: Facts, event: AlertEvent) -> None:
        if not facts.is_open:
            raise AlreadySo("The alert is resolved already.")
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
        record.followups = ending.told({} if is_quiet(session, facts) else {"signals": ["alert_resolved"]})
        change_as_seen(session, record, facts.seen)
        if at_vendor:
            note_wish(session, actor, facts, event)
            wish_reset(session, actor, facts.integration_id, facts.alert_id)

    return act


def putting_on_ticket(rmm: Rmm, actor: Actor, choice: TicketChoice) -> Act:
    """Put the alert on a ticket: the open one of its condition, else a new one as chosen.

    A resolved alert may get one too: somebody wants to follow it up.
    """

    def act(session: Session, facts: Facts, event: AlertEvent) -> TicketRef:
        if facts.row["ticket_id"] is not None:
            raise AlreadySo("Alert already has a linked ticket")
        if rmm.host.tickets is None:
            raise AlertRefused("This PSA takes no tickets.")
        if facts.client_id is None:
            raise AlertRefused("No client resolvable for this alert (unmapped asset and organization)")
        step = {"code": "ticket_requested", "by": actor.name}
        record = _record(facts, event, actor, TICKET, _unsuppressed(facts), step)
        key = record.values["dedup_key"]
        last, _ = claim_condition(session, facts.tenant_id, facts.integration_id, key)
        ticket = _join(rmm, session, facts, event, record, last) if last else None
        if ticket is None:
            goes = place(NO_ROUTING, choice.actions, facts.client_id, event.severity)
            ticket = make_ticket(
                rmm, session, facts, event, record, choice.actions, None, goes, by=actor.name
            )
        change_as_seen(session, record, facts.seen)
        return ticket

    return act


def note_wish(session: Session, actor: Actor, facts: Facts, event: AlertEvent) -> None:
    """Write down that the actor has the vendor asked to resolve the alert."""
    audit.record(
        session,
        actor,
        "alert.vendor_reset",
        subject_type="alert",
        subject_id=facts.alert_id,
        subject_name=event.device_name or event.external_id,
        integration_id=facts.integration_id,
    )


def _may_acknowledge(facts: Facts) -> None:
    status = AlertStatus(facts.row["status"])
    if status in (AlertStatus.ACTIVE, AlertStatus.SUPPRESSED):
        return
    state = f"this one is {str(facts.row['status']).replace('_', ' ')}"
    kind = AlreadySo if status is AlertStatus.ACKNOWLEDGED else AlertRefused
    raise kind(f"Only an active or suppressed alert can be acknowledged; {state}.")


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
        raise AlertRefused(f"{vendor} cannot be asked to resolve an alert; resolve it here only.")
    if facts.row["synthesized"]:
        raise AlertRefused(f"{vendor} gave this alert no number to resolve it by; resolve it here only.")
    if not works(facts.state):
        raise AlertRefused(
            f"The connection to {vendor} {standing(facts.state)}; resolve the alert here only."
        )
