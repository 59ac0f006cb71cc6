"""Which of the alerts that a vendor tells of are news here, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.types import AlertEvent
from rmm_extension.services.driver import json_text, run
from rmm_extension.services.ingest.clock import is_possible

# One that was set aside in this very state waits for its time; in another state it is tried at once.
_LOOK = """
SELECT t.n, a.id IS NOT NULL AS is_known, s.id IS NOT NULL AS is_aside,
       COALESCE(s.changed_at >= t.at AND (s.due_at IS NULL OR s.due_at > now()), false) AS waits
FROM jsonb_to_recordset(%(told)s::jsonb) AS t(n int, id text, at timestamptz, status text)
LEFT JOIN rmm_alerts a
       ON a.tenant_id = %(tenant)s AND a.integration_id = %(integration)s AND a.external_id = t.id
      AND a.last_event_at >= COALESCE(t.at, a.last_event_at)
      AND (t.status IS NULL OR t.status = a.vendor_status)
LEFT JOIN rmm_set_aside_alerts s
       ON s.tenant_id = %(tenant)s AND s.integration_id = %(integration)s AND s.external_id = t.id
WHERE a.id IS NOT NULL OR s.id IS NOT NULL
"""


@dataclass(slots=True)
class News:
    """``take`` is to be taken, in the vendor's order; of it, ``aside`` are ids that are set aside now.

    ``settled`` are ids that are set aside although their state is here by now. The rest needs nothing.
    """

    take: list[AlertEvent] = field(default_factory=list)
    aside: set[str] = field(default_factory=set)
    settled: set[str] = field(default_factory=set)


def news_of(
    session: Session, tenant_id: str, integration_id: UUID, events: Sequence[AlertEvent], began: datetime
) -> News:
    """What of these events is not known here yet, as of ``began``, our time before they were asked for."""
    told = [
        {
            "n": number,
            "id": event.external_id,
            "at": event.occurred_at if is_possible(event.occurred_at, began) else None,
            "status": event.vendor_status,
        }
        for number, event in enumerate(events)
    ]
    parameters = {"tenant": tenant_id, "integration": integration_id, "told": json_text(told)}
    found = {row["n"]: row for row in run(session, _LOOK, parameters)} if told else {}
    news = News()
    for number, event in enumerate(events):
        row = found.get(number)
        if row is None or not (row["is_known"] or row["waits"]):
            news.take.append(event)
            if row is not None:
                news.aside.add(event.external_id)
        elif row["is_known"] and row["is_aside"]:
            news.settled.add(event.external_id)
    return news
