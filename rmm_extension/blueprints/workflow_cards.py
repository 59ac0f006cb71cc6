"""The steps of a workflow as the designer's cards, each with what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rmm_extension.domain.contracts.actions import ActionSpec, FormField, form_fields
from rmm_extension.domain.workflow_words import binding_words, condition_words
from rmm_extension.domain.workflows import Definition, Step
from rmm_extension.forms.workflows import inputs_of
from rmm_extension.workflows.catalog import Entry, Offer
from rmm_extension.workflows.check import Report

from .choices import connection_rows
from .workflow_choices import picking_script
from .workflow_values import Names, Used, names_of

LABELS = {"device": "Device", "when": "Only if", "name": "Name of the step", "connection": "Connection"}
"""What the fields of every step are called."""
_OF_STEP = re.compile(r"steps\.(?P<place>\d+)(?:\.(?P<field>.+))?")


@dataclass(frozen=True, slots=True)
class Found:
    """An action with its module, and whether the tenant has that; of one that is not installed both are
    ``None``."""

    spec: ActionSpec | None
    entry: Entry | None
    available: bool

    @property
    def is_disconnected(self) -> bool:
        """Whether it exists, but the tenant has not what it works with."""
        return self.spec is not None and not self.available

    @property
    def provider(self) -> str | None:
        """The key of the vendor whose action it is."""
        provider = self.entry.provider if self.entry else None
        return provider.manifest.key if provider else None

    @property
    def label(self) -> str:
        """The module's name."""
        return self.entry.module.label if self.entry else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One step: what it does with what, and its problems, each with the name of its field."""

    number: int
    step: Step
    found: Found
    connection: str
    inputs: Sequence[tuple[str, str]]
    condition: str
    errors: Sequence[str]
    warnings: Sequence[str]


def cards(definition: Definition, offers: Sequence[Offer], report: Report) -> list[Card]:
    """The cards in the order of the steps."""
    known = {spec.id: Found(spec, offer.entry, offer.available) for offer, spec in _actions(offers)}
    found = [known.get(step.action, GONE) for step in definition.steps]
    steps = [
        Used(step, one.provider, _fields(one.spec)) for step, one in zip(definition.steps, found, strict=True)
    ]
    names, connections = names_of(steps), {str(row.id): row.name for row in connection_rows()}
    return [
        _card(place, used, one, names, connections, report)
        for place, (used, one) in enumerate(zip(steps, found, strict=True))
    ]


GONE = Found(None, None, available=False)
"""An action that no installed module has."""


def find(offers: Sequence[Offer], action: str) -> Found:
    """The action among what there is."""
    return next(
        (Found(spec, offer.entry, offer.available) for offer, spec in _actions(offers) if spec.id == action),
        GONE,
    )


def problems_of(found: Mapping[str, Sequence[str]], place: int) -> dict[str, list[str]]:
    """The sentences about one step, by the path within it; ``""`` is the step as a whole."""
    told: dict[str, list[str]] = {}
    for path, texts in found.items():
        match = _OF_STEP.fullmatch(path)
        if match and int(match["place"]) == place:
            told.setdefault(match["field"] or "", []).extend(texts)
    return told


def problems_elsewhere(found: Mapping[str, Sequence[str]]) -> list[str]:
    """The sentences that are about no step and not about the trigger."""
    return [
        text
        for path, texts in found.items()
        if not _OF_STEP.fullmatch(path) and path.partition(".")[0] != "trigger"
        for text in texts
    ]


def problems_of_trigger(found: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The sentences about the trigger, by the path within it."""
    return {
        path.partition(".")[2]: list(texts)
        for path, texts in found.items()
        if path.partition(".")[0] == "trigger"
    }


def _card(
    place: int, used: Used, found: Found, names: Names, connections: Mapping[str, str], report: Report
) -> Card:
    step, labels = used.step, labels_of(found.spec)
    order = [path for path in used.fields if path in step.inputs]
    inputs = [(labels[path], names.words(used, path, step.inputs[path])) for path in order]
    inputs += [(path, binding_words(step.inputs[path])) for path in step.inputs if path not in used.fields]
    return Card(
        number=place + 1,
        step=step,
        found=found,
        connection=connections.get(str(step.connection), "a connection that is gone")
        if step.connection
        else "",
        inputs=[*([("Device", binding_words(step.device))] if step.device else []), *inputs],
        condition=condition_words(step),
        errors=_told(problems_of(report.errors, place), labels),
        warnings=_told(problems_of(report.warnings, place), labels),
    )


def labels_of(spec: ActionSpec | None) -> dict[str, str]:
    """What the fields of a step are called, parts with fields of their own included."""
    fields = form_fields(spec.input) if spec else ()
    parts = {field.name: field.label for field in fields if field.kind == "section"}
    return LABELS | parts | {path: field.label for path, field in _fields(spec).items()}


def _fields(spec: ActionSpec | None) -> dict[str, FormField]:
    """The fields of an action's inputs by path, in the order of its contract."""
    fields = form_fields(spec.input) if spec else ()
    return {one.field.name: one.field for one in inputs_of([picking_script(one) for one in fields])}


def _told(problems: Mapping[str, Sequence[str]], labels: Mapping[str, str]) -> list[str]:
    """Each sentence behind the name of its field."""
    return [
        f"{label}: {text}" if (label := labels.get(path.removeprefix("inputs."), "")) else text
        for path, texts in problems.items()
        for text in texts
    ]


def _actions(offers: Sequence[Offer]) -> list[tuple[Offer, Any]]:
    return [(offer, spec) for offer in offers for spec in offer.entry.module.actions]
