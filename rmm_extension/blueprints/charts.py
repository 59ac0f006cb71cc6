"""The shapes of charts: numbers into lengths. ``rmm/_charts.html`` draws them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from rmm_extension.services.queries.overview import Day

SLOT, TALL = 10, 100
"""The width of a day and the height of the columns, in units of the drawing."""
_THIN, _LOW = 1.5, 2.0
_ENDS = (12, 15, 20, 25, 30, 40, 50, 60, 80, 100)


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole: ``start`` and ``length`` are in hundredths of it."""

    key: str
    label: str
    value: int
    url: str | None
    start: float
    length: float


@dataclass(frozen=True, slots=True)
class Column:
    """One day: where it stands and how high its two bars are."""

    day: date
    alerts: int
    tickets: int
    left: int
    alerts_height: float
    tickets_height: float


@dataclass(frozen=True, slots=True)
class Columns:
    """Paired bars by day under one scale, whose end is ``top``."""

    days: Sequence[Column]
    top: int

    @property
    def width(self) -> int:
        """Of the drawing."""
        return SLOT * len(self.days)

    @property
    def alerts(self) -> int:
        """Of all days."""
        return sum(one.alerts for one in self.days)

    @property
    def tickets(self) -> int:
        """Of all days."""
        return sum(one.tickets for one in self.days)


def shares(parts: Iterable[tuple[str, str, int, str | None]]) -> list[Share]:
    """Parts (key, label, value, address) as shares of their sum; a part that is there can be seen."""
    there = [part for part in parts if part[2] > 0]
    total = sum(part[2] for part in there)
    lengths = _stretched([100 * part[2] / total for part in there]) if there else []
    starts = [sum(lengths[:at]) for at in range(len(lengths))]
    return [Share(*part, start, length) for part, start, length in zip(there, starts, lengths, strict=True)]


def _stretched(lengths: Sequence[float]) -> list[float]:
    """Lengths of which none is too thin to be seen, with the same sum."""
    seen = [max(length, _THIN) for length in lengths]
    return [100 * length / sum(seen) for length in seen]


def columns(days: Sequence[Day]) -> Columns:
    """Days as paired bars; a bar of one is visible beside one of a thousand."""
    top = round_up(max((max(one.alerts, one.tickets) for one in days), default=0))

    def height(value: int) -> float:
        return max(TALL * value / top, _LOW) if value else 0

    found = [
        Column(one.day, one.alerts, one.tickets, at * SLOT, height(one.alerts), height(one.tickets))
        for at, one in enumerate(days)
    ]
    return Columns(found, top)


def round_up(value: int) -> int:
    """The number a scale ends with: every one up to ten, then those of two digits that read well."""
    if value <= 10:
        return max(value, 1)
    step: int = 10 ** (len(str(value - 1)) - 2)
    return next(end * step for end in _ENDS if end * step >= value)
