"""The activity log of the tenant."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Any

from simulators.ninjaone.models import Activity

FIRST_ID = 177_001


class Journal:
    """Activities by ever growing ids, oldest first."""

    def __init__(self) -> None:
        """Start with nothing written."""
        self.entries: list[Activity] = []
        self._ids: list[int] = []
        self._next = FIRST_ID
        self._last = 0

    @property
    def last_id(self) -> int:
        """The newest id of the tenant, also when it is forgotten; 0 while there was none."""
        return self._last

    def write(self, row: dict[str, Any], organization_id: int | None) -> Activity:
        """Give the row its id and keep it."""
        entry = Activity({"id": self._next, **row}, organization_id)
        self._ids.append(self._next)
        self.entries.append(entry)
        self._last = self._next
        self._next += 1
        return entry

    def skip(self, count: int) -> None:
        """Let ids pass unused, as those of activities a caller may not see."""
        self._next += count

    def forget(self, keep: int) -> None:
        """Keep the newest so many only."""
        start = max(0, len(self.entries) - keep)
        self.entries, self._ids = self.entries[start:], self._ids[start:]

    def newest_first(
        self, newer_than: int | None = None, older_than: int | None = None
    ) -> Iterator[Activity]:
        """Entries with greater ids than the one and smaller ids than the other."""
        low = 0 if newer_than is None else bisect_right(self._ids, newer_than)
        high = len(self._ids) if older_than is None else bisect_left(self._ids, older_than)
        for place in range(high - 1, low - 1, -1):
            yield self.entries[place]
