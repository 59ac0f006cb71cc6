"""The worker: one process, one queue, every job inside an app context."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import time
import uuid
from types import FrameType
from typing import Any

from flask import Flask
from redis import Redis, RedisError
from rq import Queue, Worker
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker
from sqlalchemy.orm import configure_mappers

from rmm_extension.domain.logline import line
from rmm_extension.services import kinds, relay, schedule
from rmm_extension.services.context import Rmm

from . import execute as _execute  # noqa: F401 - imported before forking, as are relay and tick
from . import queues
from . import relay as _relay  # noqa: F401
from . import tick as _tick  # noqa: F401
from .guard import isolated

PAUSE = 2.0
"""Seconds between two attempts to work while Redis is away."""

log = logging.getLogger("rmm_extension")


class InAppContext(BaseWorker):
    """Runs each job inside the app's context, with database connections of its own."""

    app: Flask
    asked_to_stop = False
    # RQ waits up to a minute for Redis; the tick's rhythm is half of that.
    max_connection_wait_time = 5.0

    def perform_job(self, job: Job, queue: Queue) -> bool:
        """RQ's hook around one job, in the forked process."""
        with self.app.app_context():
            rmm: Rmm = self.app.extensions["rmm"].services
            if self._is_horse:
                # Connections that were open before the fork belong to the parent: forget, do not close them.
                rmm.db.engine.dispose(close=False)
            try:
                return super().perform_job(job, queue)
            finally:
                rmm.db.session.remove()

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Remember that the end is wanted: RQ also ends its loop for other reasons."""
        self.asked_to_stop = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


class RmmWorker(InAppContext, Worker):
    """The worker of production: a fork per job."""


def make_worker(
    app: Flask, queue_name: str, connection: Redis, kind: type[InAppContext] = RmmWorker
) -> InAppContext:
    """A worker on one queue. Never two: RQ then pops a job in a way that a kill at that moment loses.

    RQ's own scheduler is not needed: nothing here uses its intervals, a run's next attempt is its due time.
    """
    worker = kind(
        [queues.queue(queue_name, connection)],
        name=f"{queue_name}-{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}",
        connection=connection,
        serializer=JSONSerializer,
        # Jobs left behind by a killed worker are cleaned up by this; RQ's ten minutes are long.
        maintenance_interval=60,
    )
    worker.app = app
    return worker


def work(app: Flask, queue_name: str, url: str) -> None:
    """Work on one queue until told to end, over all absences of Redis."""
    preload(app)
    away = False
    while True:
        worker: InAppContext | None = None
        try:
            worker = make_worker(app, queue_name, queues.worker_client(url))
            log.info(line("worker.ready", queue=queue_name, pid=os.getpid(), app=app.name))
            away = False
            # Four lines of RQ's per job say less than our two.
            worker.work(logging_level="WARNING")
        except RedisError as error:
            if not away:
                log.warning(line("worker.redis_away", queue=queue_name, error=type(error).__name__))
            away = True
        if worker is not None and worker.asked_to_stop:
            return
        _forget(worker)
        time.sleep(PAUSE)


def _forget(worker: InAppContext | None) -> None:
    """End what a worker that lost Redis leaves behind."""
    if worker is not None and worker.pubsub_thread is not None:
        worker.pubsub_thread.stop()
    # RQ's handlers belong to the worker that has ended; a signal now just ends the process.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def preload(app: Flask) -> None:
    """Import in the parent what jobs need, once, instead of after every fork."""
    configure_mappers()
    for kind in kinds.KINDS.values():
        _import(kind.handler, kind=kind.name)
    for topic, handler in relay.TOPICS.items():
        _import(handler, topic=topic)
    for hook in (*(consumer.take for consumer in relay.EVENT_CONSUMERS), *schedule.TICK_HOOKS):
        _import(hook, hook=hook)
    spare_the_collector()


def spare_the_collector() -> None:
    """Have the garbage collector look at what jobs make, seldom, and no more at what was imported.

    A page of devices is some ten thousand objects that are all alive until it is written: by its usual
    measure the collector walks over them, and over every module's objects, again and again. Measured: a fifth
    of a sync. What was imported is also no longer touched in the forks, which go on sharing it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _import(wanted: kinds.Work, **fields: Any) -> None:
    with isolated("worker.handler_missing", **fields):
        kinds.resolve(wanted)
