"""Asking for an action: checked, written down, and handed to the workers in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from rmm_extension.domain.actions import ActionRefused, ActionState, ErrorCode, shown_input
from rmm_extension.domain.contracts.actions import secret_fields
from rmm_extension.domain.errors import Conflict
from rmm_extension.host import Actor
from rmm_extension.models import ActionInvocation, DeviceRow, new_id, utc_now
from rmm_extension.services import audit, runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.lease import PLAIN

from . import invocations
from .check import Allowed, check

KIND = "device_action"
LONGEST_KEY = 200


def request(
    rmm: Rmm,
    session: Session,
    actor: Actor,
    action_id: str,
    *,
    integration_id: UUID,
    device_id: UUID | None = None,
    input: Mapping[str, Any],  # noqa: A002 - what it is called everywhere
    ticket_id: str | None = None,
    idempotency_key: str | None = None,
    workflow_run_id: UUID | None = None,
) -> UUID:
    """Have an action done in the background; the id of the invocation, which tells how it goes.

    The same ``idempotency_key`` again is the first wish, whatever has become of it. With ``ticket_id`` the
    result is noted on that ticket; with ``workflow_run_id`` the engine is told when it is over. Raises as
    :func:`.check.check`, and ``Conflict`` for a key that was used for something else.
    """
    allowed = check(
        rmm, session, actor, action_id, integration_id=integration_id, device_id=device_id, value=input
    )
    _require_ticket(rmm, session, actor, ticket_id, allowed.device)
    row = _row(actor, allowed, ticket_id, idempotency_key)
    row.workflow_run_id = workflow_run_id
    invocations.seal(rmm, row, input)
    if not _insert(session, row):
        return _first_wish(session, row)
    run_id = runs.start(
        rmm,
        session,
        actor,
        KIND,
        integration_id=integration_id,
        subject={"invocation_id": str(row.id), "action": action_id},
    )
    _link(session, row, run_id)
    _audit(session, actor, allowed, row)
    return row.id


def cancel(rmm: Rmm, session: Session, actor: Actor, invocation_id: UUID) -> None:
    """Call off an action that was not begun; ``Conflict`` when it was. ``UnknownInvocation``."""
    row = invocations.load(session, actor.tenant_id, invocation_id)
    if row.run_id is not None:
        runs.cancel(rmm, session, actor, row.run_id)
    # The run first, then the action: the order in which the worker locks them.
    if invocations.load(session, actor.tenant_id, invocation_id, lock=True).state == ActionState.RUNNING:
        raise Conflict("This action was begun already and cannot be called back.")


def _require_ticket(
    rmm: Rmm, session: Session, actor: Actor, ticket_id: str | None, device: DeviceRow | None
) -> None:
    """The ticket exists and is no other client's than the device: the note holds what the device printed."""
    if ticket_id is None:
        return
    port = rmm.host.tickets
    state = port.state(session, actor.tenant_id, ticket_id) if port else None
    if state is None:
        raise ActionRefused(ErrorCode.NOT_FOUND, "This ticket does not exist (any more).")
    if device is not None and state.client_id and device.client_id not in (None, state.client_id):
        raise ActionRefused(
            ErrorCode.VALIDATION_ERROR, f"Ticket {state.number} is another client's than {device.name}."
        )


def _row(actor: Actor, allowed: Allowed, ticket_id: str | None, key: str | None) -> ActionInvocation:
    if key is not None and not 0 < len(key) <= LONGEST_KEY:
        raise ValueError(f"An idempotency key has 1 to {LONGEST_KEY} characters.")
    return ActionInvocation(
        tenant_id=actor.tenant_id,
        id=new_id(),
        integration_id=allowed.connection.id,
        device_id=allowed.device.id if allowed.device else None,
        ticket_id=ticket_id,
        idempotency_key=key,
        action=allowed.spec.id,
        action_version=allowed.spec.version,
        input=shown_input(allowed.input, secret_fields(allowed.spec.input)),
        state=ActionState.QUEUED,
        actor_id=actor.id,
        actor_name=actor.name,
        created_at=utc_now(),
    )


_COLUMNS = (
    "tenant_id", "id", "integration_id", "device_id", "ticket_id", "workflow_run_id", "idempotency_key",
    "action", "action_version", "input", "sealed_input", "sealed_key", "state", "actor_id", "actor_name",
    "created_at",
)  # fmt: skip


def _insert(session: Session, row: ActionInvocation) -> bool:
    """Write the wish, unless the key was used: the unique index decides, however many ask at once."""
    statement = insert(ActionInvocation).values({name: getattr(row, name) for name in _COLUMNS})
    guarded = statement.on_conflict_do_nothing(
        index_elements=["tenant_id", "idempotency_key"],
        index_where=ActionInvocation.idempotency_key.is_not(None),
    )
    return session.scalar(guarded.returning(ActionInvocation.id)) is not None


def _first_wish(session: Session, row: ActionInvocation) -> UUID:
    first = session.execute(
        select(
            ActionInvocation.id, ActionInvocation.action, ActionInvocation.device_id, ActionInvocation.input
        ).where(
            ActionInvocation.tenant_id == row.tenant_id,
            ActionInvocation.idempotency_key == row.idempotency_key,
        )
    ).one()
    if (first.action, first.device_id, first.input) != (row.action, row.device_id, row.input):
        raise Conflict("This idempotency key was used for another action, or for other inputs.")
    found: UUID = first.id
    return found


def _link(session: Session, row: ActionInvocation, run_id: UUID) -> None:
    mine = update(ActionInvocation).where(
        ActionInvocation.tenant_id == row.tenant_id, ActionInvocation.id == row.id
    )
    session.execute(mine.values(run_id=run_id), execution_options=PLAIN)


def _audit(session: Session, actor: Actor, allowed: Allowed, row: ActionInvocation) -> None:
    device = allowed.device
    audit.record(
        session,
        actor,
        "action.requested",
        subject_type="device" if device else "connection",
        subject_id=device.id if device else allowed.connection.id,
        subject_name=device.name if device else allowed.connection.name,
        integration_id=allowed.connection.id,
        changes={
            "action": row.action,
            "invocation": str(row.id),
            "ticket": row.ticket_id,
            "input": row.input,
        },
    )
