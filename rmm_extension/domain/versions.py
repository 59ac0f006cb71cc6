"""Comparing versions as vendors write them."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice

MOST_NUMBERS = 32
"""As many numbers of a version are compared; an index holds them."""
LARGEST = 2**62
"""A larger number counts as this one: it has to fit the database's."""
_NUMBER = re.compile(r"[0-9]+")
_DIGITS = len(str(LARGEST))


def version_key(version: str) -> list[int]:
    """The numbers of a version, for comparing as lists: ``1.10.2b4`` is ``[1, 10, 2, 4]``.

    Zeros at the end say nothing (``10.0`` is ``10``), and words between the numbers are not compared. A text
    without a number, such as ``Not Found``, comes before every version.
    """
    return list(_key(version))


@lru_cache(maxsize=16_384)
def _key(version: str) -> tuple[int, ...]:
    """Kept, for a fleet repeats the same few thousand versions."""
    numbers = [_capped(found[0]) for found in islice(_NUMBER.finditer(version), MOST_NUMBERS)]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _capped(digits: str) -> int:
    digits = digits.lstrip("0")
    return LARGEST if len(digits) > _DIGITS else min(int(digits or "0"), LARGEST)
