"""Maintenance at the vendor that follows windows of ours: which devices are to be in it, and until when.

A device stands in one of four states: wanted (the vendor is to be told an end), set (it was told), failed (it
would not take it, and is asked again) and ending (it is to be taken out again). What the vendor may know
already is kept beside it, so that a worker that dies between the vendor's answer and our commit leaves
nothing behind that nobody takes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from .windows import Window, ends_at

SHORTEST = timedelta(minutes=1)
"""For less than this no vendor is asked."""
_FIRST_GAP, _LONGEST_GAP = timedelta(minutes=1), timedelta(minutes=30)


class VendorState(StrEnum):
    """Where a device stands."""

    WANTED = "wanted"
    SET = "set"
    FAILED = "failed"
    ENDING = "ending"


@dataclass(frozen=True, slots=True)
class Running:
    """A window that holds now, and when it is over."""

    window: Window
    until: datetime


@dataclass(frozen=True, slots=True)
class Wish:
    """What the windows of now want of a device: maintenance until then."""

    window_id: UUID
    window_name: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a device stands: what it follows, and what the vendor may have been told (``told_until``)."""

    window_id: UUID
    window_name: str
    state: VendorState
    until: datetime
    told_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Forget:
    """The vendor needs to be told nothing more."""


def running(windows: Iterable[Window], now: datetime) -> list[Running]:
    """Those of the windows that hold now, each with the end of its time; by wall clock in its own zone."""
    found = ((window, ends_at(window, now)) for window in windows)
    return [Running(window, until) for window, until in found if until is not None]


def following(stand: Stand | None, wish: Wish | None, now: datetime) -> Stand | Forget | None:
    """What becomes of a device; ``None`` where nothing is to be changed.

    A maintenance that is over by itself at its time is only forgotten: the vendor ends it.
    """
    if wish is None:
        return _unwished(stand, now)
    if stand is None:
        return _wanted(wish, None) if wish.until - now >= SHORTEST else None
    if stand.until == wish.until and stand.state is not VendorState.ENDING:
        if (stand.window_id, stand.window_name) == (wish.window_id, wish.window_name):
            return None
        return Stand(wish.window_id, wish.window_name, stand.state, stand.until, stand.told_until)
    return _wanted(wish, stand.told_until)


def _wanted(wish: Wish, told_until: datetime | None) -> Stand:
    return Stand(wish.window_id, wish.window_name, VendorState.WANTED, wish.until, told_until)


def _unwished(stand: Stand | None, now: datetime) -> Stand | Forget | None:
    if stand is None:
        return None
    if stand.told_until is None or stand.told_until <= now:
        return Forget()
    if stand.state is VendorState.ENDING:
        return None
    return Stand(stand.window_id, stand.window_name, VendorState.ENDING, stand.told_until, stand.told_until)


def gap(attempts: int) -> timedelta:
    """How long a device waits after so many attempts in vain."""
    doubled: int = 2 ** min(max(attempts, 1) - 1, 10)
    return min(_FIRST_GAP * doubled, _LONGEST_GAP)


def counted(states: Mapping[str, int]) -> Sequence[str]:
    """How many devices stand where, in words: “12 set”, “1 failed”."""
    return [f"{states[state]:,} {words}" for state, words in _WORDS.items() if states.get(state)]


_WORDS = {
    VendorState.SET.value: "set",
    VendorState.WANTED.value: "being set",
    VendorState.FAILED.value: "failed",
    VendorState.ENDING.value: "being taken out",
}
