"""When alerts that a complete listing does not name are taken to be over.

An empty list proves nothing by itself, and neither does one in which most alerts are missing: these wait for
a second look, at least a minute later. Only alerts that are missing in both are over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from rmm_extension.domain.values import moment

SECOND_LOOK_AFTER = timedelta(seconds=60)
MANY = 20
"""So many may go at once without a second look, however few stay."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Alerts that a first look missed: ``since`` is its beginning, ``open`` how many were open then."""

    since: datetime
    suspects: frozenset[UUID]
    open: int

    @property
    def is_mass(self) -> bool:
        """Whether so many are missing that people should know."""
        return _is_mass(len(self.suspects), self.open)

    @property
    def look_again_at(self) -> datetime:
        """When the second look may be taken."""
        return self.since + SECOND_LOOK_AFTER

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Suspicion | None:
        """As the connection keeps it; ``None`` when nothing is waited for."""
        since = moment(stored.get("since"))
        if since is None:
            return None
        suspects = frozenset(UUID(one) for one in stored.get("suspects", ()))
        return cls(since=since, suspects=suspects, open=int(stored.get("open", 0)))

    def stored(self) -> dict[str, Any]:
        """For :meth:`read`."""
        return {
            "since": self.since.isoformat(),
            "suspects": sorted(str(one) for one in self.suspects),
            "open": self.open,
            "mass": self.is_mass,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which of the missing alerts are over, and what a further look is waited for."""

    over: frozenset[UUID]
    waiting: Suspicion | None = None


def judge(
    earlier: Suspicion | None, missing: Sequence[UUID], *, listed: int, open_here: int, began: datetime
) -> Verdict:
    """The verdict on the ``missing`` of a complete listing of ``listed`` alerts that began at ``began``.

    ``open_here`` is how many alerts were open here that the vendor can list.
    """
    now = frozenset(missing)
    if not now or (listed and not _is_mass(len(now), open_here)):
        return Verdict(over=now)
    both = now & earlier.suspects if earlier else frozenset[UUID]()
    if earlier is None or not both:
        return Verdict(frozenset(), Suspicion(began, now, open_here))
    if began < earlier.look_again_at:
        return Verdict(frozenset(), Suspicion(earlier.since, both, earlier.open))
    rest = now - both
    return Verdict(both, Suspicion(began, rest, open_here) if rest else None)


def _is_mass(missing: int, open_here: int) -> bool:
    return missing > MANY and missing * 2 > open_here
