"""Writing down what came of an action: its row, the audit, and the note on the ticket it was asked from."""

from __future__ import annotations

import logging

import psycopg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from rmm_extension.domain import action_words
from rmm_extension.domain.actions import Outcome, storable
from rmm_extension.domain.errors import HostError
from rmm_extension.domain.logline import line
from rmm_extension.host import Actor
from rmm_extension.models import ActionInvocation, DeviceRow, utc_now
from rmm_extension.services import audit, outbox
from rmm_extension.services.context import Rmm

from . import invocations, registry

log = logging.getLogger("rmm_extension")
NOT_NOTED = (HostError, SQLAlchemyError, psycopg.Error)
"""What a host may raise at the note: it keeps no result from being written."""


def write_surely(rmm: Rmm, session: Session, row: ActionInvocation, outcome: Outcome) -> None:
    """As :func:`write_result`; where the host takes no note, without it."""
    try:
        with session.begin_nested():
            write_result(rmm, session, row, outcome)
    except NOT_NOTED as error:
        log.warning(line("action.note_failed", invocation=row.id, error=type(error).__name__))
        write_result(rmm, session, row, outcome, noted=False)


def write_result(
    rmm: Rmm, session: Session, row: ActionInvocation, outcome: Outcome, *, noted: bool = True
) -> None:
    """Close the action, in the caller's transaction; ``noted`` also tells its ticket, if that exists.

    A workflow that asked for it goes on after the commit.
    """
    outcome = storable(outcome)
    device = session.get(DeviceRow, (row.tenant_id, row.device_id)) if row.device_id else None
    where = device.name if device else ""
    # First, for it may fail: nothing of the result is then written.
    if noted and row.ticket_id is not None:
        _note(rmm, session, row, outcome, where)
    row.state, row.output = outcome.state, outcome.output
    row.error_code, row.message = outcome.error_code, outcome.message
    row.finished_at = utc_now()
    for name, value in invocations.OVER.items():
        setattr(row, name, value)
    _audit(session, row, outcome, where)
    if row.workflow_run_id is not None:
        outbox.put(session, row.tenant_id, "workflow_action_over", {"invocation_id": str(row.id)})


def _note(rmm: Rmm, session: Session, row: ActionInvocation, outcome: Outcome, device: str) -> None:
    port = rmm.host.tickets
    assert row.ticket_id is not None
    if port is None or port.state(session, row.tenant_id, row.ticket_id) is None:
        return
    try:
        label = registry.get(rmm, row.action).label
    except registry.UnknownAction:
        label = row.action
    note = action_words.note(row.actor_name, label, device, outcome)
    port.add_note(session, row.tenant_id, row.ticket_id, note)


def _audit(session: Session, row: ActionInvocation, outcome: Outcome, device: str) -> None:
    audit.record(
        session,
        Actor(id=row.actor_id, name=row.actor_name, tenant_id=row.tenant_id),
        "action.finished",
        subject_type="device" if row.device_id else "connection",
        subject_id=row.device_id or row.integration_id,
        subject_name=device,
        integration_id=row.integration_id,
        changes={
            "action": row.action,
            "invocation": str(row.id),
            "state": outcome.state.value,
            "error_code": outcome.error_code,
        },
    )
