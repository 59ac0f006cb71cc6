"""Working on a ticket of the host: noting, changing, closing."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validates_schema
from sqlalchemy.orm import Session

from rmm_extension.domain.actions import ActionRefused, ErrorCode, Order, Outcome, succeeded
from rmm_extension.domain.contracts.actions import ActionModule, ActionSpec, says
from rmm_extension.domain.contracts.strict import Flag, Strict, Text
from rmm_extension.domain.errors import HostRejected
from rmm_extension.host import TicketChanges, Tickets, TicketState
from rmm_extension.services import audit, hooks
from rmm_extension.services.context import Rmm
from rmm_extension.workflows.pack import Pack, StepContext

KEY = "core:tickets"
_TICKET = says("Ticket", picks="ticket")


class AddNote(Strict):
    """What is to be noted."""

    ticket_id = Text(100, required=True, metadata=_TICKET)
    note = Text(50_000, trimmed=False, required=True, metadata=says("Note", "Colleagues see it."))


class Update(Strict):
    """What is to be changed; what is left out stays."""

    ticket_id = Text(100, required=True, metadata=_TICKET)
    title = Text(500, metadata=says("Title"))
    status_id = Text(100, metadata=says("Status", "An open one of its board.", picks="open_status"))
    priority_id = Text(100, metadata=says("Priority", picks="priority"))
    assign_to_user_id = Text(100, metadata=says("Assignee", picks="assignee"))

    @validates_schema
    def _says_something(self, data: dict[str, Any], **_: Any) -> None:
        if data.keys() <= {"ticket_id"}:
            raise ValidationError("Choose at least one thing to change.")


class Close(Strict):
    """Which ticket, and as what."""

    ticket_id = Text(100, required=True, metadata=_TICKET)
    status_id = Text(
        100,
        metadata=says("Close as", "Left empty: the first closed status of its board.", picks="closed_status"),
    )
    note = Text(50_000, trimmed=False, metadata=says("Note", "A last word for colleagues."))


class OnTicket(Strict):
    """The ticket it was done to."""

    ticket_id = fields.String(required=True)
    ticket_number = fields.String(required=True)


class Closed(OnTicket):
    """``already`` says that it was closed before."""

    status = fields.String(required=True)
    already = Flag(required=True)


def _spec(name: str, label: str, description: str, **more: Any) -> ActionSpec:
    return ActionSpec(
        id=f"tickets.{name}",
        module=KEY,
        label=label,
        description=description,
        side_effects=True,
        category="Tickets",
        icon="ticket",
        permission="rmm.alerts.manage",
        on_device=False,
        **more,
    )


ADD_NOTE = _spec(
    "add_note",
    "Note on a ticket",
    "Adds an internal note, also to a closed one.",
    input=AddNote,
    output=OnTicket,
)
UPDATE = _spec(
    "update",
    "Change a ticket",
    "Changes title, status, priority or assignee of an open ticket.",
    input=Update,
    output=OnTicket,
)
CLOSE = _spec(
    "close",
    "Close a ticket",
    "Closes it as a person does: the vendor is asked to reset its alerts.",
    input=Close,
    output=Closed,
)


def add_note(context: StepContext, order: Order) -> Outcome:
    """Add an internal note of the system."""
    port, ticket = _ticket(context, order)
    port.add_note(context.session, context.tenant_id, ticket.id, order.input["note"])
    return succeeded(f"{ticket.number} has the note.", _on(ticket))


def update(context: StepContext, order: Order) -> Outcome:
    """Change an open ticket by the host's own path."""
    port, ticket = _ticket(context, order)
    given = order.input
    changes = TicketChanges(
        title=given.get("title"),
        status_id=given.get("status_id"),
        priority_id=given.get("priority_id"),
        assignee_id=given.get("assign_to_user_id"),
    )
    try:
        port.update(context.session, context.tenant_id, ticket.id, changes)
    except HostRejected as refusal:
        raise ActionRefused(ErrorCode.VALIDATION_ERROR, str(refusal)) from refusal
    changed = {name: value for name, value in given.items() if name != "ticket_id"}
    _audit(context, ticket, "ticket.changed", changed)
    return succeeded(f"{ticket.number} is changed.", _on(ticket))


def close(context: StepContext, order: Order) -> Outcome:
    """Close it; as with a person's closing, a job then has the vendor reset its alerts."""
    port, ticket = _ticket(context, order)
    if not ticket.is_open:
        output = {**_on(ticket), "status": ticket.status_name, "already": True}
        return succeeded(f"{ticket.number} was closed already.", output)
    if note := order.input.get("note"):
        port.add_note(context.session, context.tenant_id, ticket.id, note)
    result = port.close(context.session, context.tenant_id, ticket.id, order.input.get("status_id"))
    if not result.closed:
        raise ActionRefused(ErrorCode.CONFLICT, result.reason or "The PSA did not close the ticket.")
    hooks.ticket_closed(context.session, context.tenant_id, ticket.id, context.actor)
    _audit(context, ticket, "ticket.closed", {"status": result.status_name})
    output = {**_on(ticket), "status": result.status_name or "", "already": False}
    return succeeded(f"{ticket.number} is closed as {result.status_name}.", output)


def _ticket(context: StepContext, order: Order) -> tuple[Tickets, TicketState]:
    """The ticket, held until the step is written."""
    port = context.rmm.host.tickets
    if port is None:
        raise ActionRefused(ErrorCode.CAPABILITY_DISABLED, "This PSA takes no tickets.")
    found = port.state(context.session, context.tenant_id, order.input["ticket_id"], lock=True)
    if found is None:
        raise ActionRefused(ErrorCode.NOT_FOUND, "The ticket does not exist.")
    return port, found


def _on(ticket: TicketState) -> dict[str, Any]:
    return {"ticket_id": ticket.id, "ticket_number": ticket.number}


def _audit(context: StepContext, ticket: TicketState, action: str, changes: dict[str, Any]) -> None:
    run = str(context.run_id) if context.run_id else None
    audit.record(
        context.session,
        context.actor,
        action,
        subject_type="ticket",
        subject_id=ticket.id,
        subject_name=ticket.number,
        changes={**changes, "workflow_run": run},
    )


_DOING = {ADD_NOTE.id: add_note, UPDATE.id: update, CLOSE.id: close}


def _perform(context: StepContext, order: Order) -> Outcome:
    return _DOING[order.action](context, order)


def _available(rmm: Rmm, _session: Session, _tenant_id: str) -> bool:
    return rmm.host.tickets is not None


PACK = Pack(
    module=ActionModule(
        key=KEY,
        label="Tickets",
        description="Tickets of the PSA.",
        icon="ticket",
        default_action=ADD_NOTE.id,
        availability="host:tickets",
        actions=(ADD_NOTE, UPDATE, CLOSE),
    ),
    perform=_perform,
    available=_available,
)
