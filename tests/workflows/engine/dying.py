"""A worker that is killed at a chosen point.

``python -m tests.workflows.engine.dying POINT TENANT JOB ATTEMPT`` does one attempt of a job, or, at a
point of the relay, relays the outbox. It ends by SIGKILL, as a machine does that loses its power: nothing
of it runs any more, and nothing is said to anybody.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any
from uuid import UUID

from reference_psa import create_app
from rmm_extension.jobs.execute import perform as execute
from rmm_extension.providers.tacticalrmm import TacticalRmm, history
from rmm_extension.services import relay, runs
from rmm_extension.workflows import catalog, engine, flow, new_run, starting
from tests.harness.schema import app_config
from tests.workflows.engine.acme import PACK

# By its path: the package calls a function so.
perform = import_module("rmm_extension.services.actions.perform")

POINTS: dict[str, tuple[Any, str, bool]] = {
    "event_before_its_commit": (starting, "on_event", True),
    "event_after_its_commit": (relay, "deliver", True),
    "start_before_its_commit": (new_run, "write", True),
    "start_after_its_commit": (relay, "deliver", True),
    "step_before_it_began": (engine, "_do_next", False),
    "step_before_its_commit": (flow, "follow", True),
    "step_after_its_commit": (runs, "finish", False),
    "action_before_its_mark": (perform, "_begin", False),
    "action_before_the_call": (TacticalRmm, "perform_action", False),
    "action_after_the_answer": (TacticalRmm, "perform_action", True),
    "action_before_its_commit": (perform, "write_result", True),
    "action_after_its_commit": (perform, "_write_end", True),
    "over_before_its_commit": (engine, "take_over", True),
    "over_after_its_commit": (relay, "deliver", True),
}
"""Where it ends: before, or right after, this function."""
RELAYED = ("event_", "start_", "over_")
"""What the relay does."""


def main(point: str, tenant_id: str, job_id: str, attempt: str) -> None:
    """Do one attempt of the job, or relay once, up to the point."""
    owner, name, after = POINTS[point]
    setattr(owner, name, _deadly(getattr(owner, name), after=after))
    history.PAUSES = (0.0,) * 4
    known = catalog.own_packs()
    catalog.own_packs = lambda: (*known, PACK)  # type: ignore[assignment]
    app = create_app(app_config(os.environ["DATABASE_URL"]))
    rmm = app.extensions["rmm"].services
    with app.app_context():
        if point.startswith(RELAYED):
            for message in relay.claim(rmm):
                if not relay.is_signal(message):
                    relay.deliver(rmm, message)
        else:
            execute(rmm, tenant_id, UUID(job_id), int(attempt))


def _deadly(function: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    def called(*args: Any, **options: Any) -> Any:
        if after:
            function(*args, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    return called


if __name__ == "__main__":
    main(*sys.argv[1:])
