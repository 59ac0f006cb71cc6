"""Changes that are to happen between, or in the middle of, two crawls: after so many answered requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Plan:
    """A change after some more requests below ``prefix`` were answered."""

    prefix: str
    remaining: int
    change: Callable[[], object]


@dataclass
class Schedule:
    """The changes that are still to happen."""

    plans: list[Plan] = field(default_factory=list)

    def add(self, prefix: str, requests: int, change: Callable[[], object]) -> None:
        """Let a change happen after so many answered requests."""
        self.plans.append(Plan(prefix, requests, change))

    def answered(self, path: str) -> None:
        """Count an answered request; change what has its moment now."""
        for plan in [one for one in self.plans if path.startswith(one.prefix)]:
            plan.remaining -= 1
            if plan.remaining <= 0:
                self.plans.remove(plan)
                plan.change()
