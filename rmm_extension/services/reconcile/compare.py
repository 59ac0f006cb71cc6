"""What a listing changes here, in one statement: an alert that is as it was costs nothing further."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.orm import Session

from rmm_extension.domain.types import AlertEvent
from rmm_extension.models import OPEN_SQL
from rmm_extension.services.driver import json_text, run
from rmm_extension.services.ingest.clock import is_possible
from rmm_extension.services.ingest.stored import UNPLACED_SQL, is_placed

# What somebody changed after the listing began is newer than the listing: it is left to the next one.
# A closed alert opens again when the vendor's time is newer. One that we took to be over, because a listing
# left it out or because the vendor took our reset, opens again when it is listed later all the same.
_COMPARE = f"""
WITH listed AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(listed)s::jsonb)
        AS l(n int, id text, adopts text[], severity text, message text, at timestamptz, silenced boolean,
             placed boolean)),
here AS MATERIALIZED (
    SELECT id, external_id, synthesized, last_event_at,
           created_at < %(began)s AND updated_at < %(began)s AS is_older
    FROM rmm_alerts
    WHERE tenant_id = %(tenant)s AND integration_id = %(integration)s AND {OPEN_SQL}),
met AS (
    SELECT l.n, a.id, a.last_event_at, a.client_id, a.asset_id, a.suppressed_by_window_id AS window_id,
        CASE
            WHEN a.id IS NULL AND s.id IS NULL THEN 'new'
            WHEN a.id IS NULL THEN 'adopted'
            WHEN a.{OPEN_SQL} THEN CASE
                WHEN a.updated_at < %(began)s
                     AND (l.severity NOT IN ('none', a.severity) OR l.message <> COALESCE(a.message, '')
                          OR a.last_event_at < l.at OR l.placed AND {UNPLACED_SQL})
                THEN 'changed' END
            WHEN a.last_event_at < l.at THEN 'again'
            WHEN NOT l.silenced AND a.updated_at < %(began)s - %(grace)s AND EXISTS (
                SELECT FROM rmm_alert_events h
                WHERE h.tenant_id = %(tenant)s AND h.alert_id = a.id
                  AND h.id = (SELECT n.id FROM rmm_alert_events n
                              WHERE n.tenant_id = %(tenant)s AND n.alert_id = a.id ORDER BY n.id DESC LIMIT 1)
                  AND (h.steps @> '[{{"code": "vanished"}}]'
                       OR h.steps @> '[{{"code": "vendor_reset", "accepted": true}}]'))
            THEN 'listed_again'
            WHEN a.updated_at < %(began)s - %(remember)s THEN 'still_listed'
        END AS what,
        a.{OPEN_SQL} AS is_open
    FROM listed l
    LEFT JOIN rmm_alerts a
           ON a.tenant_id = %(tenant)s AND a.integration_id = %(integration)s AND a.external_id = l.id
    LEFT JOIN LATERAL (
        SELECT id FROM here
        WHERE a.id IS NULL AND here.synthesized AND here.external_id = ANY(l.adopts) LIMIT 1) s ON TRUE)
SELECT what, n, id, NULL AS external_id, last_event_at, client_id, asset_id,
       CASE WHEN is_open THEN window_id END AS window_id, 0 AS open_here
FROM met WHERE what IS NOT NULL OR (is_open AND window_id IS NOT NULL)
UNION ALL
SELECT 'missing', NULL, id, external_id, last_event_at, NULL, NULL, NULL,
       (SELECT count(*) FROM here WHERE NOT synthesized)
FROM here
WHERE is_older AND NOT synthesized AND NOT EXISTS (SELECT FROM listed WHERE listed.id = here.external_id)
"""  # noqa: S608 - constants

# Retention counts from here: were the row removed, the alert would be taken for a new one.
_REMEMBER = f"""
UPDATE rmm_alerts SET updated_at = clock_timestamp()
WHERE tenant_id = %(tenant)s AND id IN (
    SELECT id FROM rmm_alerts
    WHERE tenant_id = %(tenant)s AND id = ANY(%(alerts)s) AND NOT {OPEN_SQL}
    FOR UPDATE SKIP LOCKED)
"""  # noqa: S608 - a constant

GRACE = timedelta(minutes=5)
"""What we took to be over may be listed so long all the same: vendors take their time with their lists."""
REMEMBER_EVERY = timedelta(days=7)
"""So often an alert that is over here and listed all the same is noted to be."""
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Missing:
    """An alert that is open here and that a complete listing does not name."""

    alert_id: UUID
    external_id: str
    last_event_at: datetime


@dataclass(frozen=True, slots=True)
class InWindow:
    """A listed alert that a maintenance window has kept from being decided."""

    alert_id: UUID
    window_id: UUID
    client_id: str | None
    asset_id: str | None


@dataclass(slots=True)
class Found:
    """What is to be done: events to ``take``, alerts ``in_window`` to look at, ``missing`` ones to judge.

    ``open_here`` counts the open alerts that the vendor can list; it is 0 when none is missing.
    ``still_listed`` are over here for a week or longer, as where somebody resolved them here only.
    """

    take: list[AlertEvent] = field(default_factory=list)
    in_window: list[InWindow] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    open_here: int = 0
    new: int = 0
    still_listed: list[UUID] = field(default_factory=list)


def compare(
    session: Session, tenant_id: str, integration_id: UUID, listed: Sequence[AlertEvent], began: datetime
) -> Found:
    """Compare a complete listing, begun at ``began`` by the database's clock, with what is here."""
    parameters = {
        "tenant": tenant_id,
        "integration": integration_id,
        "listed": json_text([_row(number, event, began) for number, event in enumerate(listed)]),
        "began": began,
        "grace": GRACE,
        "remember": REMEMBER_EVERY,
    }
    found = Found()
    for row in run(session, _COMPARE, parameters):
        _sort(found, row, listed, began)
    if found.still_listed:
        run(session, _REMEMBER, {"tenant": tenant_id, "alerts": found.still_listed})
    # The oldest first: its ticket is the one that the others of its condition join.
    found.take.sort(key=lambda event: event.occurred_at)
    return found


def _row(number: int, event: AlertEvent, began: datetime) -> dict[str, Any]:
    return {
        "n": number,
        "id": event.external_id,
        "adopts": event.adopts,
        "severity": event.severity,
        "message": event.message,
        "at": event.occurred_at if is_possible(event.occurred_at, began) else None,
        "silenced": event.silenced,
        "placed": is_placed(event),
    }


def _sort(found: Found, row: dict[str, Any], listed: Sequence[AlertEvent], began: datetime) -> None:
    if row["what"] == "missing":
        found.open_here = row["open_here"]
        found.missing.append(Missing(row["id"], row["external_id"], row["last_event_at"]))
        return
    if row["what"] == "still_listed":
        found.still_listed.append(row["id"])
    elif row["what"] is not None:
        found.take.append(_timed(listed[row["n"]], row, began))
        found.new += row["what"] == "new"
    if row["window_id"] is not None:
        found.in_window.append(InWindow(row["id"], row["window_id"], row["client_id"], row["asset_id"]))


def _timed(event: AlertEvent, row: dict[str, Any], began: datetime) -> AlertEvent:
    """The event as news: a listing says how an alert is now, and keeps the time at which it began."""
    if row["what"] == "changed":
        return msgspec.structs.replace(event, occurred_at=max(event.occurred_at, row["last_event_at"]))
    if row["what"] == "listed_again":
        return msgspec.structs.replace(event, occurred_at=max(began, row["last_event_at"] + _MOMENT))
    return event
