"""Doing what was asked for: the mark that it begins, the vendor's call, what came of it.

The mark is committed before the vendor is called. An attempt that finds it belongs to a worker that went
away in between: what changes something is then ``unknown`` and never asked for again, what only reads is
asked once more. The result, the ticket's note and the audit are one transaction.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.actions import ActionState, ErrorCode, Order, Outcome, failed
from rmm_extension.domain.contracts.actions import ActionSpec, check_output
from rmm_extension.domain.errors import (
    AuthFailed,
    Invalid,
    ProviderError,
    RateLimited,
    RMMError,
    Unavailable,
)
from rmm_extension.domain.logline import line
from rmm_extension.domain.types import Connection
from rmm_extension.models import ActionInvocation, utc_now
from rmm_extension.providers.capabilities import PerformsActions
from rmm_extension.services import connections, kinds, lease
from rmm_extension.services.context import Rmm
from rmm_extension.services.lease import Cancelled, LeaseLost
from rmm_extension.services.runs import Run
from rmm_extension.services.unit import unit

from . import invocations, registry
from .check import check
from .context import Context
from .invocations import UnknownInvocation
from .outcomes import CALLED_OFF, INTERRUPTED, code_of, outcome_of
from .result import NOT_NOTED, write_result, write_surely

log = logging.getLogger("rmm_extension")

BEGIN_WITHIN = timedelta(hours=2)
"""What changes something is not begun later than so long after it was asked for: nobody expects it then."""


@dataclass(frozen=True, slots=True)
class Begun:
    """An action whose beginning is committed: what the vendor is asked, and the token of this beginning."""

    invocation_id: UUID
    spec: ActionSpec
    provider: PerformsActions
    connection: Connection
    order: Order
    started_at: datetime


def perform(rmm: Rmm, run: Run) -> dict[str, Any]:
    """Do the action of the run, once. Only what surely was not done is put off and tried again."""
    invocation_id = UUID(run.subject["invocation_id"])
    try:
        begun = _begin(rmm, run, invocation_id)
    except UnknownInvocation:
        return {}
    if not isinstance(begun, Begun):
        return begun
    try:
        outcome = begun.provider.perform_action(
            begun.connection, begun.order, Context(rmm, begun.connection, run.actor)
        )
    except ProviderError as error:
        if _is_put_off(run, begun, error):
            _put_back(rmm, run, begun)
            raise
        outcome = outcome_of(error, begun.spec)
        if isinstance(error, AuthFailed):
            _end(rmm, run, begun, outcome)
            raise  # so that the connection is marked and somebody is told
    except RMMError as error:
        outcome = outcome_of(error, begun.spec)
    return _end(rmm, run, begun, outcome)


def tell_failure(rmm: Rmm, session: Session, run: Run, message: str) -> None:
    """The run was given up: so is its action, if it was not over."""
    try:
        row = invocations.load(session, run.tenant_id, UUID(run.subject["invocation_id"]), lock=True)
    except UnknownInvocation:
        return
    _end_with_run(rmm, session, row, failed(ErrorCode.INTERNAL_ERROR, message))


def cancelled(rmm: Rmm, session: Session, tenant_id: str, run_id: UUID) -> None:
    """The run was cancelled, by whichever way: so is its action, if it was not begun."""
    row = invocations.load_of_run(session, tenant_id, run_id)
    if row is not None:
        _end_with_run(rmm, session, row, CALLED_OFF)


def _end_with_run(rmm: Rmm, session: Session, row: ActionInvocation, outcome: Outcome) -> None:
    """Close an action whose run is over. Nobody will look at one that was begun: it may have happened."""
    state = ActionState(row.state)
    if not state.is_over:
        write_surely(rmm, session, row, INTERRUPTED if state is ActionState.RUNNING else outcome)


def _begin(rmm: Rmm, run: Run, invocation_id: UUID) -> Begun | dict[str, Any]:
    """Check again and commit the mark; or the counts of an action that is not begun any more."""
    with unit(rmm) as session:
        # The run first, then the action: whoever cancels locks them in the same order.
        is_cancelled = lease.write(session, run, {"doing": "Asking the vendor."})
        row = invocations.load(session, run.tenant_id, invocation_id, lock=True)
        if ActionState(row.state).is_over:
            return {}
        found = _why_not(rmm, row, is_cancelled=is_cancelled) or _mark(rmm, session, run, row)
        if isinstance(found, Begun):
            return found
        write_surely(rmm, session, row, found)
    if is_cancelled:
        raise Cancelled("The run was cancelled.")
    return {found.state.value: 1}


def _why_not(rmm: Rmm, row: ActionInvocation, *, is_cancelled: bool) -> Outcome | None:
    """Why an action is not begun, by its state and its age."""
    changes = _changes_something(rmm, row.action)
    if row.state == ActionState.RUNNING and changes:
        return INTERRUPTED
    if is_cancelled:
        return CALLED_OFF
    if changes and is_late(row):
        hours = BEGIN_WITHIN // timedelta(hours=1)
        return failed(ErrorCode.EXPIRED, f"It could not be begun within {hours} hours. Ask for it again.")
    return None


def is_late(row: ActionInvocation) -> bool:
    """Whether it was asked for so long ago that nobody expects it any more."""
    age: timedelta = utc_now() - row.created_at
    return age > BEGIN_WITHIN


def _changes_something(rmm: Rmm, action_id: str) -> bool:
    try:
        return registry.get(rmm, action_id).side_effects
    except registry.UnknownAction:
        return True


def _mark(rmm: Rmm, session: Session, run: Run, row: ActionInvocation) -> Begun | Outcome:
    """Judge everything anew, for it may be other than when it was asked for, and mark the beginning."""
    try:
        value = invocations.unseal(rmm, row)
        allowed = check(
            rmm,
            session,
            run.actor,
            row.action,
            integration_id=row.integration_id,
            device_id=row.device_id,
            value=value,
        )
        connection = connections.build(rmm, session, allowed.connection, waits=True)
    except registry.UnknownAction as error:
        return failed(ErrorCode.NOT_FOUND, str(error))
    except RMMError as error:
        return failed(code_of(error), str(error))
    row.state, row.started_at = ActionState.RUNNING, utc_now()
    device = allowed.device
    order = Order(
        action=row.action, input=allowed.input, target=invocations.target(device) if device else None
    )
    assert isinstance(allowed.provider, PerformsActions)
    return Begun(row.id, allowed.spec, allowed.provider, connection, order, row.started_at)


def _is_put_off(run: Run, begun: Begun, error: ProviderError) -> bool:
    """Whether to try again: it surely was not done, or only reads, and there is time and a try left."""
    passes = isinstance(error, (RateLimited, Unavailable))
    harmless = not (begun.spec.side_effects and error.may_have_arrived)
    tries_left = isinstance(error, RateLimited) or run.tries < kinds.get(run.kind).max_attempts
    asked_at = run.queued_at or begun.started_at
    return passes and harmless and tries_left and utc_now() - asked_at < BEGIN_WITHIN


def _put_back(rmm: Rmm, run: Run, begun: Begun) -> None:
    """Unmark what surely was not done, so that the next attempt begins it."""
    with unit(rmm) as session:
        lease.write(session, run, {"doing": None})
        row = invocations.load(session, run.tenant_id, begun.invocation_id, lock=True)
        if _is_mine(row, begun):
            row.state, row.started_at = ActionState.QUEUED, None


def _end(rmm: Rmm, run: Run, begun: Begun, outcome: Outcome) -> dict[str, Any]:
    """Write the result; where the ticket or the database stands in the way, again, at last without note."""
    told = as_promised(begun.spec, outcome)
    for _ in range(2):
        try:
            return _write_end(rmm, run, begun, told, noted=True)
        except NOT_NOTED as error:
            log.warning(line("action.note_failed", run=run.id, error=type(error).__name__))
    return _write_end(rmm, run, begun, told, noted=False)


def _write_end(rmm: Rmm, run: Run, begun: Begun, outcome: Outcome, *, noted: bool) -> dict[str, Any]:
    lost: LeaseLost | None = None
    with unit(rmm) as session:
        try:
            lease.write(session, run, {"doing": None})
        except LeaseLost as error:
            # Given up for dead while the vendor was asked: what it answered is still the truth.
            lost = error
        row = invocations.load(session, run.tenant_id, begun.invocation_id, lock=True)
        if _is_mine(row, begun):
            write_result(rmm, session, row, outcome, noted=noted)
    if lost:
        raise lost
    return {outcome.state.value: 1}


def _is_mine(row: ActionInvocation, begun: Begun) -> bool:
    """Whether the row's beginning is ours, and nobody has written a result that is more than a guess."""
    open_ = row.state in (ActionState.RUNNING, ActionState.UNKNOWN)
    return open_ and row.started_at == begun.started_at


def as_promised(spec: ActionSpec, outcome: Outcome) -> Outcome:
    """The outcome, if its output fits the contract; a provider's slip does not make it undone."""
    if outcome.output is None:
        return outcome
    try:
        check_output(spec, outcome.output)
    except Invalid as error:
        log.error(line("action.output_refused", action=spec.id, problem=str(error)[:500]))
        return Outcome(
            state=outcome.state,
            message=f"{outcome.message} Its output had an unexpected shape and was not kept.",
            error_code=outcome.error_code,
        )
    return outcome
