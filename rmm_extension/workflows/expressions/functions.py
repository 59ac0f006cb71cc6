"""What filters and tests have in common: a name, what they take, a sentence for the help."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

Work = Callable[..., Any]
"""Called as ``work(budget, value, *arguments, **named)``."""


@dataclass(frozen=True, slots=True)
class Function:
    """A filter or a test; ``example`` is an expression that shows it, ``sentence`` says what it gives."""

    name: str
    work: Work
    sentence: str
    example: str

    def misuse(self, positional: int, named: Collection[str]) -> str | None:
        """What is wrong with arguments like these, as the rest of a sentence."""
        try:
            inspect.signature(self.work).bind(None, None, *[None] * positional, **dict.fromkeys(named))
        except TypeError:
            return f"is used like this: {self.example}."
        return None


class Functions(dict[str, Function]):
    """Filters or tests by name, in the order in which the help shows them."""

    def add(self, name: str, sentence: str, example: str) -> Callable[[Work], Work]:
        """Keep the decorated function under this name."""

        def keep(work: Work) -> Work:
            self[name] = Function(name, work, sentence, example)
            return work

        return keep
