"""Whether a workflow can be published: what is wrong with it, and what is only worth knowing, by path."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from rmm_extension.domain.connection_states import WHERE, refusal, works
from rmm_extension.domain.contracts.actions import ActionSpec
from rmm_extension.domain.contracts.workflows import load_definition
from rmm_extension.domain.errors import Invalid
from rmm_extension.domain.workflows import Step
from rmm_extension.host import Actor
from rmm_extension.models import Integration
from rmm_extension.services import connections
from rmm_extension.services.actions.registry import UnknownAction
from rmm_extension.services.context import Rmm

from . import catalog
from .expressions import ExpressionError, Uses, binding_uses, uses
from .literals import problems_of_inputs, secret_literals
from .scope import Scope, filter_scope, find, scope

Source = TypeVar("Source")
Sentences = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, as sentences by path (``steps.2.inputs.ticket_id``): ``errors`` keep it from being
    published, ``warnings`` do not."""

    errors: Sentences = field(default_factory=dict)
    warnings: Sentences = field(default_factory=dict)

    def error(self, path: str, sentence: str) -> None:
        """Add what is wrong."""
        self.errors.setdefault(path, []).append(sentence)

    def warn(self, path: str, sentence: str) -> None:
        """Add what is worth knowing."""
        self.warnings.setdefault(path, []).append(sentence)


def check(rmm: Rmm, session: Session, actor: Actor, document: Mapping[str, Any]) -> Report:
    """Everything that can be judged without a run: contract, actions, rights, inputs, expressions, modules.

    ``actor`` is who would publish it, and whose rights its triggered runs would have.
    """
    report = Report()
    try:
        definition = load_definition(document)
    except Invalid as error:
        report.errors.update(error.errors)
        return report
    if not definition.steps:
        report.error("steps", "Add at least one step.")
    modules = _Modules(rmm, session, actor.tenant_id)
    allows = cache(partial(rmm.host.permissions.allows, actor))
    _check_expression(report, "trigger.filter", definition.trigger.filter, filter_scope(definition))
    for position, step in enumerate(definition.steps):
        path, seen = f"steps.{position}", scope(rmm, definition, position)
        _check_bindings(report, path, step, seen)
        action = _action(rmm, report, path, step)
        if action is not None:
            _check_action(report, path, step, action.spec, allows)
            if action.spec.on_device and step.device is None and "device" in seen.absent:
                report.warn(f"{path}.device", _NO_DEVICE)
            modules.check(report, path, step, action.entry)
    return report


def _check_bindings(report: Report, path: str, step: Step, seen: Scope) -> None:
    _check_expression(report, f"{path}.when", step.when, seen)
    bound = {f"{path}.inputs.{name}": binding for name, binding in step.inputs.items()}
    if step.device is not None:
        bound[f"{path}.device"] = step.device
    for where, binding in bound.items():
        _check_names(report, where, seen, binding_uses, binding)


def _check_expression(report: Report, path: str, source: str | None, seen: Scope) -> None:
    if source is not None:
        _check_names(report, path, seen, uses, source)


def _check_names(
    report: Report, path: str, seen: Scope, read: Callable[[Source], Uses], source: Source
) -> None:
    try:
        used = read(source)
    except ExpressionError as error:
        report.error(path, str(error))
        return
    for name in sorted(used.names):
        found, thing = find(seen, name), name.partition(".")[0]
        if isinstance(found, str):
            report.error(path, found)
        elif thing in seen.absent and name != thing and name in used.needed:
            report.warn(path, _NEVER_THERE.format(thing=thing))
        elif found.optional and name in used.needed and name.startswith("trigger."):
            report.warn(path, _MAY_BE_ABSENT.format(name=name))


def _action(rmm: Rmm, report: Report, path: str, step: Step) -> catalog.Action | None:
    """The step's action, if it is still the one that the step was made for."""
    try:
        found = catalog.find(rmm, step.action)
    except UnknownAction as error:
        report.error(f"{path}.action", f"{error} Choose another one.")
        return None
    if found.spec.version != step.version:
        report.error(f"{path}.action", _OTHER_VERSION.format(label=found.spec.label))
        return None
    return found


def _check_action(
    report: Report, path: str, step: Step, spec: ActionSpec, allows: Callable[[str], bool]
) -> None:
    if not allows(spec.permission):
        report.error(f"{path}.action", _NO_RIGHT.format(label=spec.label, permission=spec.permission))
    for name, sentences in problems_of_inputs(spec, step.inputs).items():
        for sentence in sentences:
            report.error(f"{path}.inputs.{name}" if name else f"{path}.inputs", sentence)
    for name in secret_literals(spec, step.inputs):
        report.warn(f"{path}.inputs.{name}", _IN_CLEAR)


class _Modules:
    """Which modules and connections the tenant has; each is asked for once."""

    def __init__(self, rmm: Rmm, session: Session, tenant_id: str) -> None:
        self._available = {
            offer.entry.module.key: offer.available for offer in catalog.offers(rmm, session, tenant_id)
        }
        self._connections = connections.all_of(session, tenant_id)

    def check(self, report: Report, path: str, step: Step, entry: catalog.Entry) -> None:
        """Say what keeps the step from being done as things are now; only a connection that is none of the
        vendor's is an error."""
        label = entry.module.label
        if not self._available.get(entry.module.key):
            words = _NOT_CONNECTED if entry.provider else _NOT_AVAILABLE
            report.warn(f"{path}.action", words.format(label=label))
        if entry.provider is None:
            return
        mine = [one for one in self._connections if one.provider == entry.provider.manifest.key]
        if step.connection is not None:
            self._check_chosen(report, f"{path}.connection", step, mine)
        elif len([one for one in mine if works(one.state)]) > 1:
            report.warn(f"{path}.connection", _SEVERAL.format(label=label))

    def _check_chosen(self, report: Report, path: str, step: Step, mine: Sequence[Integration]) -> None:
        chosen = next((one for one in mine if one.id == step.connection), None)
        if chosen is None:
            report.error(path, "This connection does not exist (any more). Choose another one.")
        elif not works(chosen.state):
            report.warn(path, refusal(chosen.name, chosen.state))


_MAY_BE_ABSENT = (
    "Not every such event has “{name}”; a run without it fails here. Write {name} | default(…) to have"
    " another value then."
)
_NEVER_THERE = "What starts this workflow is about no {thing}, so there is none here."
_NO_DEVICE = "What starts this workflow is about no device. Say on which one."
_OTHER_VERSION = (
    "“{label}” is another one by now than when this step was made. Open the step, look at its inputs and save"
    " it."
)
_NO_RIGHT = (
    "You have no right to “{label}” ({permission}), and runs have the rights of whoever publishes. Have"
    " somebody publish it who has, or take the step out."
)
_IN_CLEAR = (
    "This stands in the workflow as it is written, for everybody who may see workflows. Keep secrets in the"
    " vendor's key store, and name them here."
)
_NOT_CONNECTED = f"{{label}} is not connected. Runs fail at this step until it is: {WHERE}."
_NOT_AVAILABLE = "{label} is not available. Runs fail at this step until it is."
_SEVERAL = (
    "There are several connections of {label}. A run takes that of what it is about, and fails where that is"
    " another vendor's. Choose one to be sure."
)
