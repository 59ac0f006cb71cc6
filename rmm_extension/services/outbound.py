"""Alerts are reset at the vendor: a person closed their ticket, or asked for it. The answer is a receipt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import InvalidRequest, NotFound
from rmm_extension.domain.types import (
    AlertEvent,
    AlertKind,
    AlertStatus,
    Channel,
    Connection,
    Outcome,
    Receipt,
)
from rmm_extension.host import Actor
from rmm_extension.models import Alert, AlertRule, utc_now
from rmm_extension.providers.capabilities import ResetsAlert

from . import outbox, runs
from .context import Rmm
from .followups import RESET_AGAIN
from .ingest.facts import Facts
from .ingest.pipeline import SimultaneousDelivery
from .ingest.stored import load
from .ingest.write import OVER, Record, change, change_as_seen
from .inventory.load import open_connection
from .runs import Run
from .unit import unit

RESET_FAILED = "reset_failed"
"""Under Needs attention: the vendor did not resolve the alert."""
TRIES = 5


def start_reset(session: Session, actor: Actor, integration_id: UUID, alert_id: UUID) -> UUID | None:
    """Queue asking the vendor to resolve this alert; ``None`` when it is being asked already."""
    return runs.try_start(
        session,
        actor,
        "alert_reset",
        integration_id=integration_id,
        subject={"alert_ids": [str(alert_id)]},
        exclusive_key=f"alert_reset:{alert_id}",
    )


def wish_reset(session: Session, actor: Actor, integration_id: UUID, alert_id: UUID) -> None:
    """As :func:`start_reset`; where the vendor is being asked about what was before, once more after that."""
    if start_reset(session, actor, integration_id, alert_id) is None:
        payload = {"integration_id": str(integration_id), "alert_id": str(alert_id)}
        payload |= {"actor_id": actor.id, "actor": actor.name}
        outbox.put(session, actor.tenant_id, "alert_reset", payload, due_at=utc_now() + RESET_AGAIN)


def reset_wished(rmm: Rmm, session: Session, tenant_id: str, payload: dict[str, Any]) -> None:
    """Handler of the outbox: a wish that had to wait. The run itself sees whether it still holds."""
    actor = Actor(id=payload["actor_id"], name=payload["actor"], tenant_id=tenant_id)
    wish_reset(session, actor, UUID(payload["integration_id"]), UUID(payload["alert_id"]))


@dataclass(frozen=True, slots=True)
class _Meant:
    """An alert that a run is about, as it was when the vendor's part of the run began."""

    id: UUID
    external_id: str
    episode: int
    synthesized: bool
    is_allowed: bool


def reset_alerts(rmm: Rmm, run: Run) -> dict[str, Any]:
    """Reset, one by one, the alerts the run is about. Safe to repeat.

    The subject is a closed ticket (then its open alerts whose rule allows it), or ``alert_ids``.
    """
    assert run.integration_id is not None
    with unit(rmm) as session:
        if _is_open_again(rmm, session, run):
            return {"ticket_reopened": 1}
        meant = _meant(session, run)
    settled = list(run.cursor.get("settled", ()))
    left, nameless, waiting = _sorted(meant)
    for alert in left:
        _patiently(rmm, partial(_leave_alone, run=run, alert=alert, settled=settled))
    for alert in nameless:
        _patiently(rmm, partial(_resolve_here, run=run, alert_id=alert.id))
    counts = {"left_alone": len(left), "resolved_here": len(nameless)}
    if waiting or not meant:
        counts |= _reset_at_vendor(rmm, run, waiting, settled)
    return {name: count for name, count in counts.items() if count or name == "reset"}


def _reset_at_vendor(rmm: Rmm, run: Run, waiting: Sequence[_Meant], settled: list[str]) -> dict[str, int]:
    with unit(rmm) as session:
        _, connection, provider = open_connection(rmm, session, run.tenant_id, run.integration_id)
    if not isinstance(provider, ResetsAlert):
        return {"skipped": len(waiting)}
    asked = accepted = 0
    for alert in waiting:
        if asked and _was_reopened(rmm, run):
            return {"reset": accepted, "refused": asked - accepted, "ticket_reopened": 1}
        receipt = _ask(provider, connection, alert.external_id)
        asked += 1
        accepted += receipt.accepted
        settled.append(str(alert.id))
        _take_receipt(rmm, run, alert, receipt, asked, len(waiting), settled)
    return {"reset": accepted, "refused": asked - accepted}


def _was_reopened(rmm: Rmm, run: Run) -> bool:
    """Asked between two alerts: the vendor may take its time with each."""
    with unit(rmm) as session:
        return _is_open_again(rmm, session, run)


def tell_failure(rmm: Rmm, session: Session, run: Run, message: str) -> None:
    """The reset was given up: say so on the ticket and list the alerts under Needs attention."""
    _, _, waiting = _sorted(_meant(session, run))
    for alert in waiting:
        _tell(rmm, session, run, alert, Receipt(accepted=False, message=message))


def _ask(provider: ResetsAlert, connection: Connection, external_id: str) -> Receipt:
    """The vendor's answer; what is wrong with one alert alone is a refusal and stops no other."""
    try:
        return provider.reset_alert(connection, external_id)
    except NotFound:
        return Receipt(accepted=True, message="The vendor does not list this alert any more.")
    except InvalidRequest as error:
        return Receipt(accepted=False, message=str(error), status=error.status)


def _is_open_again(rmm: Rmm, session: Session, run: Run) -> bool:
    """Whether a person or a new firing has reopened the ticket by now: what is on it is worked on again."""
    ticket_id = run.subject.get("ticket_id")
    if ticket_id is None or rmm.host.tickets is None:
        return False
    state = rmm.host.tickets.state(session, run.tenant_id, ticket_id)
    return state is not None and state.is_open


def _meant(session: Session, run: Run) -> list[_Meant]:
    """The run's alerts that are not settled yet."""
    rows = session.execute(
        select(
            Alert.id,
            Alert.external_id,
            Alert.episode,
            Alert.synthesized,
            Alert.rule_actions,
            AlertRule.id.label("rule_id"),
            AlertRule.actions,
        )
        .outerjoin(
            AlertRule,
            (AlertRule.tenant_id == Alert.tenant_id) & (AlertRule.id == Alert.matched_rule_id),
        )
        .where(Alert.tenant_id == run.tenant_id, Alert.integration_id == run.integration_id, *_subject(run))
        .order_by(Alert.id)
    )
    settled = run.cursor.get("settled", ())
    asked_for = "alert_ids" in run.subject
    return [
        _Meant(row.id, row.external_id, row.episode, row.synthesized, asked_for or _allowed(row))
        for row in rows
        if str(row.id) not in settled
    ]


def _sorted(meant: Sequence[_Meant]) -> tuple[list[_Meant], list[_Meant], list[_Meant]]:
    """Those that their rule leaves alone, those that have no id the vendor knows, those to be asked about."""
    left = [alert for alert in meant if not alert.is_allowed]
    nameless = [alert for alert in meant if alert.is_allowed and alert.synthesized]
    return left, nameless, [alert for alert in meant if alert.is_allowed and not alert.synthesized]


def _subject(run: Run) -> tuple[ColumnElement[bool], ...]:
    open_ones = Alert.status.in_((AlertStatus.ACTIVE, AlertStatus.ACKNOWLEDGED))
    if "alert_ids" not in run.subject:
        return (Alert.ticket_id == run.subject["ticket_id"], open_ones)
    # A new episode that began after the wish is not meant by it.
    wished = or_(Alert.resolved_here, Alert.attention == RESET_FAILED)
    return (Alert.id.in_([UUID(one) for one in run.subject["alert_ids"]]), wished)


def _allowed(row: Any) -> bool:
    """By the rule if it still exists, else by what it was when it matched; what says nothing means yes."""
    actions = row.rule_actions if row.rule_id is None else row.actions
    return not isinstance(actions, dict) or bool(actions.get("resetAlertOnTicketClose", True))


def _take_receipt(
    rmm: Rmm, run: Run, alert: _Meant, receipt: Receipt, number: int, total: int, settled: list[str]
) -> None:
    """Write the answer down with the run's progress."""

    def write(session: Session) -> None:
        _tell(rmm, session, run, alert, receipt)
        run.report(session, done=number, total=total, cursor={"settled": settled})

    _patiently(rmm, write)


def _patiently(rmm: Rmm, write: Callable[[Session], None]) -> None:
    """Write in a unit; again where a delivery came in between."""
    for left in reversed(range(TRIES)):
        try:
            with unit(rmm) as session:
                write(session)
                return
        except SimultaneousDelivery:
            if not left:
                raise


def _leave_alone(session: Session, run: Run, alert: _Meant, settled: list[str]) -> None:
    """Say in the alert's story why it goes on although its ticket is closed; once a run."""
    found = load(session, run.tenant_id, alert.id)
    if found is not None:
        facts, event = found
        record = Record.of(
            facts,
            event,
            Channel.MANUAL,
            {},
            {"code": "left_at_vendor", "by": run.actor.name},
            kind="vendor_reset",
            actor=run.actor.name,
            occurred_at=utc_now(),
            outcome=Outcome.SKIPPED,
        )
        change_as_seen(session, record, facts.seen)
    if str(alert.id) not in settled:
        settled.append(str(alert.id))
    run.report(session, cursor={"settled": settled})


def _resolve_here(session: Session, run: Run, alert_id: UUID) -> None:
    """End an alert that the vendor cannot be asked about: left open it would swallow what fails next."""
    found = load(session, run.tenant_id, alert_id)
    if found is None or not found[0].is_open or found[0].row["ticket_id"] != run.subject.get("ticket_id"):
        return
    facts, event = found
    now = utc_now()
    values = {"resolved_at": now, "resolved_by": run.actor.name, "resolved_here": True}
    record = Record.of(
        facts,
        event,
        Channel.MANUAL,
        {**OVER, "status": AlertStatus.RESOLVED, **values},
        {"code": "resolved_here", "by": run.actor.name},
        kind=AlertKind.RESET,
        actor=run.actor.name,
        occurred_at=now,
        outcome=Outcome.RESOLVED,
        followups={"signals": ["alert_resolved"]},
    )
    change_as_seen(session, record, facts.seen)


def _tell(rmm: Rmm, session: Session, run: Run, alert: _Meant, receipt: Receipt) -> None:
    """The receipt: a note on the ticket, the alert's new state, its history."""
    found = load(session, run.tenant_id, alert.id)
    if found is None:
        return
    facts, event = found
    ticket_id = run.subject.get("ticket_id") or facts.row["ticket_id"]
    # Ticket before alert: the order of locks that holds everywhere.
    if ticket_id is not None and rmm.host.tickets is not None:
        note = _note(run, event.external_id, receipt)
        rmm.host.tickets.add_note(session, run.tenant_id, ticket_id, note)
    if not (facts.is_open or facts.row["resolved_here"]) or facts.row["ticket_id"] != ticket_id:
        return
    # It ended and fired again while the vendor was asked: the answer is about what was before.
    if facts.row["episode"] != alert.episode:
        return
    record = _answered(run, facts, event, receipt)
    seen = {name: facts.row[name] for name in ("status", "ticket_id", "episode")}
    if not change(session, record, open_only=False, seen=seen):
        raise SimultaneousDelivery("The alert changed while the vendor's answer was written.")


def _answered(run: Run, facts: Facts, event: AlertEvent, receipt: Receipt) -> Record:
    """What the vendor's answer makes of the alert."""
    now = utc_now()
    step = {"code": "vendor_reset", "accepted": receipt.accepted, "message": receipt.message}
    record = Record.of(
        facts,
        event,
        Channel.MANUAL,
        {"attention": None, "attention_at": None},
        {**step, "by": run.actor.name},
        kind="vendor_reset",
        actor=run.actor.name,
        occurred_at=now,
        outcome=Outcome.RESOLVED if receipt.accepted else Outcome.SKIPPED,
    )
    if not receipt.accepted:
        record.values = {"attention": RESET_FAILED, "attention_at": now}
    elif facts.is_open:
        record.values = {
            **OVER,
            "status": AlertStatus.RESOLVED,
            "resolved_at": now,
            "last_event_at": max(now, facts.last_event_at),
            "resolved_by": run.actor.name,
        }
        record.followups = {"signals": ["alert_resolved"]}
    return record


def _note(run: Run, external_id: str, receipt: Receipt) -> str:
    if not receipt.accepted:
        return f"The alert {external_id} could not be reset at the vendor: {receipt.message}"
    if "ticket_id" in run.subject:
        return f"Alert reset at the vendor because {run.actor.name} closed the ticket. {receipt.message}"
    return f"Alert {external_id} resolved at the vendor for {run.actor.name}. {receipt.message}"
