"""What a workflow is: a trigger and steps in order, with the states of its runs and of each step of a run.

The document an administrator writes is checked by :mod:`.contracts.workflows` and read into these values.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

MANUAL = "MANUAL"
"""The trigger of workflows that people start; all others are names of events."""

SUBJECTS = ("alert", "ticket", "asset", "device")
"""What a person may start a workflow from."""

MANUAL_KINDS = ("text", "long_text", "number", "choice", "flag")
"""What the fields of a manual workflow's form can be."""

LONGEST_ID = 40
"""Characters of the name by which expressions see a step or a field."""


class WorkflowState(StrEnum):
    """A draft was never published; a paused one starts no runs, and those under way go on."""

    DRAFT = "draft"
    PUBLISHED = "published"
    PAUSED = "paused"


class RunState(StrEnum):
    """Where a run is. ``waiting``: a vendor is being asked; ``unknown``: a person has to decide."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens by itself or by a person's decision."""
        return self in (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED)


class StepState(StrEnum):
    """Where a step of a run is; ``requested`` (handed over) and ``simulated`` are good ends, too."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    REQUESTED = "requested"
    SIMULATED = "simulated"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether the run may go on behind it, or end."""
        return self not in (StepState.QUEUED, StepState.RUNNING, StepState.UNKNOWN)


class RunSource(StrEnum):
    """What began a run."""

    EVENT = "event"
    MANUAL = "manual"
    TEST = "test"


class OnError(StrEnum):
    """What follows a step that failed."""

    STOP = "stop"
    CONTINUE = "continue"


class Binding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where an input comes from: ``value`` as it is, or ``template``, a text with ``{{ expressions }}``.

    A template that is one expression and nothing else gives that expression's value in its own type.
    ``value`` is unset, and not null, where there is a template: null is a value, too.
    """

    value: Any = msgspec.UNSET
    template: str | None = None


class ManualField(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the person who starts a workflow fills in; ``kind`` is one of :data:`MANUAL_KINDS`."""

    name: str
    label: str
    kind: str = "text"
    required: bool = False
    help: str = ""
    choices: list[str] = []


class Trigger(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What starts a workflow: an event, narrowed by the expression ``filter``, or a person.

    ``once_per_minutes``: at most one run about the same thing (alert condition, device, ticket, connection)
    within that time. ``subjects`` and ``fields`` are of manual workflows.
    """

    event: str
    filter: str | None = None
    once_per_minutes: int = 0
    subjects: list[str] = []
    fields: list[ManualField] = []

    @property
    def is_manual(self) -> bool:
        """Whether people start it."""
        return self.event == MANUAL


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """One step: an action with its inputs.

    ``connection`` is the vendor's connection; without one it is the trigger's, or the only one that works.
    ``device`` says on which device, for an action on one. ``when`` is an expression: the step is skipped
    where it is not true.
    """

    id: str
    name: str
    action: str
    version: int = 1
    connection: UUID | None = None
    device: Binding | None = None
    inputs: dict[str, Binding] = {}
    when: str | None = None
    on_error: OnError = OnError.STOP


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow as it runs."""

    trigger: Trigger
    steps: list[Step]


def definition_of(document: dict[str, Any]) -> Definition:
    """The definition a checked document stands for."""
    return msgspec.convert(document, Definition)


def document_of(definition: Definition) -> dict[str, Any]:
    """The document of a definition, as it is stored."""
    found: dict[str, Any] = msgspec.to_builtins(definition)
    return found


def as_id(label: str, longest: int = LONGEST_ID) -> str:
    """A name for expressions made from a label (``clean_up``); empty where no letter is in it."""
    plain = re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_").lstrip("0123456789_")
    return plain[:longest].rstrip("_")
