"""Booking technicians on the host's dispatch board, by the host's own path."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy.orm import Session

from rmm_extension.domain.actions import ActionRefused, ErrorCode, Order, Outcome, failed, succeeded
from rmm_extension.domain.contracts.actions import ActionModule, ActionSpec
from rmm_extension.domain.errors import HostRejected
from rmm_extension.domain.wall_clock import find_zone
from rmm_extension.host import Schedule, ScheduleConflict, ScheduleDraft, User
from rmm_extension.services import audit
from rmm_extension.services.context import Rmm
from rmm_extension.workflows.pack import Pack, StepContext

from .schedule_contracts import OVERRIDE, SHIFT, CreatedEntry, CreateEntry

KEY = "core:scheduling"
CREATE_ENTRY = ActionSpec(
    id="scheduling.create_entry",
    module=KEY,
    label="Book technicians",
    description="Puts an entry for one or several technicians on the dispatch board.",
    input=CreateEntry,
    output=CreatedEntry,
    side_effects=True,
    category="Scheduling",
    icon="calendar",
    permission="rmm.workflows.manage",
    on_device=False,
)


def create_entry(context: StepContext, order: Order) -> Outcome:
    """Book all of them or nobody, with their schedules held so that nobody else books them meanwhile."""
    board, given = _board(context), order.input
    if not board.may_book(context.actor):
        words = f"{context.actor.name} may not put entries on the dispatch board."
        raise ActionRefused(ErrorCode.PERMISSION_DENIED, words)
    users = tuple(dict.fromkeys(given["assigned_user_ids"]))
    if refusal := _refuse_users(context, board, users):
        return refusal
    _require_link(context, board, given.get("link"))
    board.hold(context.session, context.tenant_id, users)
    return _book(context, board, _draft(context.key, users, given), given)


def _board(context: StepContext) -> Schedule:
    if context.rmm.host.schedule is None:
        raise ActionRefused(ErrorCode.CAPABILITY_DISABLED, "This PSA has no dispatch board.")
    return context.rmm.host.schedule


def _refuse_users(context: StepContext, board: Schedule, users: Collection[str]) -> Outcome | None:
    """A failure naming those who are not here, or are no technicians; ``None`` where all can be booked."""
    able = {user.id for user in board.technicians(context.session, context.tenant_id)}
    others = [user for user in users if user not in able]
    known = _users(context, others)
    missing = [user for user in others if user not in known]
    if missing:
        words = f"There is no active user with the id {', '.join(missing)}."
        return failed(ErrorCode.NOT_FOUND, words, {"missing_user_ids": missing})
    if others:
        names = ", ".join(known[user].name for user in others)
        return failed(ErrorCode.PERMISSION_DENIED, f"Only technicians can be booked, and not {names}.")
    return None


def _users(context: StepContext, ids: Collection[str]) -> dict[str, User]:
    """Those who work here, by id."""
    port = context.rmm.host.users
    if port is None or not ids:
        return {}
    found = port.get_many(context.session, context.tenant_id, ids)
    return {user.id: user for user in found.values() if user.is_active}


def _require_link(context: StepContext, board: Schedule, link: dict[str, Any] | None) -> None:
    if link and not board.link_exists(context.session, context.tenant_id, link["type"], link["id"]):
        kind = link["type"].replace("_", " ")
        raise ActionRefused(ErrorCode.NOT_FOUND, f"The {kind} to book time for does not exist.")


def _draft(key: str, users: tuple[str, ...], given: dict[str, Any]) -> ScheduleDraft:
    window, link = given["window"], given.get("link") or {}
    return ScheduleDraft(
        idempotency_key=key,
        user_ids=users,
        title=given["title"],
        start=datetime.fromisoformat(window["start"]),
        end=datetime.fromisoformat(window["end"]),
        link_type=link.get("type"),
        link_id=link.get("id"),
        notes=given.get("notes"),
    )


def _book(context: StepContext, board: Schedule, draft: ScheduleDraft, given: dict[str, Any]) -> Outcome:
    mode = given["conflict_mode"]
    taken = _conflicts(context, board, draft)
    if taken and mode == SHIFT:
        draft = _moved(draft, taken)
        taken = _conflicts(context, board, draft)
    if taken and mode != OVERRIDE:
        return _conflict(context, taken)
    draft = replace(draft, overlaps=tuple(sorted({one.user_id for one in taken})))
    try:
        entry_id = board.book(context.session, context.tenant_id, draft)
    except HostRejected as refusal:
        raise ActionRefused(ErrorCode.VALIDATION_ERROR, str(refusal)) from refusal
    _audit(context, draft, entry_id, mode)
    return _booked(draft, entry_id, find_zone(given["window"].get("timezone", "")))


def _conflicts(context: StepContext, board: Schedule, draft: ScheduleDraft) -> Sequence[ScheduleConflict]:
    return board.conflicts(context.session, context.tenant_id, draft.user_ids, draft.start, draft.end)


def _moved(draft: ScheduleDraft, taken: Sequence[ScheduleConflict]) -> ScheduleDraft:
    """As long, from when the last of what is in the way ends; tried once."""
    start = max(one.end for one in taken).astimezone(draft.start.tzinfo)
    return replace(draft, start=start, end=start + (draft.end - draft.start))


def _conflict(context: StepContext, taken: Sequence[ScheduleConflict]) -> Outcome:
    ids = sorted({one.user_id for one in taken})
    users = _users(context, ids)
    names = ", ".join(users[one].name if one in users else one for one in ids)
    verb = "has" if len(ids) == 1 else "have"
    words = f"{names} {verb} something then: “{taken[0].title}”. Nothing was booked."
    return failed(ErrorCode.CONFLICT, words, {"conflicting_user_ids": ids})


def _booked(draft: ScheduleDraft, entry_id: str, zone: tzinfo | None) -> Outcome:
    """What was booked, by the clocks of the zone that was asked for."""
    start, end = (
        draft.start.astimezone(zone or draft.start.tzinfo),
        draft.end.astimezone(zone or draft.end.tzinfo),
    )
    output = {
        "entry_id": entry_id,
        "assigned_user_ids": list(draft.user_ids),
        "start": start.isoformat(),
        "end": end.isoformat(),
        "work_item_id": draft.link_id,
        "work_item_type": draft.link_type or "ad_hoc",
    }
    return succeeded(f"“{draft.title}” is booked from {start:%Y-%m-%d %H:%M %Z} to {end:%H:%M %Z}.", output)


def _audit(context: StepContext, draft: ScheduleDraft, entry_id: str, mode: str) -> None:
    said = {
        "users": list(draft.user_ids),
        "start": draft.start.isoformat(),
        "end": draft.end.isoformat(),
        "conflict_mode": mode,
        "overlaps": list(draft.overlaps),
        "workflow_run": str(context.run_id) if context.run_id else None,
    }
    audit.record(
        context.session,
        context.actor,
        "schedule.booked",
        subject_type="schedule_entry",
        subject_id=entry_id,
        subject_name=draft.title,
        changes=said,
    )


def _available(rmm: Rmm, _session: Session, _tenant_id: str) -> bool:
    return rmm.host.schedule is not None


PACK = Pack(
    module=ActionModule(
        key=KEY,
        label="Scheduling",
        description="The dispatch board of the PSA.",
        icon="calendar",
        default_action=CREATE_ENTRY.id,
        availability="host:schedule",
        actions=(CREATE_ENTRY,),
    ),
    perform=create_entry,
    available=_available,
)
