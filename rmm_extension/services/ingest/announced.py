"""Whether an alert's present episode was told to the host: then not once more, and then its end is, too."""

from __future__ import annotations

from sqlalchemy.orm import Session

from rmm_extension.services.driver import run

from .facts import Facts

# What rules make of an alert at the end: each of them tells that it was triggered.
_WAS_ANNOUNCED = """
SELECT FROM rmm_alert_events e
WHERE e.tenant_id = %(tenant)s AND e.alert_id = %(alert)s AND e.kind = 'triggered'
  AND e.outcome IN ('ticket_created', 'occurrence_appended', 'ticket_reopened', 'held', 'recorded_only')
  AND NOT EXISTS (SELECT FROM rmm_alert_events later
                  WHERE later.tenant_id = e.tenant_id AND later.alert_id = e.alert_id AND later.id > e.id
                    AND later.steps @> '[{"code": "new_episode"}]')
LIMIT 1
"""


def was_announced(session: Session, facts: Facts) -> bool:
    """Whether it was told that this episode of a known alert was triggered.

    An alert that waits for the end of a window or for its text may have been decided before that: its history
    knows.
    """
    if facts.row["suppressed_by_window_id"] is None and facts.row["details_due_at"] is None:
        return True
    parameters = {"tenant": facts.tenant_id, "alert": facts.alert_id}
    return run(session, _WAS_ANNOUNCED, parameters).fetchone() is not None
