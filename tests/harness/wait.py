"""Waiting in tests: ask until it is so, fail with words when it never is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(ask: Callable[[], T], what: str = "the condition", seconds: float = 20.0, pause: float = 0.02) -> T:
    """Call `ask` until it returns something true, and return that; AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := ask()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {seconds:g} s")
        time.sleep(pause)
    return value
