"""Alerts of any connection: put on a ticket, taken on, ended, read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from marshmallow import ValidationError, fields
from sqlalchemy import select

from rmm_extension.domain.actions import ActionRefused, ErrorCode, Order, Outcome, failed, succeeded
from rmm_extension.domain.contracts.actions import ActionModule, ActionSpec, says
from rmm_extension.domain.contracts.strict import Flag, Section, Strict, Text
from rmm_extension.domain.errors import ConfigError, HostError, HostRejected, HostUnavailable
from rmm_extension.domain.values import read_uuid
from rmm_extension.domain.workflow_objects import OBJECTS
from rmm_extension.models import Alert
from rmm_extension.services.alert_acts import (
    Act,
    AlertRefused,
    AlreadySo,
    TicketChoice,
    UnknownAlert,
    acknowledging,
    act_on,
    putting_on_ticket,
    resolving,
)
from rmm_extension.workflows.context import About, look
from rmm_extension.workflows.pack import Pack, StepContext, always

KEY = "core:alerts"


def _an_id(value: str) -> None:
    if read_uuid(value) is None:
        raise ValidationError("This is no alert's ID. Most often it is {{ alert.id }}.")


def _alert_id() -> Text:
    told = says("Alert", "Its ID here, most often {{ alert.id }}.", picks="alert")
    return Text(36, required=True, validate=_an_id, metadata=told)


class OneAlert(Strict):
    """An alert by its id here."""

    alert_id = _alert_id()


class CreateTicket(Strict):
    """The alert, and what its ticket is to be like; what is left out follows the severity and the host."""

    alert_id = _alert_id()
    board_id = Text(255, metadata=says("Board", "None: the default board.", picks="board"))
    priority_id = Text(255, metadata=says("Priority", "None: by the alert's severity.", picks="priority"))
    assign_to_user_id = Text(255, metadata=says("Assign to", picks="assignee"))
    title_template = Text(
        500, metadata=says("Title", "May have placeholders such as {device}. None: the usual one.")
    )
    description_template = Text(
        10_000,
        trimmed=False,
        metadata=says("Description", "May have placeholders such as {message}. None: the usual one."),
    )


class Resolve(Strict):
    """The alert, and whether its vendor is told."""

    alert_id = _alert_id()
    at_vendor = Flag(
        load_default=False,
        metadata=says("Also at the vendor", "A job then asks the vendor to resolve it, and tries again."),
    )


def _text(*, may_be_null: bool = False, **told: Any) -> fields.String:
    return fields.String(required=True, allow_none=may_be_null, metadata=told)


class CreatedTicket(Strict):
    """The ticket the alert is on now."""

    ticket_id = _text(label="Ticket ID")
    ticket_number = _text(label="Number")


class Acknowledged(Strict):
    """``changed`` is false where somebody had acknowledged it before."""

    acknowledged = Flag(required=True)
    alert_id = _text(label="Alert ID")
    changed = Flag(required=True)


class Resolved(Strict):
    """``changed`` is false where it was over before; ``vendor_asked``: a job asks the vendor."""

    resolved = Flag(required=True)
    alert_id = _text(label="Alert ID")
    changed = Flag(required=True)
    vendor_asked = Flag(required=True)


def _object(name: str) -> type[Strict]:
    """The contract of an object that expressions see."""
    made: dict[str, fields.Field[Any]] = {}
    for key, (label, kind) in OBJECTS[name].items():
        of = fields.Boolean if kind == "yes or no" else fields.String
        made[key] = of(required=True, allow_none=True, metadata={"label": label})
    return type(name.capitalize(), (Strict,), made)


class GotAlert(Strict):
    """The alert as it stands now, with what belongs to it where that is known."""

    alert = Section(_object("alert"), required=True)
    device = Section(_object("device"), required=True, allow_none=True)
    ticket = Section(_object("ticket"), required=True, allow_none=True)
    client = Section(_object("client"), required=True, allow_none=True)


def create_ticket(context: StepContext, order: Order) -> Outcome:
    """Put the alert on a ticket. Why not is said where an administrator can mend it."""
    given = order.input
    choice = TicketChoice(
        board_id=given.get("board_id"),
        priority_id=given.get("priority_id"),
        assignee_id=given.get("assign_to_user_id"),
        title_template=given.get("title_template"),
        description_template=given.get("description_template"),
    )
    try:
        ticket = act_on(
            context.session,
            context.tenant_id,
            UUID(given["alert_id"]),
            putting_on_ticket(context.rmm, context.actor, choice),
        )
    except HostUnavailable:
        raise
    except (AlertRefused, ConfigError, HostRejected) as error:
        return failed(ErrorCode.CREATE_TICKET_FAILED, str(error))
    except HostError:
        return failed(ErrorCode.CREATE_TICKET_FAILED)
    assert ticket is not None
    output = {"ticket_id": ticket.id, "ticket_number": ticket.number}
    return succeeded(f"The alert is on ticket {ticket.number}.", output)


def acknowledge(context: StepContext, order: Order) -> Outcome:
    """Note that the actor takes the alert on."""
    alert_id = order.input["alert_id"]
    changed = _changed(context, alert_id, acknowledging(context.actor))
    words = "The alert is acknowledged." if changed else "The alert was acknowledged before."
    return succeeded(words, {"acknowledged": True, "alert_id": alert_id, "changed": changed})


def resolve(context: StepContext, order: Order) -> Outcome:
    """End the alert here, and have the vendor asked where that is wished."""
    alert_id, at_vendor = order.input["alert_id"], order.input["at_vendor"]
    changed = _changed(context, alert_id, resolving(context.rmm, context.actor, at_vendor=at_vendor))
    asked = changed and at_vendor
    words = "The alert is resolved." if changed else "The alert was resolved before."
    output = {"resolved": True, "alert_id": alert_id, "changed": changed, "vendor_asked": asked}
    return succeeded(f"{words} The vendor is asked to resolve it, too." if asked else words, output)


def get(context: StepContext, order: Order) -> Outcome:
    """Read the alert as it stands now."""
    alert_id = UUID(order.input["alert_id"])
    mine = select(Alert.id).where(Alert.tenant_id == context.tenant_id, Alert.id == alert_id)
    if context.session.scalar(mine) is None:
        return failed(ErrorCode.NOT_FOUND, "Alert not found")
    found = look(context.rmm, context.session, context.tenant_id, About(alert_id=alert_id)).objects
    output = {name: found[name] for name in ("alert", "device", "ticket", "client")}
    return succeeded(f"The alert is {found['alert']['status'].replace('_', ' ')}.", output)


def _changed(context: StepContext, alert_id: str, act: Act) -> bool:
    """Do it; whether it was not so before. Raises what keeps it from being done, with its code."""
    try:
        act_on(context.session, context.tenant_id, UUID(alert_id), act)
    except AlreadySo:
        return False
    except UnknownAlert as error:
        raise ActionRefused(ErrorCode.NOT_FOUND, str(error)) from error
    except AlertRefused as error:
        raise ActionRefused(ErrorCode.CONFLICT, str(error)) from error
    return True


_DOES: dict[str, Callable[[StepContext, Order], Outcome]] = {
    "rmm.alerts.create_ticket": create_ticket,
    "rmm.alerts.acknowledge": acknowledge,
    "rmm.alerts.resolve": resolve,
    "rmm.alerts.get": get,
}


def _perform(context: StepContext, order: Order) -> Outcome:
    return _DOES[order.action](context, order)


def _spec(name: str, label: str, description: str, **more: Any) -> ActionSpec:
    given: dict[str, Any] = {"side_effects": True, "permission": "rmm.alerts.manage", **more}
    return ActionSpec(
        id=f"rmm.alerts.{name}",
        module=KEY,
        label=label,
        description=description,
        category="Alerts",
        on_device=False,
        **given,
    )


CREATE_TICKET = _spec(
    "create_ticket",
    "Create ticket",
    "Puts the alert on the open ticket of its condition, or on a new one.",
    input=CreateTicket,
    output=CreatedTicket,
    icon="ticket",
)
ACKNOWLEDGE = _spec(
    "acknowledge",
    "Acknowledge alert",
    "Notes that somebody takes the alert on. No vendor is told.",
    input=OneAlert,
    output=Acknowledged,
    icon="check",
)
RESOLVE = _spec(
    "resolve",
    "Resolve alert",
    "Ends the alert here, its ticket by the same rules as when the vendor ends it.",
    input=Resolve,
    output=Resolved,
    icon="check",
)
GET = _spec(
    "get",
    "Get alert",
    "Reads the alert as it stands now, with its device, ticket and client.",
    input=OneAlert,
    output=GotAlert,
    icon="search",
    side_effects=False,
    permission="rmm.view",
)

PACK = Pack(
    module=ActionModule(
        key=KEY,
        label="Alerts",
        description="Tickets of alerts, and what becomes of the alerts themselves.",
        icon="bell",
        default_action=CREATE_TICKET.id,
        availability=KEY,
        actions=(CREATE_TICKET, ACKNOWLEDGE, RESOLVE, GET),
    ),
    perform=_perform,
    available=always,
)
