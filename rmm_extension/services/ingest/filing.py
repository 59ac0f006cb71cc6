"""What a new ticket is filed under: board, categories, priority, assignee, each if the host still has it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy.orm import Session

from rmm_extension.domain.priorities import priority_for
from rmm_extension.domain.routing import Place, Routing
from rmm_extension.domain.types import Severity
from rmm_extension.host import Category, Priority
from rmm_extension.services.context import Rmm

from .write import Record


def filed(
    rmm: Rmm,
    session: Session,
    place: Place,
    severity: Severity,
    assignee: str | None,
    record: Record,
) -> dict[str, str | None]:
    """The draft's board, categories, priority and assignee; the history is told what was left out."""
    tenant_id, board = record.tenant_id, place.board_id
    priority = _priority(rmm, session, place.priority_id, severity, record)
    if board and rmm.host.catalog is not None:
        board = _existing(board, {b.id for b in rmm.host.catalog.boards(session, tenant_id)}, "board", record)
    if assignee and rmm.host.users is not None:
        found = rmm.host.users.get_many(session, tenant_id, [assignee])
        takers = {user.id for user in found.values() if user.is_active and user.takes_tickets}
        assignee = _existing(assignee, takers, "assignee", record)
    choices = {"priority_id": priority, "board_id": board, "assignee_id": assignee}
    return {**choices, **_categories(rmm, session, place, record)}


def severity_priority(
    severity: Severity, priorities: Iterable[Priority], actions: dict[str, Any], routing: Routing
) -> str | None:
    """The priority of a severity: the routing's, where the rule uses it and the host has it, else by name."""
    known = [(priority.id, priority.name) for priority in priorities]
    wished = routing.priorities.get(severity) if actions.get("useRouting") else None
    return wished if wished in dict(known) else priority_for(severity, known)


def _priority(
    rmm: Rmm, session: Session, wished: str | None, severity: Severity, record: Record
) -> str | None:
    if rmm.host.catalog is None:
        return None
    priorities = rmm.host.catalog.priorities(session, record.tenant_id)
    known = [(priority.id, priority.name) for priority in priorities]
    kept = _existing(wished, dict(known), "priority", record) if wished else None
    return kept or priority_for(severity, known)


def _categories(rmm: Rmm, session: Session, place: Place, record: Record) -> dict[str, str | None]:
    """Category and subcategory; the second goes with the first."""
    if not place.category_id or rmm.host.categories is None:
        return {}
    known = {one.id: one for one in rmm.host.categories.active(session, record.tenant_id)}
    category = _existing(place.category_id, _tops(known.values()), "category", record)
    if category is None or not place.subcategory_id:
        return {"category_id": category}
    below = [one.id for one in known.values() if one.parent_id == category]
    subcategory = _existing(place.subcategory_id, below, "subcategory", record)
    return {"category_id": category, "subcategory_id": subcategory}


def _tops(categories: Iterable[Category]) -> list[str]:
    return [one.id for one in categories if one.parent_id is None]


def _existing(value: str, known: Collection[str], what: str, record: Record) -> str | None:
    if value in known:
        return value
    message = f"The chosen {what} cannot be taken any more and was left out."
    record.steps.append({"code": "warning", "message": message})
    return None
