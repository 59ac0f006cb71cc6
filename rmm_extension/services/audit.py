"""The audit trail of configuration changes and device actions."""

from __future__ import annotations

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
    session.execute(
        insert(Audit).values(
            tenant_id=actor.tenant_id,
            id=new_id(),
            at=utc_now(),
            actor_id=actor.id,
            actor_name=actor.name,
            action=action,
            subject_type=subject_type,
            subject_id=str(subject_id),
            subject_name=subject_name,
            integration_id=integration_id,
            changes=changes or {},
        )
    )
