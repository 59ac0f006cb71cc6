"""The audit trail of configuration changes and device actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from rmm_extension.host import Actor
from rmm_extension.models import Audit, new_id, utc_now


def record(
    session: Session,
    actor: Actor,
    action: str,
    *,
    subject_type: str,
    subject_id: object,
    subject_name: str = "",
    integration_id: UUID | None = None,
    changes: dict[str, Any] | None = None,
) -> None:
    """Write who did what, in the transaction that does it. ``changes`` must hold no secret."""
    record_all(
        session, actor, action, subject_type, [Subject(subject_id, subject_name, integration_id)], changes
    )


@dataclass(frozen=True, slots=True)
class Subject:
    """What something was done to."""

    id: object
    name: str
    integration_id: UUID | None


def record_all(
    session: Session,
    actor: Actor,
    action: str,
    subject_type: str,
    subjects: Sequence[Subject],
    changes: dict[str, Any] | None = None,
) -> None:
    """As :func:`record`, for the same done to several: a line each, in one statement."""
    if not subjects:
        return
    common = {
        "tenant_id": actor.tenant_id,
        "at": utc_now(),
        "actor_id": actor.id,
        "actor_name": actor.name,
        "action": action,
        "subject_type": subject_type,
        "changes": changes or {},
    }
    rows = [
        {
            **common,
            "id": new_id(),
            "subject_id": str(one.id),
            "subject_name": one.name,
            "integration_id": one.integration_id,
        }
        for one in subjects
    ]
    session.execute(insert(Audit).values(rows))
