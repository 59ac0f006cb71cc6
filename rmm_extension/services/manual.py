"""What people do with alerts: take them on, end them here, ask for a ticket, have something tried again.

Each alert is dealt with in a transaction of its own, so that one that is refused keeps no other back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension.domain import story
from rmm_extension.domain.errors import ConfigError, HostError
from rmm_extension.domain.types import Channel, Outcome
from rmm_extension.host import Actor, TicketRef, TicketState
from rmm_extension.models import Alert, AlertCondition

from .alert_acts import (
    NO_CHOICE,
    Act,
    AlertRefused,
    TicketChoice,
    acknowledging,
    act_on,
    note_wish,
    putting_on_ticket,
    resolving,
)
from .context import Rmm
from .decisions import decide_stored
from .ingest.pipeline import Ingested
from .ingest.stored import ATTENTION, load
from .ingest.ticket import NO_CLIENT, ROUTING_INCOMPLETE, TICKET_FAILED
from .outbound import RESET_FAILED, start_reset
from .unit import unit


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


def acknowledge(rmm: Rmm, actor: Actor, alert_ids: Iterable[UUID]) -> Done:
    """Note that the actor takes the alerts on (:func:`.alert_acts.acknowledging`)."""
    return _each(rmm, actor, alert_ids, acknowledging(actor))


def resolve(rmm: Rmm, actor: Actor, alert_ids: Iterable[UUID], *, at_vendor: bool) -> Done:
    """End the alerts here, and ``at_vendor`` there (:func:`.alert_acts.resolving`)."""
    return _each(rmm, actor, alert_ids, resolving(rmm, actor, at_vendor=at_vendor))


def create_tickets(
    rmm: Rmm, actor: Actor, alert_ids: Iterable[UUID], choice: TicketChoice = NO_CHOICE
) -> Done:
    """Put each alert on a ticket (:func:`.alert_acts.putting_on_ticket`)."""
    return _each(rmm, actor, alert_ids, putting_on_ticket(rmm, actor, choice))


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
        note_wish(session, actor, facts, event)
        return start_reset(session, actor, facts.integration_id, facts.alert_id)


def _each(rmm: Rmm, actor: Actor, alert_ids: Iterable[UUID], act: Act) -> Done:
    refused: list[Refused] = []
    tickets: dict[str, TicketRef] = {}
    done = 0
    for alert_id in dict.fromkeys(alert_ids):
        try:
            with unit(rmm) as session:
                ticket = act_on(session, actor.tenant_id, alert_id, act)
        except (AlertRefused, ConfigError, HostError) as problem:
            refused.append(Refused(alert_id, str(problem)))
            continue
        done += 1
        if ticket is not None:
            tickets[ticket.id] = ticket
    return Done(done, tuple(refused), tuple(tickets.values()))


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
