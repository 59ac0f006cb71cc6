"""Maintenance windows: what an administrator does with them.

Every change moves the configuration's version of the connections it concerns, so that the very next event in
every process obeys it, and is in the audit. The window's row is locked first, then the connections in the
order of their ids. Alerts that a window suppressed keep its id until the tick decides on them anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any
from uuid import UUID

from marshmallow import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension.domain.contracts.strict import problems
from rmm_extension.domain.contracts.windows import load_window
from rmm_extension.domain.errors import Conflict, Invalid
from rmm_extension.domain.window_words import moment_words, times
from rmm_extension.domain.windows import Window, ends_at
from rmm_extension.host import Actor
from rmm_extension.models import MaintenanceWindow, new_id, utc_now

from . import audit
from .context import Rmm
from .window_scopes import maintainable, renew, scope_names, wrong_scopes

_COLUMNS = {
    "name": "name",
    "integrationId": "integration_id",
    "clientId": "client_id",
    "assetId": "asset_id",
    "isActive": "is_active",
    "atVendor": "at_vendor",
    "startsAt": "starts_at",
    "endsAt": "ends_at",
    "recurrence": "recurrence",
}
"""The column of each setting of the contract."""
NONE_AT_VENDOR = "No vendor in this window's scope can be told of maintenance: untick this."


class UnknownWindow(LookupError):
    """No such window in this tenant."""


class WindowInvalid(Invalid):
    """A window that cannot be kept."""


def create(rmm: Rmm, session: Session, actor: Actor, value: Mapping[str, Any]) -> MaintenanceWindow:
    """Add a window, given as the JSON of the contract; raises :class:`WindowInvalid`."""
    columns = _checked(rmm, session, actor.tenant_id, value)
    row = MaintenanceWindow(tenant_id=actor.tenant_id, id=new_id(), **columns)
    session.add(row)
    _changed(session, actor, row, "window.created", _differences({}, _said(rmm, session, row)))
    return row


def update(
    rmm: Rmm, session: Session, actor: Actor, window_id: UUID, value: Mapping[str, Any]
) -> MaintenanceWindow:
    """Make the window what the JSON says, in full. What changes nothing is no change.

    While its days and times stay, an occurrence that was ended early stays ended.
    """
    row = locked(session, actor.tenant_id, window_id)
    columns = _checked(rmm, session, actor.tenant_id, value)
    columns["recurrence"] = _with_early_end(row.recurrence, columns["recurrence"])
    if all(getattr(row, name) == found for name, found in columns.items()):
        return row
    before, scope = _said(rmm, session, row), row.integration_id
    for name, found in columns.items():
        setattr(row, name, found)
    changes = _differences(before, _said(rmm, session, row))
    _changed(session, actor, row, "window.updated", changes, scope)
    return row


def delete(rmm: Rmm, session: Session, actor: Actor, window_id: UUID) -> MaintenanceWindow:
    """Remove the window."""
    row = locked(session, actor.tenant_id, window_id)
    changes = _differences(_said(rmm, session, row), {})
    session.delete(row)
    _changed(session, actor, row, "window.deleted", changes)
    return row


def set_active(session: Session, actor: Actor, window_id: UUID, active: bool) -> MaintenanceWindow:
    """Switch the window on or off; no change when it is so already."""
    row = locked(session, actor.tenant_id, window_id)
    if row.is_active != active:
        row.is_active = active
        _changed(session, actor, row, "window.switched_on" if active else "window.switched_off", {})
    return row


def end_now(session: Session, actor: Actor, window_id: UUID) -> MaintenanceWindow:
    """End the time that is running: a one-off window is over, a weekly one holds again the next time.

    ``Conflict`` when it is not running.
    """
    row, now = locked(session, actor.tenant_id, window_id), utc_now()
    end = ends_at(window_of(row), now) if row.is_active else None
    if end is None:
        raise Conflict(f"“{row.name}” is not running now.")
    if row.recurrence:
        skip = {"from": now.isoformat(), "until": end.isoformat()}
        row.recurrence = {**row.recurrence, "skip": skip}
    else:
        row.ends_at = now
    ends = [f"{moment_words(moment)} UTC" for moment in (end.astimezone(UTC), now)]
    _changed(session, actor, row, "window.ended_early", {"end": ends})
    return row


def locked(session: Session, tenant_id: str, window_id: UUID) -> MaintenanceWindow:
    """The window, its row locked; raises :class:`UnknownWindow`."""
    statement = select(MaintenanceWindow).where(
        MaintenanceWindow.tenant_id == tenant_id, MaintenanceWindow.id == window_id
    )
    found = session.scalar(statement.with_for_update().execution_options(populate_existing=True))
    if found is None:
        raise UnknownWindow("This maintenance window does not exist (any more).")
    return found


def window_of(row: Any) -> Window:
    """A stored window, or a row with its columns, as the domain knows it."""
    return Window(
        row.id,
        row.name,
        row.integration_id,
        row.client_id,
        row.asset_id,
        row.starts_at,
        row.ends_at,
        row.recurrence,
    )


def draft_window(value: Mapping[str, Any]) -> Window:
    """The window that this JSON describes, without a look at what it names; raises :class:`WindowInvalid`."""
    columns = _read(value)
    del columns["is_active"], columns["at_vendor"]
    return Window(id=new_id(), **columns)


def _read(value: Mapping[str, Any]) -> dict[str, Any]:
    try:
        loaded = load_window(value)
    except ValidationError as error:
        raise WindowInvalid(problems(error)) from error
    return {_COLUMNS[name]: found for name, found in loaded.items()}


def _checked(rmm: Rmm, session: Session, tenant_id: str, value: Mapping[str, Any]) -> dict[str, Any]:
    columns = _read(value)
    scopes = columns["integration_id"], columns["client_id"], columns["asset_id"]
    if errors := wrong_scopes(rmm, session, tenant_id, *scopes):
        raise WindowInvalid(errors)
    if columns["at_vendor"] and not maintainable(rmm, session, tenant_id, columns["integration_id"]):
        raise WindowInvalid({"atVendor": [NONE_AT_VENDOR]})
    return columns


def _with_early_end(stored: dict[str, Any] | None, given: dict[str, Any] | None) -> dict[str, Any] | None:
    if stored is None or given is None or "skip" not in stored:
        return given
    kept = {**given, "skip": stored["skip"]}
    return kept if kept == stored else given


def _said(rmm: Rmm, session: Session, row: MaintenanceWindow) -> dict[str, Any]:
    """The window in words, for the audit."""
    names = scope_names(rmm, session, row.tenant_id, [row])
    return {
        "name": row.name,
        "connection": names.connections.get(row.integration_id) if row.integration_id else None,
        "client": names.clients.get(row.client_id, row.client_id) if row.client_id else None,
        "asset": names.assets.get(row.asset_id, row.asset_id) if row.asset_id else None,
        "active": row.is_active,
        "at the vendor": row.at_vendor,
        "time": times(window_of(row)),
    }


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    names = before or after
    pairs = {name: [before.get(name), after.get(name)] for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _changed(
    session: Session,
    actor: Actor,
    row: MaintenanceWindow,
    action: str,
    changes: dict[str, Any],
    *former_scopes: UUID | None,
) -> None:
    """Let the next event of every connection concerned see the change, and write down who made it."""
    session.flush()
    renew(session, row.tenant_id, {row.integration_id, *former_scopes})
    audit.record(
        session,
        actor,
        action,
        subject_type="window",
        subject_id=row.id,
        subject_name=row.name,
        integration_id=row.integration_id,
        changes=changes,
    )
