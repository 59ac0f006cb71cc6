"""Named cursors of the reports: a walk over rows that the server remembers between two calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

Rows = list[dict[str, Any]]


@dataclass
class Cursor:
    """A walk: the rows still to come, how many went before, and until when it may be asked for."""

    name: str
    rows: Iterator[dict[str, Any]]
    expires: float
    offset: int = 0
    ahead: dict[str, Any] | None = None

    def take(self, count: int) -> Rows:
        """The next rows."""
        page = [] if self.ahead is None else [self.ahead]
        self.ahead = None
        page += islice(self.rows, count - len(page))
        self.offset += len(page)
        return page

    def more(self) -> bool:
        """Whether rows are left."""
        if self.ahead is None:
            self.ahead = next(self.rows, None)
        return self.ahead is not None
