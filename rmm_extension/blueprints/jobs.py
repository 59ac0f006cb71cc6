"""Background work: the list of runs, one run with its live progress, cancelling it."""

from __future__ import annotations

from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rmm_extension.domain.retention import in_words
from rmm_extension.models import JobRun, utc_now
from rmm_extension.services import kinds, runs
from rmm_extension.services.queries.runs import last_cleaning, run_page
from rmm_extension.services.runs import RunFilter

from .access import check, requires
from .choices import connection_options
from .context import act, actor, allows, current_rmm, session
from .narrowing import Options, argument, chips, uuid_argument, word
from .routing import Routes

routes = Routes()

STATUSES: Options = [
    ("queued", "Queued"),
    ("running", "Running"),
    ("stalled", "Stalled"),
    ("succeeded", "Succeeded"),
    ("failed", "Failed"),
    ("cancelled", "Cancelled"),
]


@routes.get("/jobs")
@requires("rmm.jobs.view")
def job_list() -> ResponseReturnValue:
    """Runs, newest first."""
    kind_options = [(kind.name, kind.label) for kind in kinds.KINDS.values()]
    connections = connection_options()
    wanted = RunFilter(
        kind=argument("kind", kind_options),
        status=argument("status", STATUSES),
        integration_id=uuid_argument("connection"),
    )
    page = run_page(session(), actor().tenant_id, wanted, after=argument("after"))
    return render_template(
        "rmm/jobs/list.html",
        page=page,
        kept=in_words(current_rmm().settings.keep),
        cleaned=last_cleaning(session(), actor().tenant_id),
        now=utc_now(),
        is_stalled=runs.is_stalled,
        kinds=kind_options,
        statuses=STATUSES,
        connections=connections,
        connection_names=dict(connections),
        chips=chips(
            {
                "kind": ("Kind", word(kind_options, wanted.kind)),
                "status": ("Status", word(STATUSES, wanted.status)),
                "connection": ("Connection", word(connections, argument("connection"))),
            }
        ),
    )


@routes.get("/jobs/<uuid:run_id>")
@requires("rmm.view")
def job_page(run_id: UUID) -> ResponseReturnValue:
    """One run; everybody sees the runs they started."""
    return render_template("rmm/jobs/run.html", **_run_values(_visible(run_id)))


@routes.get("/jobs/<uuid:run_id>/progress")
@requires("rmm.view")
def job_progress(run_id: UUID) -> ResponseReturnValue:
    """The part of a run's page that changes, alone."""
    return render_template("rmm/jobs/_progress.html", **_run_values(_visible(run_id)))


@routes.post("/jobs/<uuid:run_id>/cancel")
@requires("rmm.sync")
def job_cancel(run_id: UUID) -> ResponseReturnValue:
    """Ask a run to stop."""
    _visible(run_id)

    def work(opened: Session) -> str:
        runs.cancel(current_rmm(), opened, actor(), run_id)
        return "The run is being cancelled. What it has written stays."

    return act(work, url_for("rmm.job_page", run_id=run_id))


def progress_values(run: JobRun | None) -> dict[str, object]:
    """What ``rmm/jobs/_progress.html`` needs to show a run inside another page."""
    return _run_values(run) if run is not None else {"run": None}


def _run_values(run: JobRun) -> dict[str, object]:
    now = utc_now()
    return {
        "run": run,
        "now": now,
        "stalled": runs.is_stalled(run, now),
        "unfinished": run.status in runs.UNFINISHED,
        "may_cancel": allows("rmm.sync"),
        "rate": _rate(run),
    }


def _rate(run: JobRun) -> float | None:
    """Things done per second, once that says something."""
    if run.started_at is None or not run.done_count:
        return None
    seconds = ((run.finished_at or utc_now()) - run.started_at).total_seconds()
    return run.done_count / seconds if seconds >= 1 else None


def _visible(run_id: UUID) -> JobRun:
    run = runs.get(session(), actor().tenant_id, run_id)
    own = run.actor_id == actor().id
    configuring = run.integration_id is not None and allows("rmm.configure")
    if not (own or configuring):
        check("rmm.jobs.view")
    return run
