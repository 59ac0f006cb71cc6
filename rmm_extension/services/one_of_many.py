"""Doing one of many things: one that cannot be done must not keep the others waiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rmm_extension.domain.errors import RMMError

from .context import Rmm
from .lease import INTERRUPTIONS
from .webhooks import is_away, log_failure


def attempt(
    rmm: Rmm, do: Callable[[], object], *, name: str, event: str, **about: Any
) -> dict[str, str] | None:
    """Do it; its error for the run's list, in words, when it cannot be done.

    ``event`` and ``about`` are for the log. What stops everything goes up: the end of the run, PostgreSQL
    that is away.
    """
    try:
        do()
    except tuple(INTERRUPTIONS):
        raise
    except Exception as error:
        if is_away(error):
            raise
        rmm.db.session.remove()
        log_failure(event, error, **about)
        known = isinstance(error, RMMError) and str(error)
        return {"name": name, "message": known or f"Unexpected: {type(error).__name__}. The log says where."}
    return None
