"""A pack of tests: actions whose doing can be counted in the database, and ones that go wrong."""

from __future__ import annotations

from marshmallow import fields

from rmm_extension.domain.actions import ErrorCode, Order, Outcome, failed, succeeded
from rmm_extension.domain.contracts.actions import ActionModule, ActionSpec, Whole, says
from rmm_extension.domain.contracts.strict import Section, Strict, Text
from rmm_extension.domain.errors import HostUnavailable, Invalid
from rmm_extension.services import audit, events
from rmm_extension.workflows.pack import Pack, StepContext, always

WRITE, READ = "acme.notes.write", "acme.notes.read"
FAIL, REFUSE, BREAK, WAIT = "acme.fail", "acme.refuse", "acme.break", "acme.wait"
AGAIN = "acme.again"
"""Brings about the very event that starts its workflow."""
DONE = "acme.done"
"""What the audit calls a note that was written."""


class Inner(Strict):
    """A part of an input."""

    start = Text(50)
    end = Text(50)


class NoteInput(Strict):
    """What is written."""

    text = Text(1_000, required=True)
    number = Whole(0, 1_000)
    secret = Text(100, metadata=says("Secret", secret=True))
    window = Section(Inner)


class NoteOutput(Strict):
    """What was written."""

    text = fields.String(required=True)
    count = fields.Integer(required=True)


class Nothing(Strict):
    """No input and no output."""


def perform(context: StepContext, order: Order) -> Outcome:
    """Do an action of the pack."""
    if order.action == READ:
        return succeeded("Read.", {"text": order.input["text"], "count": 0})
    written = {"text": order.input.get("text"), "key": context.key}
    audit.record(
        context.session, context.actor, DONE, subject_type="note", subject_id=context.key, changes=written
    )
    context.session.flush()
    if order.action == AGAIN:
        _tell_again(context)
        return succeeded("Told.", {})
    if order.action == FAIL:
        return failed(ErrorCode.CONFLICT, "It stood in the way.")
    if order.action == REFUSE:
        raise Invalid({"text": ["Not this."]})
    if order.action == BREAK:
        raise ZeroDivisionError("A pack of somebody else's is broken.")
    if order.action == WAIT:
        raise HostUnavailable("The host is busy.")
    return succeeded("Written.", {"text": order.input["text"], "count": 1})


def _tell_again(context: StepContext) -> None:
    kept = ("integrationId", "provider", "alertId", "externalAlertId", "severity")
    trigger = context.values["trigger"]
    events.tell(context.session, context.tenant_id, "alert_triggered", {name: trigger[name] for name in kept})


def _spec(name: str, *, side_effects: bool = True, permission: str = "rmm.view") -> ActionSpec:
    plain = name in (WRITE, READ)
    return ActionSpec(
        id=name,
        module="core:acme",
        label=name.rpartition(".")[2].capitalize(),
        description="For tests.",
        input=NoteInput if plain else Nothing,
        output=NoteOutput if plain else Nothing,
        side_effects=side_effects,
        category="Tests",
        icon="note",
        permission=permission,
        on_device=False,
    )


GUARDED = "acme.guarded"

PACK = Pack(
    module=ActionModule(
        key="core:acme",
        label="Acme",
        description="For tests.",
        icon="note",
        default_action=WRITE,
        availability="acme",
        actions=(
            _spec(WRITE),
            _spec(READ, side_effects=False),
            *map(_spec, (FAIL, REFUSE, BREAK, WAIT, AGAIN)),
            _spec(GUARDED, permission="rmm.configure"),
        ),
    ),
    perform=perform,
    available=always,
)
