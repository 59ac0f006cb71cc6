"""How a connection fares with its vendor: well, in trouble, or in need of a person; told once each time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, true, update
from sqlalchemy.orm import Session

from rmm_extension.domain.connection_states import TROUBLED_STATES, WORKING_STATES
from rmm_extension.models import Integration, utc_now

from . import outbox


def not_replaced_since(moment: datetime | None) -> ColumnElement[bool]:
    """Whether the sign-in is the one of ``moment``, when a run was taken: what the run heard concerns it."""
    saved = Integration.connected_at
    return true() if moment is None else or_(saved.is_(None), saved <= moment)


def mark_needs_reauth(
    session: Session, tenant_id: str, integration_id: UUID, message: str, *, since: datetime | None = None
) -> None:
    """The vendor refuses the credentials: stop polling and tell the administrators once.

    Credentials that were replaced after ``since`` may be refused: that says nothing of the ones stored now.
    """
    changed = session.execute(
        update(Integration)
        .where(
            Integration.tenant_id == tenant_id,
            Integration.id == integration_id,
            Integration.state.in_(WORKING_STATES),
            not_replaced_since(since),
        )
        .values(
            state="needs_reauth",
            last_error=message,
            last_error_at=utc_now(),
            config_version=Integration.config_version + 1,
        )
        .returning(Integration.name, Integration.provider)
    ).first()
    if changed:
        tell_health(session, tenant_id, "connection_down", integration_id, changed.name, message)


def mark_error(
    session: Session, tenant_id: str, integration_id: UUID, message: str, *, since: datetime | None = None
) -> None:
    """The last talk with the vendor failed; polling goes on.

    As with :func:`mark_needs_reauth`: a sign-in that replaced the one of ``since`` is left alone.
    """
    changes = {"last_error": message, "last_error_at": utc_now()}
    _note(session, tenant_id, integration_id, ("connected",), "error", changes, since=since)


def mark_well(
    session: Session, tenant_id: str, integration_id: UUID, *, since: datetime | None = None
) -> None:
    """The last talk with the vendor went well; after trouble its alerts are polled at once.

    As with :func:`mark_needs_reauth`: a sign-in that replaced the one of ``since`` is left alone.
    """
    _note(session, tenant_id, integration_id, ("error",), "connected", _WELL, since=since)


def look_again(session: Session, tenant_id: str, integration_id: UUID) -> None:
    """Something went well that does not speak for the connection: one in trouble is polled at once."""
    session.execute(
        update(Integration)
        .where(
            Integration.tenant_id == tenant_id, Integration.id == integration_id, Integration.state == "error"
        )
        .values(next_reconcile_at=None)
    )


def mark_tested(session: Session, tenant_id: str, integration_id: UUID) -> None:
    """The stored credentials have just passed every check, so that an expired sign-in is over, too."""
    changes = _WELL | {"reconcile_state": {}, "config_version": Integration.config_version + 1}
    _note(session, tenant_id, integration_id, TROUBLED_STATES, "connected", changes)


_WELL: dict[str, Any] = {"last_error": None, "last_error_at": None, "next_reconcile_at": None}


def _note(
    session: Session,
    tenant_id: str,
    integration_id: UUID,
    states: Collection[str],
    state: str,
    changes: Mapping[str, Any],
    since: datetime | None = None,
) -> None:
    """Move the connection on from one of the states, and tell it; in any other state it is left alone."""
    ours = (Integration.tenant_id == tenant_id, Integration.id == integration_id, not_replaced_since(since))
    moved = session.execute(
        update(Integration)
        .where(*ours, Integration.state.in_(states))
        .values(state=state, **changes)
        .returning(Integration.name)
    ).first()
    if moved:
        topic = "connection_up" if state == "connected" else "connection_down"
        tell_health(session, tenant_id, topic, integration_id, moved.name, changes["last_error"] or "")


def tell_health(
    session: Session, tenant_id: str, topic: str, integration_id: UUID, name: str, message: str
) -> None:
    """Write the notice ``connection_up`` or ``connection_down`` to the outbox."""
    payload = {
        "integration_id": str(integration_id),
        "name": name,
        "message": message,
        "at": utc_now().isoformat(),
    }
    outbox.put(session, tenant_id, topic, payload)
