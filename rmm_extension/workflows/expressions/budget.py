"""How much one evaluation may do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .errors import ExpressionError

LONGEST = 250_000
"""Characters of any value an expression makes; a whole output of a script, 200,000, fits."""

WORK = 5_000_000
"""Characters and items that are looked at in all, by everything in one input."""


class Budget:
    """Counts the work of one evaluation and the size of what it makes."""

    def __init__(self) -> None:
        self._left = WORK

    def spend(self, amount: int) -> None:
        """Count work; raises when it was too much."""
        self._left -= amount + 1
        if self._left < 0:
            raise ExpressionError("This takes too much work. Make it of less, or of several steps.")

    def fits(self, length: int) -> None:
        """Raise when a value of so many characters would be too long; to be asked before it is made."""
        self.spend(length)
        if length > LONGEST:
            raise ExpressionError(f"What it makes is too long: at most {LONGEST:,} characters.")

    def checked(self, value: Any) -> Any:
        """The value, when it is small enough as a whole, with all that is in it."""
        length = 0
        for part in _parts(value):
            length += len(part) if isinstance(part, str) else 1
            if length > LONGEST:
                break
        self.fits(length)
        return value


def _parts(value: Any) -> Iterator[Any]:
    waiting = [value]
    while waiting:
        found = waiting.pop()
        yield found
        if isinstance(found, dict):
            waiting += [*found, *found.values()]
        elif isinstance(found, (list, tuple)):
            waiting += found
