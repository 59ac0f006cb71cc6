"""When a read is asked again after a failure that may pass: one set of rules, whoever does the repeating.

Usually urllib3 repeats by itself. Where each request has to be counted, it is asked here what it would do.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import requests
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import MaxRetryError
from urllib3.util.retry import Retry

PATIENCE = 2.0
"""Longest wait within a process that a vendor's ``Retry-After`` is given, in seconds."""
_RETRIED = frozenset({429, 502, 503, 504})


class ReadRetry(Retry):
    """urllib3's retries, but a ``Retry-After`` above :data:`PATIENCE` ends them at once."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        """Count one more attempt; refuses when the vendor asks for a long wait."""
        if response is not None and (self.get_retry_after(response) or 0) > PATIENCE:
            raise MaxRetryError(_pool, url or "", None)
        return super().increment(method, url, response, error, _pool, _stacktrace)


def read_retry(times: int, backoff: float) -> ReadRetry:
    """So many repeats, with growing pauses from ``backoff`` seconds on."""
    return ReadRetry(
        total=times,
        connect=times,
        read=min(times, 1),
        status=times,
        other=0,
        redirect=0,
        status_forcelist=_RETRIED,
        allowed_methods=None,
        backoff_factor=backoff,
        raise_on_status=False,
        respect_retry_after_header=True,
    )


class Repeats:
    """The repeats of one request that are made one by one: it says whether there is another, and rests."""

    def __init__(self, retry: Retry) -> None:
        self._retry = retry

    def after_answer(self, method: str, answer: requests.Response) -> bool:
        """Whether the answer may be another one in a moment; the moment has passed then."""
        asks_to_wait = "Retry-After" in answer.headers
        if not self._retry.is_retry(method, answer.status_code, asks_to_wait):
            return False
        if not self._count(method, response=answer.raw):
            return False
        self._retry.sleep(answer.raw)
        return True

    def after_error(self, method: str, error: requests.RequestException) -> bool:
        """As :meth:`after_answer`, where none came."""
        reason = getattr(error.args[0], "reason", None) if error.args else None
        if not isinstance(reason, Exception) or not self._count(method, error=reason):
            return False
        self._retry.sleep()
        return True

    def _count(self, method: str, **what: Any) -> bool:
        try:
            self._retry = self._retry.increment(method, "", **what)
        except MaxRetryError:
            return False
        return True
