"""Writing to the outbox: what must happen after a commit is a row of the same transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from rmm_extension.models import Outbox, new_id, utc_now

_WAKE = "rmm_outbox_written"


def put(
    session: Session, tenant_id: str, topic: str, payload: dict[str, Any], due_at: datetime | None = None
) -> None:
    """Add one outbox row; the relay hands it to the topic's handler once, or again after a crash."""
    now = utc_now()
    session.execute(
        insert(Outbox).values(
            tenant_id=tenant_id,
            id=new_id(),
            topic=topic,
            payload=payload,
            created_at=now,
            due_at=due_at or now,
            attempts=0,
        )
    )
    mark_written(session)


def mark_written(session: Session) -> None:
    """Remember that this transaction wrote outbox rows by other means than :func:`put`."""
    session.info[_WAKE] = True


def take_wake(session: Session) -> bool:
    """Whether outbox rows were written since the last call; forgets it."""
    return bool(session.info.pop(_WAKE, False))
