"""Who sees which run of a workflow, what began one in words, and what it was given by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rmm_extension.domain.workflow_words import event_words
from rmm_extension.domain.workflows import RunSource
from rmm_extension.services.queries.paging import AnyRow
from rmm_extension.workflows import queries

from .context import actor, allows, session
from .narrowing import uuid_argument


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


def filled_in_before() -> Mapping[str, Any]:
    """What a person filled in for the run that the address names (``again``), to be asked for once more."""
    earlier = uuid_argument("again")
    found = queries.run_detail(session(), actor().tenant_id, earlier) if earlier else None
    return (found.row.context.get("fields") or {}) if found is not None and may_see(found.row) else {}
