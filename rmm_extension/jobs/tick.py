"""The scheduler's cheap job: every 30 seconds, on a queue and a worker of its own."""

from __future__ import annotations

import time
from collections.abc import Callable

from redis import Redis

from rmm_extension.domain.logline import line
from rmm_extension.services import kinds, recurring, relay, schedule
from rmm_extension.services.context import Rmm
from rmm_extension.services.schedule import TickResult

from . import queues
from .execute import context
from .guard import isolated, log

Step = Callable[[Rmm], int]


def tick() -> None:
    """RQ's entry."""
    rmm = context()
    if rmm.settings.redis_url is None:
        raise RuntimeError("A tick came through Redis, yet RMM_REDIS_URL is not set.")
    run(rmm, queues.worker_client(rmm.settings.redis_url))


def run(rmm: Rmm, connection: Redis) -> TickResult:
    """Find and start what is due, hand runs to the workers; one step that fails stops no other."""
    started, counts, failed = time.monotonic(), {}, 0
    for name, step in _steps(connection):
        with isolated("tick.failed", step=name) as mishap:
            counts[name] = step(rmm)
        failed += mishap.words is not None
    found = {name: count for name, count in counts.items() if count}
    log.info(line("tick.end", **found, failed=failed or None, seconds=time.monotonic() - started))
    return TickResult(counts=counts, failed=failed)


def _steps(connection: Redis) -> list[tuple[str, Step]]:
    return [
        ("syncs", recurring.start_due_syncs),
        ("software", recurring.start_due_software),
        ("patches", recurring.start_due_patches),
        ("polls", recurring.start_due_polls),
        ("activity", recurring.start_due_activity),
        ("deliveries", schedule.start_due_deliveries),
        *((_name(hook), _hook(hook)) for hook in schedule.TICK_HOOKS),
        ("given_up", _give_up),
        # After the others, so that what they started goes out with this tick.
        ("handed_out", lambda rmm: queues.enqueue_runs(connection, schedule.hand_out(rmm))),
        ("outbox", _wake),
    ]


def _name(hook: kinds.Work) -> str:
    path = hook if isinstance(hook, str) else f"{hook.__module__}:{hook.__name__}"
    return path.rpartition(".")[2].replace(":", ".")


def _hook(hook: kinds.Work) -> Step:
    # Resolved when it is called, so that one that cannot be imported fails as a step of its own.
    return lambda rmm: kinds.resolve(hook)(rmm) or 0


def _give_up(rmm: Rmm) -> int:
    found = schedule.hopeless(rmm)
    for lost in found:
        with isolated("tick.failed", step="give_up", tenant=lost.tenant_id, run=lost.id, kind=lost.kind):
            schedule.give_up(rmm, lost)
    return len(found)


def _wake(rmm: Rmm) -> int:
    """Have the outbox relayed when something waits there: nobody may have been told at the time."""
    waiting = relay.has_due(rmm)
    if waiting:
        rmm.wake()
    return int(waiting)
