"""Switches of a simulator: how the server behaves, changed at run time by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from simulators.common.control import flag

NUMBERS = {"int": int, "float": float}


@dataclass
class Switches:
    """A vendor's switches inherit from this. ``choices`` names the values of those that have a few."""

    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def change(self, **wanted: Any) -> None:
        """Set some switches; ValueError for a name or a value that is none."""
        known = {one.name for one in fields(self)}
        for name, value in wanted.items():
            if name not in known:
                raise ValueError(f"no switch {name}; there are {', '.join(sorted(known))}")
            if name in self.choices and value not in self.choices[name]:
                raise ValueError(f"{name} is one of {', '.join(self.choices[name])}")
            setattr(self, name, value)

    def change_by_words(self, wanted: Mapping[str, Any]) -> None:
        """The same, with values as a form sends them."""
        kinds = {one.name: str(one.type) for one in fields(self)}
        self.change(**{name: _cast(kinds.get(name, ""), value) for name, value in wanted.items()})


def _cast(kind: str, value: Any) -> Any:
    """The value in the switch's own type; "none" is null, or an empty list."""
    if value is None or (value == "none" and "None" in kind):
        return None
    base = kind.partition(" ")[0]
    if base == "bool":
        return flag(value)
    if base.startswith("list"):
        words = value.replace(",", " ").split() if isinstance(value, str) else value
        return [] if words == ["none"] else words
    return NUMBERS[base](value) if base in NUMBERS else value
