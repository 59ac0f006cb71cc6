"""Maintenance windows for many instants, roughly in the order of time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime

from .windows import Range, Window, next_occurrences

_AHEAD = 10
_NEVER = datetime.max.replace(tzinfo=UTC)


class Calendar:
    """Looks up what the windows' occurrences are once, from the first instant it is asked about on."""

    def __init__(self, windows: Sequence[Window]) -> None:
        self._windows = [_Looked(window) for window in windows]

    def holding(self, at: datetime) -> list[tuple[Window, datetime]]:
        """The windows that hold at this instant, whatever their scope, and when each is over."""
        found = ((looked.window, looked.occurrence(at)) for looked in self._windows)
        return [(window, end) for window, (start, end) in found if start <= at]


class _Looked:
    """One window's occurrences, in their order, from the first instant on as far as they were asked for."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self._since = _NEVER
        self._known: list[Range] = []
        self._ends: list[datetime] = []

    def occurrence(self, at: datetime) -> Range:
        """The first occurrence that is not over at this instant."""
        if at < self._since:
            self._since, self._known, self._ends = at, [], []
        while (place := bisect_right(self._ends, at)) == len(self._ends):
            self._look_on()
        return self._known[place]

    def _look_on(self) -> None:
        """Find the next ones; behind the last there is a time that never comes."""
        behind = self._ends[-1] if self._ends else self._since
        self._known += next_occurrences(self.window, behind, _AHEAD) or [(_NEVER, _NEVER)]
        self._ends = [end for _, end in self._known]
