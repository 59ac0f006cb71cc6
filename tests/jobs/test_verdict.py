from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from rmm_extension.domain import errors
from rmm_extension.jobs.verdict import GAPS, judge, timed_out

HOUR = 3600.0


def verdict(error: Exception, **changes: Any) -> Any:
    return judge(error, **{"attempt": 1, "max_attempts": 5, "age": timedelta(minutes=1), **changes})


@pytest.mark.parametrize(
    "error,kind,delay,reauth",
    [
        (errors.RateLimited("Later.", retry_after=90), "rate_limited", 90, False),
        (errors.RateLimited("Later.", retry_after=9 * HOUR), "rate_limited", HOUR, False),
        (errors.RateLimited("Later.", retry_after=0), "rate_limited", 1, False),
        (errors.Unavailable("No answer."), "unavailable", 15, False),
        (errors.HostUnavailable("The PSA is busy."), "host_unavailable", 15, False),
        (errors.AuthFailed("The key is wrong."), "auth_failed", None, True),
        (errors.PermissionMissing("Needs can_list_agents."), "permission_missing", None, False),
        (errors.NotFound("No such alert."), "not_found", None, False),
        (errors.InvalidRequest("Refused."), "invalid_request", None, False),
        (errors.BadResponse("HTML."), "bad_response", None, False),
        (errors.ProviderError("Other."), "provider_error", None, False),
        (errors.AddressRefused("A private address."), "config", None, False),
        (errors.ConfigError("Missing."), "config", None, False),
        (errors.Conflict("Two."), "conflict", None, False),
        (errors.Forbidden("Not in this edition."), "forbidden", None, False),
        (errors.HostRejected("No board."), "host_rejected", None, False),
        (errors.HostCapabilityMissing("No assets port."), "host_capability_missing", None, False),
        (errors.HostError("Other."), "host", None, False),
        (errors.WebhookRejected("shape", "Not JSON."), "error", None, False),
        (errors.RMMError("Other."), "error", None, False),
    ],
)
def test_each_error_has_its_verdict(error: Exception, kind: str, delay: float | None, reauth: bool) -> None:
    found = verdict(error)
    assert found.error_kind == kind
    assert found.delay == (None if delay is None else timedelta(seconds=delay))
    assert found.needs_reauth is reauth
    assert found.message == str(error)
    assert found.is_known


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("q", {}, Exception()),
        InterfaceError("q", {}, Exception()),
        PoolTimeout("no connection is free"),
        psycopg.OperationalError("the connection is lost"),
        psycopg.InterfaceError("the connection is closed"),
        psycopg.errors.DeadlockDetected(),
        psycopg.errors.AdminShutdown(),
    ],
)
def test_an_absent_database_is_waited_for_and_its_words_are_not_shown(error: Exception) -> None:
    found = verdict(error)
    assert (found.error_kind, found.delay) == ("database", timedelta(seconds=15))
    assert found.message == "The database was away."


@pytest.mark.parametrize("error", [KeyError("x"), IntegrityError("q", {}, Exception())])
def test_what_nobody_planned_for_ends_the_run(error: Exception) -> None:
    found = verdict(error)
    assert (found.error_kind, found.delay, found.is_known) == ("internal", None, False)


def test_gaps_grow_until_the_last_attempt() -> None:
    error = errors.Unavailable("No answer.")
    delays = [verdict(error, attempt=n, max_attempts=8).delay for n in range(1, 9)]
    seconds = [delay and delay.total_seconds() for delay in delays]
    assert seconds == [*GAPS, GAPS[-1], GAPS[-1], None]
    assert verdict(error, attempt=1, max_attempts=1).delay is None


def test_a_vendor_that_asks_for_patience_gets_it_for_a_day_however_often() -> None:
    error = errors.RateLimited("Later.", retry_after=60)
    assert verdict(error, attempt=99).delay == timedelta(seconds=60)
    assert verdict(error, age=timedelta(hours=25)).delay is None


def test_jitter_spreads_but_never_comes_before_the_vendors_time() -> None:
    limited = errors.RateLimited("Later.", retry_after=100)
    assert verdict(limited, jitter=0.8).delay == timedelta(seconds=100)
    assert verdict(errors.Unavailable("No answer."), jitter=0.8).delay == timedelta(seconds=12)


def test_an_attempt_that_used_up_its_time_goes_on_later() -> None:
    found = timed_out(attempt=1, max_attempts=2, timeout=60)
    assert (found.error_kind, found.delay) == ("timeout", timedelta(seconds=15))
    assert "60 seconds" in found.message
    assert timed_out(attempt=2, max_attempts=2, timeout=60).delay is None
