"""A ticket was closed by a person: its alerts are reset at the vendor, with a receipt on the ticket."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import InvalidRequest, NotFound
from rmm_extension.domain.types import AlertStatus, Channel, Connection, Outcome, Receipt
from rmm_extension.models import Alert, AlertRule, utc_now
from rmm_extension.providers.contract import ResetsAlert

from .context import Rmm
from .ingest.write import Record, change
from .inventory.load import open_connection
from .runs import Run
from .unit import unit


def reset_alerts(rmm: Rmm, run: Run) -> dict[str, Any]:
    """Reset, one by one, the ticket's open alerts whose rule allows it. Safe to repeat."""
    assert run.integration_id is not None
    with unit(rmm) as session:
        waiting = _waiting(session, run)
        _, connection, provider = open_connection(rmm, session, run.tenant_id, run.integration_id)
    if not isinstance(provider, ResetsAlert):
        return {"skipped": len(waiting)}
    accepted = 0
    for number, (alert_id, external_id) in enumerate(waiting, 1):
        receipt = _ask(provider, connection, external_id)
        accepted += receipt.accepted
        with unit(rmm) as session:
            if receipt.accepted:
                _take_receipt(rmm, session, run, alert_id, receipt)
            else:
                _tell_refusal(rmm, session, run, alert_id, external_id, receipt.message)
            run.report(session, done=number, total=len(waiting))
    refused = len(waiting) - accepted
    return {"reset": accepted, **({"refused": refused} if refused else {})}


def tell_failure(rmm: Rmm, session: Session, run: Run, message: str) -> None:
    """The reset was given up: say so on the ticket and list the alerts under Needs attention."""
    for alert_id, external_id in _waiting(session, run):
        _tell_refusal(rmm, session, run, alert_id, external_id, message)


def _ask(provider: ResetsAlert, connection: Connection, external_id: str) -> Receipt:
    """The vendor's answer; what is wrong with one alert alone is a refusal and stops no other."""
    try:
        return provider.reset_alert(connection, external_id)
    except NotFound:
        return Receipt(accepted=True, message="The vendor does not list this alert any more.")
    except InvalidRequest as error:
        return Receipt(accepted=False, message=str(error), status=error.status)


def _tell_refusal(
    rmm: Rmm, session: Session, run: Run, alert_id: UUID, external_id: str, message: str
) -> None:
    record = _record(run, alert_id, {"attention": "reset_failed", "attention_at": utc_now()})
    record.outcome = Outcome.SKIPPED
    record.steps = [{"code": "vendor_reset", "accepted": False, "message": message, "by": run.actor.name}]
    if rmm.host.tickets is not None:
        note = f"The alert {external_id} could not be reset at the vendor: {message}"
        rmm.host.tickets.add_note(session, run.tenant_id, run.subject["ticket_id"], note)
    change(session, record, seen={"ticket_id": run.subject["ticket_id"]})


def _waiting(session: Session, run: Run) -> list[tuple[UUID, str]]:
    rows = session.execute(
        select(
            Alert.id, Alert.external_id, Alert.rule_actions, AlertRule.id.label("rule_id"), AlertRule.actions
        )
        .outerjoin(
            AlertRule,
            (AlertRule.tenant_id == Alert.tenant_id) & (AlertRule.id == Alert.matched_rule_id),
        )
        .where(
            Alert.tenant_id == run.tenant_id,
            Alert.integration_id == run.integration_id,
            Alert.ticket_id == run.subject["ticket_id"],
            Alert.status.in_((AlertStatus.ACTIVE, AlertStatus.ACKNOWLEDGED)),
            Alert.synthesized.is_(False),
        )
        .order_by(Alert.id)
    )
    return [(row.id, row.external_id) for row in rows if _allowed(row)]


def _allowed(row: Any) -> bool:
    """By the rule if it still exists, else by what it was when it matched; what says nothing means yes."""
    actions = row.rule_actions if row.rule_id is None else row.actions
    return not isinstance(actions, dict) or bool(actions.get("resetAlertOnTicketClose", True))


def _take_receipt(rmm: Rmm, session: Session, run: Run, alert_id: UUID, receipt: Receipt) -> None:
    now = utc_now()
    record = _record(
        run,
        alert_id,
        {
            "status": AlertStatus.RESOLVED,
            "resolved_at": now,
            "last_event_at": now,
            "resolved_by": run.actor.name,
            "attention": None,
            "attention_at": None,
        },
    )
    record.followups = {"signals": ["alert_resolved"]}
    record.steps = [
        {
            "code": "vendor_reset",
            "accepted": receipt.accepted,
            "message": receipt.message,
            "by": run.actor.name,
        }
    ]
    # Ticket before alert: the order of locks that holds everywhere.
    if rmm.host.tickets is not None:
        note = f"Alert reset at the vendor because {run.actor.name} closed the ticket. {receipt.message}"
        rmm.host.tickets.add_note(session, run.tenant_id, run.subject["ticket_id"], note)
    change(session, record, seen={"ticket_id": run.subject["ticket_id"]})


def _record(run: Run, alert_id: UUID, values: dict[str, Any]) -> Record:
    assert run.integration_id is not None
    return Record(
        tenant_id=run.tenant_id,
        integration_id=run.integration_id,
        alert_id=alert_id,
        external_id="",
        channel=Channel.MANUAL,
        kind="vendor_reset",
        occurred_at=utc_now(),
        outcome=Outcome.RESOLVED,
        actor=run.actor.name,
        values=values,
    )
