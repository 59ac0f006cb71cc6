"""Where the tickets of a connection's alerts go when its rule leaves that to the connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError

from .contracts.routing import load_routing
from .types import Severity

SETTING = "routing"
"""Where a connection's settings have it."""
NEEDED = ("boardId", "fallbackClientId", "fallbackBoardId")
"""What a whole routing has beside a priority for each severity that the vendor's alerts have."""
_NAMES: dict[Severity, tuple[str, ...]] = {
    Severity.CRITICAL: ("critical", "urgent"),
    Severity.MAJOR: ("high",),
    Severity.MODERATE: ("medium", "normal"),
    Severity.MINOR: ("medium", "low"),
    Severity.NONE: ("low",),
}


@dataclass(frozen=True, slots=True)
class Routing:
    """The host's ids: board, category and subcategory of a mapped client's ticket, the priority of each
    severity, and the client and board of what nobody's organization is."""

    board_id: str | None = None
    category_id: str | None = None
    subcategory_id: str | None = None
    priorities: Mapping[Severity, str] = field(default_factory=dict)
    fallback_client_id: str | None = None
    fallback_board_id: str | None = None

    def lacks(self, severities: Iterable[Severity], *, has_catalog: bool = True) -> tuple[str, ...]:
        """What is still to be chosen, in words, where alerts have these severities; a host without a catalog
        has no boards and priorities."""
        missing = [
            (self.board_id or not has_catalog, "board"),
            *((self.priorities.get(one) or not has_catalog, f"priority for {one}") for one in severities),
            (self.fallback_client_id, "fallback client"),
            (self.fallback_board_id or not has_catalog, "fallback board"),
        ]
        return tuple(f"no {word}" for given, word in missing if not given)


NO_ROUTING = Routing()
"""Of a connection that chose nothing."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one ticket goes. ``is_unmapped``: to the fallback client, for its organization has none."""

    client_id: str
    is_unmapped: bool = False
    board_id: str | None = None
    category_id: str | None = None
    subcategory_id: str | None = None
    priority_id: str | None = None


def read_routing(settings: Mapping[str, Any]) -> Routing:
    """The routing in a connection's settings; one that cannot be read is none."""
    try:
        stored = load_routing(settings.get(SETTING) or {})
    except (ValidationError, AttributeError):
        return NO_ROUTING
    return Routing(
        board_id=stored.get("boardId"),
        category_id=stored.get("categoryId"),
        subcategory_id=stored.get("subcategoryId"),
        priorities={Severity(name): value for name, value in stored.get("priorityBySeverity", {}).items()},
        fallback_client_id=stored.get("fallbackClientId"),
        fallback_board_id=stored.get("fallbackBoardId"),
    )


def place(routing: Routing, actions: Mapping[str, Any], client_id: str | None, severity: Severity) -> Place:
    """Where the ticket of a rule's match goes: as the rule says, the rest by the routing if it uses that.

    A rule that does not needs the client.
    """
    board, priority = actions["boardId"], actions["priorityOverride"]
    if not actions.get("useRouting"):
        return Place(str(client_id), board_id=board, priority_id=priority)
    priority = priority or routing.priorities.get(severity)
    if client_id is None:
        client, board = str(routing.fallback_client_id), board or routing.fallback_board_id
        return Place(client, is_unmapped=True, board_id=board, priority_id=priority)
    return Place(
        client_id,
        board_id=board or routing.board_id,
        category_id=routing.category_id,
        subcategory_id=routing.subcategory_id,
        priority_id=priority,
    )


def proposed_priorities(
    priorities: Iterable[tuple[str, str]], severities: Iterable[Severity]
) -> dict[str, str]:
    """The host's priority of each severity where one has the fitting name exactly, whatever the case.

    From ``(id, name)`` in the host's order.
    """
    by_name: dict[str, str] = {}
    for priority_id, name in priorities:
        by_name.setdefault(name.strip().lower(), priority_id)
    found = {one.value: _first(by_name, _NAMES[one]) for one in severities}
    return {severity: priority_id for severity, priority_id in found.items() if priority_id}


def _first(by_name: Mapping[str, str], names: Iterable[str]) -> str | None:
    return next((by_name[name] for name in names if name in by_name), None)
