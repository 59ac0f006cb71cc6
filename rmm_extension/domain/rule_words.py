"""A rule in one sentence: what it matches, and what it does with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MOST_NAMED = 4
"""So many values of a list are named; the rest is counted."""
_LISTS = (
    ("severities", "severity"),
    ("activityTypes", "activity type"),
    ("alertClasses", "alert class"),
    ("sourceTypes", "source type"),
    ("organizationIds", "organization"),
    ("keywords", "keyword"),
)


@dataclass(frozen=True, slots=True)
class RuleNames:
    """What the ids in a rule are called; an id without a name is said as it is."""

    organizations: Mapping[str, str] = field(default_factory=dict)
    boards: Mapping[str, str] = field(default_factory=dict)
    priorities: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)


def matching(conditions: Mapping[str, Any], names: RuleNames) -> str:
    """What a rule with these conditions takes: “Severity critical or major and keyword disk”."""
    called = {"organizationIds": names.organizations}
    parts = [
        f"{word} {_either(_named(conditions[key], called.get(key, {})))}"
        for key, word in _LISTS
        if conditions.get(key)
    ]
    if pattern := conditions.get("messagePattern"):
        parts.append(f"text like “{pattern}”")
    return _upper(" and ".join(parts)) if parts else "Every alert"


def doing(actions: Mapping[str, Any], names: RuleNames) -> str:
    """What a rule with these actions does: “ticket on board Alerts, high; closes itself”."""
    return "; ".join(_ticket(actions, names)) if actions.get("createTicket", True) else "recorded only"


def _ticket(actions: Mapping[str, Any], names: RuleNames) -> list[str]:
    filed = "ticket by the routing" if actions.get("useRouting") else "ticket"
    if board := actions.get("boardId"):
        filed += f" on board {names.boards.get(board, board)}"
    if priority := actions.get("priorityOverride"):
        filed += f", priority {names.priorities.get(priority, priority)}"
    if assignee := actions.get("assignToUserId"):
        filed += f", for {names.users.get(assignee, assignee)}"
    hold, reopen = actions.get("holdMinutes"), actions.get("reopenWithinMinutes")
    notified = actions.get("notifyUserIds")
    return [
        *([f"waits {minutes(hold)}"] if hold else []),
        filed,
        *([f"reopens one closed less than {minutes(reopen)} ago"] if reopen else []),
        *_end(actions, names),
        *([f"tells {_either(_named(notified, names.users), 'and')}"] if notified else []),
    ]


def _end(actions: Mapping[str, Any], names: RuleNames) -> Iterable[str]:
    """How its ticket and the alert end together."""
    if actions.get("autoResolveTicket"):
        status = actions.get("autoResolveStatusId")
        yield f"closes itself as {names.statuses.get(status, status)}" if status else "closes itself"
    if not actions.get("resetAlertOnTicketClose", True):
        yield "closing it leaves the alert alone"


def minutes(number: int) -> str:
    """A number of minutes as people say it: “10 min”, “2 h”, “3 d”."""
    for unit, word in ((1440, "d"), (60, "h")):
        if number >= unit and number % unit == 0:
            return f"{number // unit} {word}"
    return f"{number} min"


def _named(values: Sequence[str], names: Mapping[str, str]) -> list[str]:
    return [names.get(value, value) for value in values]


def _either(words: Sequence[str], last: str = "or") -> str:
    shown = list(words)
    if len(shown) > MOST_NAMED:
        shown = [*shown[: MOST_NAMED - 1], f"{len(shown) - MOST_NAMED + 1} more"]
    return f" {last} ".join(", ".join(part) for part in (shown[:-1], shown[-1:]) if part)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
