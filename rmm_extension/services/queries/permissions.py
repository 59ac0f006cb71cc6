"""What the last check of a connection's permissions found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension.domain.types import PermissionLine
from rmm_extension.models import JobRun
from rmm_extension.services import kinds
from rmm_extension.services.permissions import KIND, LINES


@dataclass(frozen=True, slots=True)
class Table:
    """The lines of one check; ``asked_at`` is when it began."""

    lines: tuple[PermissionLine, ...]
    asked_at: datetime
    asked_by: str | None


def permission_table(session: Session, tenant_id: str, integration_id: UUID) -> Table | None:
    """The newest complete check; ``None`` when there was none, or it is so long ago that its run is gone."""
    # By the index of what succeeded, whatever else runs on this connection.
    statement = (
        select(JobRun.cursor, JobRun.started_at, JobRun.queued_at, JobRun.actor_name)
        .where(
            JobRun.tenant_id == tenant_id,
            JobRun.exclusive_key == kinds.get(KIND).exclusive_key(integration_id),
            JobRun.status == "succeeded",
        )
        .order_by(JobRun.queued_at.desc())
        .limit(1)
    )
    row = session.execute(statement).first()
    if row is None:
        return None
    lines = msgspec.convert(row.cursor.get(LINES, ()), tuple[PermissionLine, ...])
    return Table(lines, row.started_at or row.queued_at, row.actor_name)
