"""Alerts that a vendor told of and that could not be taken: set aside, so that they stop no other.

Each is tried again by itself at growing gaps, and then only when a person asks for it. The row goes when the
alert was taken, or when the vendor does not know it any more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from rmm_extension.domain.connection_states import refusal, works
from rmm_extension.domain.errors import Conflict
from rmm_extension.domain.types import UnreadAlert
from rmm_extension.host import Actor
from rmm_extension.models import SetAsideAlert, new_id

from . import audit, connections, runs
from .driver import json_text, run

GAPS = (
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=12),
)
"""Between the tries that are made without being asked."""
AT_ONCE = 50
"""So many are tried again in one run."""

_FAILED = """
INSERT INTO rmm_set_aside_alerts
    (tenant_id, id, integration_id, external_id, reason, attempts, first_at, last_at, due_at, changed_at)
VALUES (%(tenant)s, %(id)s, %(integration)s, %(alert)s, %(reason)s, 1, now(), now(),
        now() + (%(gaps)s::interval[])[1], %(changed)s)
ON CONFLICT (tenant_id, integration_id, external_id) DO UPDATE SET
    reason = EXCLUDED.reason, attempts = rmm_set_aside_alerts.attempts + 1, last_at = EXCLUDED.last_at,
    due_at = now() + (%(gaps)s::interval[])[rmm_set_aside_alerts.attempts + 1],
    changed_at = COALESCE(EXCLUDED.changed_at, rmm_set_aside_alerts.changed_at), dismissed_at = NULL
"""

# One that is here already is tried when it is due; that it is listed once more is no try.
_UNREAD = """
INSERT INTO rmm_set_aside_alerts
    (tenant_id, id, integration_id, external_id, reason, attempts, first_at, last_at, due_at, synthesized)
SELECT %(tenant)s, u.id, %(integration)s, u.alert, u.reason, 1, now(), now(),
       CASE WHEN NOT u.synthesized THEN now() + (%(gaps)s::interval[])[1] END, u.synthesized
FROM jsonb_to_recordset(%(unread)s::jsonb) AS u(id uuid, alert text, reason text, synthesized boolean)
ON CONFLICT (tenant_id, integration_id, external_id) DO NOTHING
RETURNING external_id
"""


@dataclass(frozen=True, slots=True)
class Place:
    """The connection whose alerts these are; ``can_ask``: its vendor tells one alert alone."""

    tenant_id: str
    integration_id: UUID
    can_ask: bool

    def parameters(self) -> dict[str, Any]:
        """For the statements above."""
        gaps = list(GAPS) if self.can_ask else []
        return {"tenant": self.tenant_id, "integration": self.integration_id, "gaps": gaps}


def keep_failed(
    session: Session, place: Place, external_id: str, reason: str, changed_at: datetime | None
) -> None:
    """Set an alert aside that could not be taken, or count one more try of it."""
    more = {"id": new_id(), "alert": external_id, "reason": reason, "changed": changed_at}
    run(session, _FAILED, {**place.parameters(), **more})


def keep_unread(session: Session, place: Place, unread: Sequence[UnreadAlert]) -> set[str]:
    """Set alerts aside that could not be read; the ids of those that were not aside yet."""
    rows = [
        {"id": new_id(), "alert": one.external_id, "reason": one.reason, "synthesized": one.synthesized}
        for one in {one.external_id: one for one in unread}.values()
    ]
    if not rows:
        return set()
    new = run(session, _UNREAD, {**place.parameters(), "unread": json_text(rows)})
    return {row["external_id"] for row in new}


def due(session: Session, place: Place, *, without: Collection[str]) -> Sequence[str]:
    """The ids that are to be tried now, those that wait longest first."""
    statement = select(SetAsideAlert.external_id).where(
        SetAsideAlert.tenant_id == place.tenant_id,
        SetAsideAlert.integration_id == place.integration_id,
        SetAsideAlert.due_at <= func.now(),
        SetAsideAlert.external_id.not_in(without),
    )
    return session.scalars(statement.order_by(SetAsideAlert.due_at).limit(AT_ONCE)).all()


def forget(session: Session, place: Place, external_ids: Collection[str]) -> None:
    """They were taken, or are gone at the vendor."""
    session.execute(
        delete(SetAsideAlert).where(
            SetAsideAlert.tenant_id == place.tenant_id,
            SetAsideAlert.integration_id == place.integration_id,
            SetAsideAlert.external_id.in_(external_ids),
        )
    )


def try_again(session: Session, actor: Actor, set_aside_id: UUID) -> UUID | None:
    """Have one tried now; the run that does it, ``None`` where the next one will.

    Raises ``Conflict`` with a sentence where there is nobody to ask.
    """
    row = _get(session, actor, set_aside_id)
    connection = connections.get(session, actor.tenant_id, row.integration_id, lock=True)
    if not works(connection.state):
        raise Conflict(refusal(connection.name, connection.state))
    if row.synthesized:
        raise Conflict("This alert came without an id, so the vendor cannot be asked for it.")
    row.due_at, row.dismissed_at = func.now(), None
    _audit(session, actor, row, "alert.set_aside_retried")
    started = runs.try_start(session, actor, "alert_reconcile", integration_id=row.integration_id)
    if started is None:
        # One is under way and may have looked already.
        connection.next_reconcile_at = None
    return started


def dismiss(session: Session, actor: Actor, set_aside_id: UUID) -> str:
    """Have one left alone until it changes at the vendor; its id there."""
    row = _get(session, actor, set_aside_id)
    row.due_at, row.dismissed_at = None, func.now()
    _audit(session, actor, row, "alert.set_aside_dismissed")
    return row.external_id


def _get(session: Session, actor: Actor, set_aside_id: UUID) -> SetAsideAlert:
    statement = select(SetAsideAlert).where(
        SetAsideAlert.tenant_id == actor.tenant_id, SetAsideAlert.id == set_aside_id
    )
    found = session.scalar(statement.with_for_update())
    if found is None or found.dismissed_at is not None:
        raise Conflict("This alert is not set aside any more.")
    return found


def _audit(session: Session, actor: Actor, row: SetAsideAlert, action: str) -> None:
    audit.record(
        session,
        actor,
        action,
        subject_type="alert",
        subject_id=row.id,
        subject_name=row.external_id,
        integration_id=row.integration_id,
        changes={"reason": row.reason},
    )
