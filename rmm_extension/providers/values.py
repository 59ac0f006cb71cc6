"""Reading the loose values of vendors' answers: numbers as text, blanks for "nothing", times in seconds."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeAlias

from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.values import identifier as identifier
from rmm_extension.domain.values import text as plain_text

Scalar: TypeAlias = str | int | float | bool | None
"""What a field holds that is no list and no object; the readers here make sense of it."""

_EARLIEST, _LATEST = 946_684_800, 4_133_980_800  # the years 2000 to 2100
_GIB = 1024**3
# Fillers of board makers and systems, in any case, where they know no maker and no model.
_FILLERS = frozenset(
    {
        "-",
        "default string",
        "n/a",
        "not applicable",
        "not available",
        "not specified",
        "o.e.m.",
        "oem",
        "product name",
        "system manufacturer",
        "system model",
        "system product name",
        "system version",
        "to be filled by o.e.m",
        "to be filled by o.e.m.",
        "type1productconfigid",
        "unknown",
    }
)


# Most texts repeat within a fleet (versions, models, users): a look-up is a tenth of the work, and equal
# texts are then one in memory.
@lru_cache(maxsize=16_384, typed=True)
def text(value: Scalar) -> str | None:
    """The value as trimmed text without NUL; ``None`` for blank and for the words none, null, undefined."""
    return None if isinstance(value, bool) else plain_text(value)


@lru_cache(maxsize=4096, typed=True)
def maker(value: Scalar) -> str | None:
    """A manufacturer or a model; ``None`` for the fillers that stand where nobody entered one."""
    found = text(value)
    return None if found is None or found.casefold() in _FILLERS else found


def number(value: Scalar) -> float | None:
    """A finite number, also one sent as text."""
    if value is None or isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def count(value: Scalar) -> int | None:
    """A number of things: whole and not below zero, and no larger than a database column takes."""
    found = number(value)
    return int(found) if found is not None and 0 <= found <= 2_147_483_647 else None


def flag(value: Scalar) -> bool | None:
    """A boolean, also one sent as the words true and false."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.strip().casefold()) if isinstance(value, str) else None


def gigabytes(value: Scalar) -> float | None:
    """GB (1024³ bytes, two decimals) from bytes; ``None`` for nothing, zero and nonsense."""
    found = number(value)
    return round(found / _GIB, 2) if found is not None and 0 < found < 2.0**70 else None


def used_percent(size: float | None, free: float | None) -> float | None:
    """How much of a volume is used, in percent with two decimals; ``None`` where that makes no sense."""
    if not size or free is None or not 0 <= free <= size:
        return None
    return round((size - free) / size * 100, 2)


def epoch(value: Scalar) -> datetime | None:
    """The instant of epoch seconds; ``None`` outside 2000 to 2100."""
    found = number(value)
    if found is None or not _EARLIEST <= found < _LATEST:
        return None
    return datetime.fromtimestamp(found, UTC)


def printable(value: str, what: str) -> str:
    """``value`` when it can be sent; ``what`` names it for the sentence that it cannot."""
    if not value:
        raise ConfigError(f"The {what} is missing.")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ConfigError(f"The {what} has characters that it cannot have. Copy it again.")
    return value
