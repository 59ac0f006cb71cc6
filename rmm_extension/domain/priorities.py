"""Which of the host's priorities a severity asks for."""

from __future__ import annotations

from collections.abc import Iterable

from .types import Severity

CANDIDATES: dict[Severity, tuple[str, ...]] = {
    Severity.CRITICAL: ("urgent", "critical"),
    Severity.MAJOR: ("high",),
    Severity.MODERATE: ("medium", "normal"),
    Severity.MINOR: ("low",),
    Severity.NONE: ("low",),
}


def priority_for(severity: Severity, priorities: Iterable[tuple[str, str]]) -> str | None:
    """The id of the priority whose name fits, from ``(id, name)`` in the host's order.

    An equal name wins over one that only contains the word ("P1 - Critical"); none fitting is ``None``.
    """
    known = [(priority_id, name.strip().lower()) for priority_id, name in priorities]
    for word in CANDIDATES[severity]:
        for priority_id, name in known:
            if name == word:
                return priority_id
    for word in CANDIDATES[severity]:
        for priority_id, name in known:
            if word in name:
                return priority_id
    return None
