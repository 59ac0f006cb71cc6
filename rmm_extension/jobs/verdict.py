"""What an error means for a run: again later, or the end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import psycopg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from rmm_extension.domain.errors import (
    AuthFailed,
    ConfigError,
    Conflict,
    Forbidden,
    HostCapabilityMissing,
    HostError,
    HostRejected,
    HostUnavailable,
    ProviderError,
    RateLimited,
    RMMError,
    Unavailable,
)

GAPS = (15, 60, 300, 900, 1800)
"""Seconds to the next attempt after the first, second, … that found no answer; the last one stays."""
LONGEST_WAIT = 3600
DATABASE_AWAY = "The database was away."
PATIENCE = timedelta(hours=24)
"""How long after its start a run may be put off by vendors that ask for patience."""

# SQLAlchemy's, and psycopg's own where a statement ran on the driver's connection.
_AWAY = (OperationalError, InterfaceError, PoolTimeout, psycopg.OperationalError, psycopg.InterfaceError)
_KINDS = (
    (ConfigError, "config"),
    (Conflict, "conflict"),
    (Forbidden, "forbidden"),
    (HostUnavailable, "host_unavailable"),
    (HostRejected, "host_rejected"),
    (HostCapabilityMissing, "host_capability_missing"),
    (HostError, "host"),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with the run: ``delay`` is set when it is to be tried again.

    ``needs_reauth``: its connection waits for a person, too. ``is_known``: the message is the error's own.
    """

    error_kind: str
    message: str
    delay: timedelta | None = None
    needs_reauth: bool = False
    is_known: bool = True


def judge(
    error: Exception, *, attempt: int, max_attempts: int, age: timedelta, jitter: float = 1.0
) -> Verdict:
    """The verdict on the error of attempt number ``attempt`` of a run queued ``age`` ago.

    Attempts that a vendor turned away with "later, please" are not among those counted.
    """
    message = str(error)
    if isinstance(error, RateLimited):
        wait = timedelta(seconds=min(max(error.retry_after, 1), LONGEST_WAIT) * max(jitter, 1))
        return Verdict(error.kind, message, delay=wait if age < PATIENCE else None)
    if isinstance(error, AuthFailed):
        return Verdict(error.kind, message, needs_reauth=True)
    if isinstance(error, (Unavailable, HostUnavailable)):
        return Verdict(_kind(error), message, delay=_gap(attempt, max_attempts, jitter))
    if isinstance(error, RMMError):
        return Verdict(_kind(error), message)
    if is_database_away(error):
        return Verdict("database", DATABASE_AWAY, delay=_gap(attempt, max_attempts, jitter))
    return Verdict("internal", message, is_known=False)


def timed_out(*, attempt: int, max_attempts: int, timeout: int, jitter: float = 1.0) -> Verdict:
    """The verdict on an attempt that used up its time: the next goes on from the cursor."""
    message = f"An attempt took longer than the {timeout} seconds it has."
    return Verdict("timeout", message, delay=_gap(attempt, max_attempts, jitter))


def is_database_away(error: Exception) -> bool:
    """Whether PostgreSQL did not answer, broke off, or asks to repeat the transaction (a deadlock, say)."""
    if isinstance(error, _AWAY):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _gap(attempt: int, max_attempts: int, jitter: float) -> timedelta | None:
    if attempt >= max_attempts:
        return None
    return timedelta(seconds=GAPS[min(attempt, len(GAPS)) - 1] * jitter)


def _kind(error: RMMError) -> str:
    if isinstance(error, ProviderError):
        return error.kind
    return next((word for known, word in _KINDS if isinstance(error, known)), "error")
