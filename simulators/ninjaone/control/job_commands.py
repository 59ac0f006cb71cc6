"""Jobs, and what was asked for through the API."""

from __future__ import annotations

from typing import Any

from simulators.ninjaone.control.blueprint import command, fields, lab, query
from simulators.ninjaone.jobs import advance, job_row
from simulators.ninjaone.replies import missing


@query("/api/jobs")
def list_jobs() -> Any:
    """What is running."""
    return [job_row(one) for one in lab().jobs.values()]


@command("/api/jobs/<uid>/advance")
def advance_job(uid: str) -> Any:
    """{"status"?, "result"?, "output"?}: STARTED, IN_PROCESS, COMPLETED (the default) or CANCELLED."""
    data = fields()
    with lab().lock:
        if uid not in lab().jobs:
            raise missing("Job")
        status = data.get("status", "COMPLETED")
        advance(lab(), lab().jobs[uid], status, result=data.get("result"), output=data.get("output"))
        return {"activity_id": lab().journal.last_id}


@query("/api/actions")
def list_actions() -> Any:
    """Scripts, reboots, links, windows and changes that were asked for, oldest first."""
    return list(lab().actions)
