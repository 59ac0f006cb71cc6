"""Queues and Redis clients: JSON on both sides, ids as the only arguments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.queue import EnqueueData
from rq.serializers import JSONSerializer

from rmm_extension.services import kinds
from rmm_extension.services.schedule import Handout

TICK, ALERTS, SYNC, WORKFLOW, ACTIONS = kinds.QUEUES

FAILURE_TTL = 3600
"""RQ's default keeps a failed job for a year; ours are only to be looked at, the run's row has it all."""

EXECUTE = "rmm_extension.jobs.execute.execute"
"""By its path, which therefore must never change: jobs queued before an upgrade name it."""

_WEB_TIMEOUT = 0.2


def web_client(url: str) -> Redis:
    """A client for request paths: one try, two tenths of a second.

    redis-py tries three more times with growing pauses unless told otherwise, whatever the time-outs are.
    """
    return Redis.from_url(
        url,
        socket_connect_timeout=_WEB_TIMEOUT,
        socket_timeout=_WEB_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
    )


def worker_client(url: str) -> Redis:
    """A client that may block: RQ gives it the time-out that its blocking reads need."""
    return Redis.from_url(url, health_check_interval=30)


def queue(name: str, connection: Redis) -> Queue:
    """A queue whose jobs are JSON: a pickle would run whatever somebody put into Redis."""
    return Queue(name, connection=connection, serializer=JSONSerializer)


def job_id(handout: Handout) -> str:
    """A job's id: another one for each attempt, so that a dead worker's job is not in the way of the next.

    RQ's own ``unique`` would be: it holds until the dead job's hash is cleaned up, minutes later.
    """
    return f"rmm-{handout.run_id}-{handout.attempt}"  # RQ takes letters, digits, _ and - only


def enqueue_runs(connection: Redis, handouts: Iterable[Handout]) -> int:
    """Give runs to the workers; those that still wait in their queue are left there."""
    by_queue: dict[str, list[Handout]] = defaultdict(list)
    for handout in handouts:
        by_queue[handout.queue].append(handout)
    return sum(_enqueue(queue(name, connection), wanted) for name, wanted in by_queue.items())


def _enqueue(target: Queue, handouts: list[Handout]) -> int:
    # RQ puts the same id into the queue twice if asked twice. The hash of a job tells nothing about that.
    pipeline = target.connection.pipeline(transaction=False)
    for handout in handouts:
        pipeline.lpos(target.key, job_id(handout))
    missing = [handout for handout, place in zip(handouts, pipeline.execute(), strict=True) if place is None]
    target.enqueue_many([_job(handout) for handout in missing])
    return len(missing)


def _job(handout: Handout) -> EnqueueData:
    known = kinds.KINDS.get(handout.kind)
    return Queue.prepare_data(
        EXECUTE,
        args=(handout.tenant_id, str(handout.run_id), handout.attempt),
        timeout=known.timeout if known else 60,
        result_ttl=0,
        failure_ttl=FAILURE_TTL,
        # RQ's default description is the call with its arguments; it shows in logs and in the dashboard.
        description=f"rmm.{handout.kind} run={handout.run_id}",
        job_id=job_id(handout),
    )
