"""The row of a condition: the lock that its firings queue for, its last ticket, the exact count."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.models import new_id
from rmm_extension.services.driver import run

_COUNT = """
INSERT INTO rmm_alert_conditions AS c (tenant_id, id, integration_id, dedup_key, occurrence_count,
                                       last_occurrence_at)
VALUES (%(tenant)s, %(id)s, %(integration)s, %(key)s, 1, %(at)s)
ON CONFLICT (tenant_id, integration_id, dedup_key) DO UPDATE SET
    occurrence_count = c.occurrence_count + 1,
    last_occurrence_at = GREATEST(c.last_occurrence_at, excluded.last_occurrence_at)
RETURNING c.ticket_id, c.occurrence_count
"""
# Writes nothing new: it is the lock, also on a condition that has no row yet.
_CLAIM = """
INSERT INTO rmm_alert_conditions AS c (tenant_id, id, integration_id, dedup_key, occurrence_count)
VALUES (%(tenant)s, %(id)s, %(integration)s, %(key)s, 0)
ON CONFLICT (tenant_id, integration_id, dedup_key) DO UPDATE SET dedup_key = excluded.dedup_key
RETURNING c.ticket_id, c.occurrence_count
"""
_LOCK = """
SELECT ticket_id FROM rmm_alert_conditions
WHERE tenant_id = %(tenant)s AND integration_id = %(integration)s AND dedup_key = %(key)s FOR UPDATE
"""


def count_occurrence(
    session: Session, tenant_id: str, integration_id: UUID, key: str, at: datetime
) -> tuple[str | None, int]:
    """Lock the condition's row and count this firing: the ticket it had last, and the count.

    One statement that reads the newest row, so that simultaneous firings queue up here and each sees what
    the one before it did. The count starts again at 1 with the next ticket.
    """
    parameters = {"tenant": tenant_id, "id": new_id(), "integration": integration_id, "key": key, "at": at}
    row = run(session, _COUNT, parameters).fetchone()
    assert row is not None
    return row["ticket_id"], row["occurrence_count"]


def claim_condition(
    session: Session, tenant_id: str, integration_id: UUID, key: str
) -> tuple[str | None, int]:
    """Hold the condition's row, made where it is missing, without counting: its last ticket, its count."""
    parameters = {"tenant": tenant_id, "id": new_id(), "integration": integration_id, "key": key}
    row = run(session, _CLAIM, parameters).fetchone()
    assert row is not None
    return row["ticket_id"], row["occurrence_count"]


def lock_condition(session: Session, tenant_id: str, integration_id: UUID, key: str) -> None:
    """Hold the condition's row, so that no firing joins its ticket until this transaction ends."""
    run(session, _LOCK, {"tenant": tenant_id, "integration": integration_id, "key": key})
