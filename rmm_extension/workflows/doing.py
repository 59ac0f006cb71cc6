"""Doing one step: whether it is wanted, what it is given, and the action itself.

An action of our own side is done here, in the caller's transaction, so that it happens once or not at all. A
vendor's is asked for in that transaction and done by a run of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.actions import ErrorCode, Order, Outcome, failed, shown_input, storable
from rmm_extension.domain.contracts.actions import ActionSpec, load_input, secret_fields
from rmm_extension.domain.errors import HostUnavailable, RMMError
from rmm_extension.domain.values import storable as storable_value
from rmm_extension.domain.workflows import Step, StepState
from rmm_extension.models import DeviceRow, WorkflowInvocation, WorkflowRun
from rmm_extension.providers.contract import Provider
from rmm_extension.services.actions.check import check, require_right
from rmm_extension.services.actions.invocations import target
from rmm_extension.services.actions.outcomes import code_of
from rmm_extension.services.actions.perform import as_promised
from rmm_extension.services.actions.registry import UnknownAction
from rmm_extension.services.actions.request import request
from rmm_extension.services.context import Rmm

from . import catalog, examples, inputs, places, rows, targets
from .expressions import ExpressionError, truth
from .pack import Pack, StepContext


@dataclass(frozen=True, slots=True)
class Ended:
    """The step is over, in this transaction."""

    state: StepState
    message: str
    output: dict[str, Any] | None = None
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A vendor was asked; the run waits for what comes of it."""

    invocation_id: UUID


@dataclass(frozen=True, slots=True)
class Full:
    """The connection has as much to do for workflows as it may; the run waits for its turn."""


Result = Ended | Asked | Full


@dataclass(frozen=True, slots=True)
class Work:
    """A step and what it is done with. ``facts`` are columns of its row that became known on the way; they
    are kept apart from it, for what a failure rolls back is the row's, too."""

    rmm: Rmm
    session: Session
    run: WorkflowRun
    row: WorkflowInvocation
    step: Step
    seen: Mapping[str, Any]
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What identifies this one doing."""
        return f"workflow:{self.run.id}:{self.step.id}:{self.row.attempt}"


def do(work: Work) -> Result:
    """Do the step, or ask for it. What fails by a known error is an end in words, and wrote nothing."""
    try:
        if work.step.when is not None and not truth(work.step.when, work.seen):
            return Ended(StepState.SKIPPED, "Its condition was not true.")
        with work.session.begin_nested():
            return _do(work)
    except HostUnavailable:
        raise  # tried again, as the whole step is
    except ExpressionError as error:
        return ended(failed(ErrorCode.EXPRESSION_ERROR, str(error)))
    except UnknownAction as error:
        return ended(failed(ErrorCode.NOT_FOUND, f"{error} Choose another one in the step."))
    except RMMError as error:
        return ended(failed(code_of(error), str(error)))


def ended(outcome: Outcome) -> Ended:
    """The end of a step by what came of its action."""
    kept = storable(outcome)
    return Ended(StepState(kept.state.value), kept.message, kept.output, kept.error_code)


def _do(work: Work) -> Result:
    action = catalog.find(work.rmm, work.step.action)
    spec, entry = action.spec, action.entry
    if spec.version != work.step.version:
        words = f"“{spec.label}” is another one by now. Open the step, look at its inputs, and publish again."
        return ended(failed(ErrorCode.VALIDATION_ERROR, words))
    given = inputs.work_out(work.step.inputs, work.seen)
    work.facts["input"] = storable_value(shown_input(given, secret_fields(spec.input)))
    if entry.pack is not None:
        return _own(work, spec, entry.pack, given)
    assert entry.provider is not None
    return _vendors(work, spec, entry.provider, given)


# --- Of our own side


def _own(work: Work, spec: ActionSpec, pack: Pack, given: Mapping[str, Any]) -> Ended:
    actor = rows.actor(work.run)
    require_right(work.rmm, actor, spec)
    if not catalog.availability(work.rmm).has(
        work.rmm, work.session, actor.tenant_id, pack.module.availability
    ):
        words = f"{pack.module.label} is not available to this tenant."
        return ended(failed(ErrorCode.CAPABILITY_DISABLED, words))
    device = _device(work, None) if spec.on_device else None
    order = Order(action=spec.id, input=load_input(spec, given), target=target(device) if device else None)
    if work.run.simulated and spec.side_effects:
        return _simulated(spec)
    doing = StepContext(
        rmm=work.rmm,
        session=work.session,
        actor=actor,
        key=work.key,
        run_id=work.run.id,
        values=work.seen,
    )
    return ended(as_promised(spec, pack.perform(doing, order)))


# --- A vendor's


def _vendors(work: Work, spec: ActionSpec, provider: Provider, given: Mapping[str, Any]) -> Result:
    actor, session = rows.actor(work.run), work.session
    # Before anything is looked for: whoever lacks the right is told that, whatever else is wrong.
    require_right(work.rmm, actor, spec)
    integration_id = targets.connection(session, actor.tenant_id, work.step, provider, work.seen)
    work.facts["integration_id"] = integration_id
    device = _device(work, integration_id) if spec.on_device else None
    device_id = device.id if device else None
    if work.run.simulated and spec.side_effects:
        check(
            work.rmm,
            session,
            actor,
            spec.id,
            integration_id=integration_id,
            device_id=device_id,
            value=given,
        )
        return _simulated(spec)
    if not places.has_room(session, actor.tenant_id, integration_id, work.run.id):
        return Full()
    invocation_id = request(
        work.rmm,
        session,
        actor,
        spec.id,
        integration_id=integration_id,
        device_id=device_id,
        input=given,
        idempotency_key=work.key,
        workflow_run_id=work.run.id,
    )
    return Asked(invocation_id)


def _device(work: Work, integration_id: UUID | None) -> DeviceRow:
    found = targets.device(work.session, work.run.tenant_id, work.step, integration_id, work.seen)
    work.facts["device_id"] = found.id
    return found


def _simulated(spec: ActionSpec) -> Ended:
    words = "Worked out and checked, not done. The output is an example."
    return Ended(StepState.SIMULATED, words, examples.of(spec.output))
