"""How fast a vendor may be asked, by all who ask it together."""

from __future__ import annotations

import threading
import time
from typing import Protocol

import msgspec

from .errors import RateLimited


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """A request every ``interval`` seconds; after a rest, up to ``burst`` at once.

    In any ``n`` seconds there are at most ``burst + n / interval`` of them.
    """

    interval: float
    burst: int


class Pace(Protocol):
    """Gives each request to a vendor its turn."""

    def turn(self, account: str, rate: Rate, patience: float) -> float:
        """The seconds after which this request may be sent; it is counted then.

        ``account`` is what the vendor counts by, without any secret in it. Raises ``RateLimited`` where the
        turn would come later than ``patience`` seconds from now: such a request is not counted.
        """


class MemoryPace:
    """The pace of one process: of a connection that is only being tried out, nobody else works with it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}

    def turn(self, account: str, rate: Rate, patience: float) -> float:
        """As the Protocol says."""
        now = time.monotonic()
        with self._lock:
            following, wait = next_turn(self._next.get(account, 0.0), now, rate)
            if wait <= patience:
                self._next[account] = following
        if wait > patience:
            raise too_fast(wait)
        return wait


def next_turn(following: float, now: float, rate: Rate) -> tuple[float, float]:
    """When the turn after this one is due, and the seconds until this one.

    The generic cell rate algorithm (ITU-T I.371): ``following`` is the time at which the account would be
    back at its even pace, which a burst may run ahead of.
    """
    due = max(following, now)
    wait = max(due - (rate.burst - 1) * rate.interval - now, 0.0)
    return due + rate.interval, wait


def too_fast(wait: float) -> RateLimited:
    """The error of a request whose turn is too far away."""
    return RateLimited("Others are asking this vendor as often as it allows.", retry_after=wait, status=None)
