"""Telling the workers, after a commit, that the outbox has something for them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from redis import RedisError

from rmm_extension.domain.logline import line
from rmm_extension.domain.settings import Settings

from . import queues

KEY = "rmm:wake"
RELAY = "rmm_extension.jobs.relay.relay"
PENDING = 5
"""Seconds after which a relay job that has not begun may be doubled, in case it never does."""
PAUSE = 5.0
"""Seconds without any call to Redis after one that failed."""

_log = logging.getLogger("rmm_extension")


def make_wake(settings: Settings) -> Callable[[], None]:
    """The function that wakes the workers: never raises, never waits half a second, may do nothing.

    Without Redis the work waits for the scheduler's next tick.
    """
    if settings.redis_url is None:
        return _nobody
    return Waker(settings.redis_url)


class Waker:
    """Asks for one relay job, however many commits ask for it at once.

    The relay job removes the key before it looks, so whoever finds the key in place knows that a job will
    look after this moment, and so after their commit.
    """

    def __init__(self, url: str) -> None:
        self._redis = queues.web_client(url)
        self._queue = queues.queue(queues.ALERTS, self._redis)
        self._quiet_until = 0.0

    def __call__(self) -> None:
        if time.monotonic() < self._quiet_until:
            return
        try:
            if self._redis.set(KEY, 1, nx=True, ex=PENDING):
                self._enqueue()
        except RedisError as error:
            # A request must not pay for Redis being away, let alone every request.
            self._quiet_until = time.monotonic() + PAUSE
            _log.warning(line("wake.failed", error=type(error).__name__, quiet_seconds=PAUSE))

    def _enqueue(self) -> None:
        self._queue.enqueue(
            RELAY,
            job_timeout=120,
            result_ttl=0,
            failure_ttl=queues.FAILURE_TTL,
            description="rmm.relay",
        )


def _nobody() -> None:
    """Redis is not configured."""
