"""Are Redis, the workers and the scheduler there? For `flask rmm doctor` and the pages."""

from __future__ import annotations

from collections.abc import Iterator

from redis import Redis
from redis.exceptions import RedisError
from rq import Worker
from rq.cron import CronScheduler

from rmm_extension.domain.settings import Settings
from rmm_extension.domain.types import Check
from rmm_extension.services.kinds import QUEUES

from .queues import web_client


def processes(settings: Settings) -> Iterator[Check]:
    """Redis, then a worker for each queue, then the scheduler."""
    if settings.redis_url is None:
        remedy = "Set RMM_REDIS_URL: without it webhooks work, but nothing is synced."
        yield Check(name="Redis", state="failed", message="RMM_REDIS_URL is not set.", remedy=remedy)
        return
    connection = web_client(settings.redis_url)
    try:
        connection.ping()
        yield Check(name="Redis", state="ok", message="It answers.")
        yield _workers(connection)
        yield _scheduler(connection)
    except RedisError as error:
        message = f"It does not answer ({type(error).__name__})."
        yield Check(name="Redis", state="failed", message=message, remedy="Start it or mend RMM_REDIS_URL.")
    finally:
        connection.close()


def _workers(connection: Redis) -> Check:
    served = {name for worker in Worker.all(connection=connection) for name in worker.queue_names()}
    missing = [name for name in QUEUES if name not in served]
    if missing:
        message = f"Nobody works on {', '.join(missing)}."
        return Check(name="Workers", state="failed", message=message, remedy="Start `flask rmm worker`.")
    return Check(name="Workers", state="ok", message="Every queue has one.")


def _scheduler(connection: Redis) -> Check:
    found = CronScheduler.all(connection)
    if not found:
        message = "None runs: nothing that is due gets started."
        return Check(name="Scheduler", state="failed", message=message, remedy="Start `flask rmm scheduler`.")
    return Check(name="Scheduler", state="ok", message=f"{len(found)} running.")
