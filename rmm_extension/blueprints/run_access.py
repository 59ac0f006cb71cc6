"""Who sees which run of a workflow, and what began one in words."""

from __future__ import annotations

from rmm_extension.domain.workflow_words import event_words
from rmm_extension.domain.workflows import RunSource
from rmm_extension.services.queries.paging import AnyRow

from .context import actor, allows


def may_see(row: AnyRow) -> bool:
    """Whether the signed-in person may open the run: one they started, or any with the right to manage
    workflows."""
    is_own: bool = row.actor_id == actor().id and row.source != RunSource.EVENT
    return is_own or allows("rmm.workflows.manage")


def started_by(row: AnyRow) -> str:
    """What began a run."""
    if row.source == RunSource.EVENT:
        return f"When {event_words(row.event).label}"
    if row.source == RunSource.TEST:
        return f"{'Simulated' if row.simulated else 'Tested'} by {row.actor_name}"
    return f"Started by {row.actor_name}"
