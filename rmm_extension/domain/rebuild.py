"""An alert's state folded from its history: what its row says, the rows of its history say too.

The history is append-only, so this is the proof that nothing changed an alert without leaving its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from .types import OPEN_STATUSES, AlertStatus, Outcome

Step = Mapping[str, Any]


class HistoryRow(Protocol):
    """One row of an alert's history, as it is stored."""

    @property
    def kind(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def rule_id(self) -> UUID | None: ...
    @property
    def actor(self) -> str | None: ...
    @property
    def steps(self) -> Sequence[Step]: ...


@dataclass(frozen=True, slots=True)
class State:
    """The columns that tell where an alert stands; ``awaits_text`` is a ``details_due_at`` that is set."""

    status: str
    severity: str
    episode: int = 1
    ticket_id: str | None = None
    matched_rule_id: UUID | None = None
    suppressed_by_window_id: UUID | None = None
    attention: str | None = None
    hold_until: datetime | None = None
    awaits_text: bool = False
    acknowledged_by: str | None = None
    resolved_by: str | None = None
    resolved_here: bool = False


def rebuild(history: Iterable[HistoryRow]) -> State | None:
    """The state after these rows, oldest first; ``None`` where there is none."""
    state: State | None = None
    for row in history:
        state = _after(state, row)
    return state


_DECISIONS = frozenset(
    {
        Outcome.SUPPRESSED,
        Outcome.TICKET_CREATED,
        Outcome.OCCURRENCE_APPENDED,
        Outcome.TICKET_REOPENED,
        Outcome.HELD,
        Outcome.RECORDED_ONLY,
        Outcome.AWAITING_DETAILS,
    }
)
_BY_A_PERSON = "ticket"
"""The kind of event when a person asks for a ticket: no rule is asked then."""


def _after(before: State | None, row: HistoryRow) -> State:
    codes = {str(step.get("code")): step for step in row.steps}
    state = _start(before, row, codes)
    for step in row.steps:
        fold = _FOLDS.get(str(step.get("code")))
        if fold is not None:
            state = fold(state, step, row)
    if before is not None and "rule_matched" in codes and row.rule_id is None:
        # The rule that had it already: only a new one is named in the row.
        state = replace(state, matched_rule_id=before.matched_rule_id)
    return state


def _start(before: State | None, row: HistoryRow, codes: Mapping[str, Step]) -> State:
    """What the row's steps work on: a new episode, an alert that is decided on anew, or what there was."""
    said = codes.get("received") or codes.get("tombstone") or {}
    severity = str(said.get("severity", "none"))
    if before is None or "new_episode" in codes:
        number = codes.get("new_episode", {}).get("number", 1)
        return State(AlertStatus.ACTIVE, severity, episode=number)
    if "adopted" in codes:
        before = replace(before, severity=severity)
    return _undecided(before, row) if row.outcome in _DECISIONS else before


def _undecided(state: State, row: HistoryRow) -> State:
    is_suppressed = state.status == AlertStatus.SUPPRESSED
    return replace(
        _waiting_no_more(state),
        status=AlertStatus.ACTIVE if is_suppressed else state.status,
        suppressed_by_window_id=None,
        matched_rule_id=state.matched_rule_id if row.kind == _BY_A_PERSON else None,
    )


def _waiting_no_more(state: State) -> State:
    return replace(state, attention=None, hold_until=None, awaits_text=False)


def _suppressed(state: State, step: Step, row: HistoryRow) -> State:
    if state.suppressed_by_window_id is not None:
        return state
    taken_on = state.status == AlertStatus.ACKNOWLEDGED
    status = state.status if taken_on else AlertStatus.SUPPRESSED
    return replace(state, status=status, suppressed_by_window_id=UUID(step["window_id"]))


def _matched(state: State, step: Step, row: HistoryRow) -> State:
    return replace(state, matched_rule_id=row.rule_id)


def _on_ticket(state: State, step: Step, row: HistoryRow) -> State:
    return replace(state, ticket_id=step["ticket_id"])


def _attention(state: State, step: Step, row: HistoryRow) -> State:
    return replace(state, attention=step["code"])


def _held(state: State, step: Step, row: HistoryRow) -> State:
    return replace(state, hold_until=datetime.fromisoformat(step["until"]))


def _awaits_text(state: State, step: Step, row: HistoryRow) -> State:
    return replace(state, awaits_text=True)


def _severity(state: State, step: Step, row: HistoryRow) -> State:
    return replace(state, severity=step["new"])


def _acknowledged(state: State, step: Step, row: HistoryRow) -> State:
    return replace(state, status=AlertStatus.ACKNOWLEDGED, acknowledged_by=row.actor)


def _over(state: State, step: Step, row: HistoryRow) -> State:
    return replace(_waiting_no_more(state), status=AlertStatus.RESOLVED)


def _resolved_here(state: State, step: Step, row: HistoryRow) -> State:
    return replace(_over(state, step, row), resolved_by=row.actor, resolved_here=True)


def _closed_its_ticket(state: State, step: Step, row: HistoryRow) -> State:
    return replace(state, status=AlertStatus.AUTO_RESOLVED)


def _vendor_reset(state: State, step: Step, row: HistoryRow) -> State:
    if not step["accepted"]:
        return replace(state, attention="reset_failed")
    if state.status not in OPEN_STATUSES:
        return replace(state, attention=None)
    return replace(_over(state, step, row), resolved_by=row.actor)


_FOLDS: dict[str, Callable[[State, Step, HistoryRow], State]] = {
    "tombstone": _over,
    "suppressed": _suppressed,
    "rule_matched": _matched,
    "ticket_created": _on_ticket,
    "joined_ticket": _on_ticket,
    "ticket_reopened": _on_ticket,
    "no_client": _attention,
    "ticket_failed": _attention,
    "held": _held,
    "awaiting_details": _awaits_text,
    "severity_changed": _severity,
    "acknowledged": _acknowledged,
    "cleared": _over,
    "vanished": _over,
    "resolved_here": _resolved_here,
    "ticket_closed": _closed_its_ticket,
    "vendor_reset": _vendor_reset,
}
"""What each step of the history does to the state; the others only explain."""
