"""An action of one's own, with an input of every kind: all that its distribution brings.

It writes down what it was given. Nothing here says how its form looks.
"""

from __future__ import annotations

from marshmallow import fields

from rmm_extension.domain.actions import Order, Outcome, succeeded
from rmm_extension.domain.contracts.actions import ActionModule, ActionSpec, Choice, Texts, Whole, says
from rmm_extension.domain.contracts.inputs import Choices, Json, Moment, Number, Sections
from rmm_extension.domain.contracts.strict import Flag, Section, Strict, Text
from rmm_extension.services import audit
from rmm_extension.workflows.pack import Pack, StepContext, always

DAYS = (("mo", "Monday"), ("tu", "Tuesday"), ("we", "Wednesday"))


class Window(Strict):
    """From when until when."""

    start = Moment(required=True, metadata=says("From"))
    end = Moment(required=True, metadata=says("Until"))


class Item(Strict):
    """One of several."""

    label = Text(50, required=True, metadata=says("Label"))
    amount = Whole(1, 99, load_default=1, metadata=says("Amount"))


class Make(Strict):
    """An input of every kind."""

    name = Text(50, required=True, metadata=says("Name", "What it is called."))
    note = Text(2000, trimmed=False, metadata=says("Note"))
    password = Text(100, metadata=says("Password", secret=True))
    count = Whole(1, 10, load_default=1, metadata=says("Count"))
    ratio = Number(0, 1, metadata=says("Ratio"))
    size = Choice((("s", "Small"), ("l", "Large")), load_default="s", metadata=says("Size"))
    days = Choices(DAYS, fewest=1, required=True, metadata=says("Days"))
    loud = Flag(load_default=False, metadata=says("Loudly"))
    tags = Texts(5, 20, metadata=says("Tags"))
    owner = Text(255, metadata=says("Owner", picks="user"))
    watchers = Texts(5, 255, metadata=says("Watchers", picks="user"))
    begins = Moment(metadata=says("Begins"))
    window = Section(Window, metadata=says("Window"))
    items = Sections(Item, 5, metadata=says("Items"))
    extra = Json(1000, metadata=says("More"))


class Made(Strict):
    """What was given, as the action got it."""

    given = fields.Dict(required=True, metadata={"label": "What was given"})


MAKE = ActionSpec(
    id="toolbox.things.make",
    module="app:toolbox",
    label="Make a thing",
    description="Writes down what it is given.",
    input=Make,
    output=Made,
    side_effects=True,
    category="Things",
    icon="wrench",
    permission="rmm.workflows.manage",
    on_device=False,
)


def make(context: StepContext, order: Order) -> Outcome:
    """Write it down; the password only as that there was one."""
    given = {**order.input, "password": bool(order.input.get("password"))}
    audit.record(
        context.session,
        context.actor,
        "toolbox.made",
        subject_type="thing",
        subject_id=context.key,
        subject_name=given["name"],
    )
    return succeeded(f"{given['name']} is made.", {"given": given})


PACK = Pack(
    module=ActionModule(
        key="app:toolbox",
        label="Toolbox",
        description="Things of one's own.",
        icon="toolbox",
        default_action=MAKE.id,
        availability="app:toolbox",
        actions=(MAKE,),
    ),
    perform=make,
    available=always,
)
