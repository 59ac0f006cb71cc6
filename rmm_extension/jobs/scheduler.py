"""The scheduler: RQ's cron loop with one tick, nothing per connection.

Two schedulers at once are harmless: so are doubled ticks. One that restarts ticks at once, as RQ does.
"""

from __future__ import annotations

import logging
import time
from types import FrameType

from redis import Redis, RedisError
from rq.cron import CronJob, CronScheduler
from rq.exceptions import StopRequested
from rq.job import Job

from rmm_extension.domain.logline import line

from . import queues, tick

EVERY = 30
PAUSE = 2.0
HEALTHY_AFTER = 60.0
"""Seconds after which an absence of Redis is said again."""

log = logging.getLogger("rmm_extension")


class JsonCronJob(CronJob):
    """A cron job that JSON workers can read: RQ's own makes its queue with pickle and takes no serializer."""

    def enqueue(self, connection: Redis) -> Job:
        """Put the job into its queue."""
        target = queues.queue(self.queue_name, connection)
        return target.enqueue(self.func_name, description=f"rmm.{self.name}", **self.job_options)


class RmmScheduler(CronScheduler):
    """RQ's scheduler with our job, that knows whether it was asked to end."""

    asked_to_stop = False

    def __init__(self, connection: Redis, every: int = EVERY) -> None:
        super().__init__(connection=connection, logging_level=logging.WARNING)
        self.get_jobs().append(_ticking(every))

    def _request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.asked_to_stop = True
        super()._request_stop(signum, frame)  # type: ignore[no-untyped-call]


def _ticking(every: int) -> CronJob:
    # A tick that found no worker for a minute is dropped: the next is here.
    return JsonCronJob(
        queues.TICK,
        tick.tick,
        name="tick",
        interval=every,
        job_timeout=60,
        ttl=60,
        result_ttl=0,
        failure_ttl=queues.FAILURE_TTL,
    )


def run(url: str, every: int = EVERY) -> None:
    """Tick until told to end. RQ's loop dies when Redis goes away; this one begins it again."""
    log.info(line("scheduler.ready", every=every))
    said = -HEALTHY_AFTER
    try:
        while not _run_once(url, every):
            if time.monotonic() - said > HEALTHY_AFTER:
                log.warning(line("scheduler.redis_away", retry_in=PAUSE))
                said = time.monotonic()
            time.sleep(PAUSE)
    except StopRequested:
        # The signal came in the pause, to the handler that RQ's loop left behind.
        pass


def _run_once(url: str, every: int) -> bool:
    """Tick until RQ's loop ends; whether that was asked for."""
    scheduler = RmmScheduler(queues.worker_client(url), every)
    try:
        scheduler.start()  # type: ignore[no-untyped-call]
    except RedisError:
        pass
    return scheduler.asked_to_stop
