"""Writing to the outbox: what must happen after a commit is a row of the same transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from rmm_extension.models import Outbox, new_id, utc_now

from .driver import json_text, run

_WAKE = "rmm_outbox_written"
_PUT_MANY = """
INSERT INTO rmm_outbox (tenant_id, id, topic, payload, created_at, due_at, attempts)
SELECT %(tenant)s, r.id, %(topic)s, r.payload, %(now)s, %(now)s, 0
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(id uuid, payload jsonb)
"""


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


def put_many(session: Session, tenant_id: str, topic: str, payloads: Iterable[dict[str, Any]]) -> None:
    """Add a row for each payload, in their order, by one statement."""
    rows = [{"id": new_id(), "payload": payload} for payload in payloads]
    if rows:
        run(
            session,
            _PUT_MANY,
            {"tenant": tenant_id, "topic": topic, "rows": json_text(rows), "now": utc_now()},
        )
        mark_written(session)


def mark_written(session: Session) -> None:
    """Remember that this transaction wrote outbox rows by other means than :func:`put`."""
    session.info[_WAKE] = True


def take_wake(session: Session) -> bool:
    """Whether outbox rows were written since the last call; forgets it."""
    return bool(session.info.pop(_WAKE, False))
