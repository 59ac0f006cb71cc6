"""Runs of workflows: the history of one and of all, one run with its steps, and what people do with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rmm_extension.domain.workflows import RunSource, RunState
from rmm_extension.services.queries.paging import AnyRow
from rmm_extension.workflows import decisions, past_events, queries
from rmm_extension.workflows.queries import RunDetail, RunFilter

from .access import check, requires
from .context import act, actor, allows, current_rmm, session
from .listing import assets_of, tickets_of
from .narrowing import Chip, Options, argument, chips, uuid_argument, word
from .routing import Routes
from .run_access import may_see, started_by
from .workflow_steps import is_unknown, said, step_views

routes = Routes()

STATES: Options = [
    ("queued", "Waiting"),
    ("running", "Running"),
    ("waiting", "Waiting for a vendor"),
    ("unknown", "Outcome unknown"),
    ("succeeded", "Done"),
    ("failed", "Failed"),
    ("cancelled", "Called off"),
]
SOURCES: Options = [("event", "An event"), ("manual", "A person"), ("test", "A test")]
DECIDED = {
    "happened": "Taken as done: the workflow goes on.",
    "again": "It is being done again.",
    "stop": "The run is stopped.",
}
"""What a person may say of a step whose outcome nobody knows, and what is answered."""


@routes.get("/workflows/runs")
@requires("rmm.workflows.manage")
def workflow_run_list() -> ResponseReturnValue:
    """Runs of all workflows, newest first, narrowed by the address's parameters."""
    return _history(uuid_argument("workflow"))


@routes.get("/workflows/<uuid:workflow_id>/runs")
@requires("rmm.workflows.manage")
def workflow_runs(workflow_id: UUID) -> ResponseReturnValue:
    """Runs of one workflow."""
    return _history(workflow_id, within=workflow_id)


@routes.get("/workflows/runs/<uuid:run_id>")
@requires("rmm.view")
def workflow_run(run_id: UUID) -> ResponseReturnValue:
    """One run: what started it, and each step as it goes on. Everybody sees the runs they started."""
    return render_template("rmm/workflow_runs/run.html", **_values(run_id))


@routes.get("/workflows/runs/<uuid:run_id>/state")
@requires("rmm.view")
def workflow_run_state(run_id: UUID) -> ResponseReturnValue:
    """The part of a run's page that changes, alone."""
    return render_template("rmm/workflow_runs/_state.html", **_values(run_id))


@routes.post("/workflows/runs/<uuid:run_id>/decide")
@requires("rmm.view")
def workflow_run_decide(run_id: UUID) -> ResponseReturnValue:
    """Say what became of a step whose outcome nobody knows."""
    _visible(run_id)
    choice = request.form.get("choice", "")
    if choice not in DECIDED:
        abort(400)

    def work(opened: Session) -> str:
        decisions.decide(current_rmm(), opened, actor(), run_id, choice)
        return DECIDED[choice]

    return act(work, url_for("rmm.workflow_run", run_id=run_id))


@routes.post("/workflows/runs/<uuid:run_id>/cancel")
@requires("rmm.view")
def workflow_run_cancel(run_id: UUID) -> ResponseReturnValue:
    """Stop a run: no further step is begun."""
    _visible(run_id)

    def work(opened: Session) -> str:
        decisions.cancel(current_rmm(), opened, actor(), run_id)
        return "No further step is begun. What was done stays done."

    return act(work, url_for("rmm.workflow_run", run_id=run_id))


@routes.get("/workflows/runs/<uuid:run_id>/again")
@requires("rmm.view")
def workflow_run_again(run_id: UUID) -> ResponseReturnValue:
    """Lead to the form that starts the same once more: the person's own start, or a test with this event."""
    found = _found(run_id)
    subject = _asked_about(found)
    if subject is None:
        flash("What this run was about is not known any more.", "warning")
        return redirect(url_for("rmm.workflow_run", run_id=run_id), 303)
    kind, id_ = subject
    values: dict[str, Any] = {"workflow_id": found.row.workflow_id, "again": run_id}
    if found.row.source == RunSource.MANUAL:
        return redirect(url_for("rmm.workflow_start", subject=f"{kind}:{id_}", **values), 303)
    return redirect(url_for("rmm.workflow_test", subject=kind, about=id_, **values), 303)


def _history(workflow_id: UUID | None, within: UUID | None = None) -> ResponseReturnValue:
    tenant_id = actor().tenant_id
    workflows = [(str(id_), name) for id_, name in queries.workflow_names(session(), tenant_id)]
    name = word(workflows, str(workflow_id)) if workflow_id else None
    if within is not None and name is None:
        abort(404)
    wanted = RunFilter(
        workflow_id=workflow_id, state=argument("state", STATES), source=argument("source", SOURCES)
    )
    page = queries.run_page(session(), tenant_id, wanted, after=argument("after"))
    return render_template(
        "rmm/workflow_runs/list.html",
        page=page,
        within=within,
        name=name,
        list_url=_list_url(within),
        options={"workflow": [] if within else workflows, "state": STATES, "source": SOURCES},
        chips=_chips(wanted, None if within else name),
        tickets=tickets_of(page.rows),
        started_by=started_by,
        waiting=any(not RunState(row.state).is_over for row in page.rows),
    )


def _asked_about(found: RunDetail) -> tuple[str, str] | None:
    """The kind and id of what a run is about, as its start was asked for; a sync is not known any more."""
    row = found.row
    about = (row.context.get("trigger") or {}).get("subject") or past_events.subject_of(row.event)
    id_ = row.integration_id if about == "connection" else getattr(row, f"{about}_id", None)
    return (about, str(id_)) if about and id_ is not None else None


def _list_url(within: UUID | None) -> str:
    return (
        url_for("rmm.workflow_runs", workflow_id=within)
        if within is not None
        else url_for("rmm.workflow_run_list")
    )


def _chips(wanted: RunFilter, workflow: str | None) -> list[Chip]:
    gone = "one that is gone" if wanted.workflow_id and workflow is None and argument("workflow") else None
    return chips(
        {
            "workflow": ("Workflow", workflow or gone),
            "state": ("State", word(STATES, wanted.state)),
            "source": ("Started by", word(SOURCES, wanted.source)),
        }
    )


def _values(run_id: UUID) -> dict[str, Any]:
    found = _found(run_id)
    row, steps = found.row, step_views(found)
    unknown = next((one for one in steps if is_unknown(one.state)), None)
    return {
        "found": found,
        "row": row,
        "steps": steps,
        "over": RunState(row.state).is_over,
        "unknown": unknown if row.state == RunState.UNKNOWN else None,
        "started_by": started_by(row),
        "ticket": tickets_of([row]).get(row.ticket_id or ""),
        "asset": assets_of([row]).get(row.asset_id or ""),
        "again": _asked_about(found) is not None and _may_start_again(row),
        "fields": _fields(found),
        "seen": said(_seen(row)) if allows("rmm.workflows.manage") else None,
    }


def _may_start_again(row: AnyRow) -> bool:
    return row.source == RunSource.MANUAL or allows("rmm.workflows.manage")


def _fields(found: RunDetail) -> list[tuple[str, str]]:
    """What the person who started it filled in."""
    given = found.row.context.get("fields") or {}
    fields = found.definition.trigger.fields
    return [(one.label, said(given[one.name])) for one in fields if given.get(one.name) not in (None, "")]


def _seen(row: AnyRow) -> Mapping[str, Any]:
    return {name: value for name, value in row.context.items() if value is not None}


def _found(run_id: UUID) -> RunDetail:
    found = queries.run_detail(session(), actor().tenant_id, run_id)
    if found is None:
        abort(404)
    _check(found.row)
    return found


def _visible(run_id: UUID) -> None:
    row = queries.run_row(session(), actor().tenant_id, run_id)
    if row is None:
        abort(404)
    _check(row)


def _check(row: AnyRow) -> None:
    if not may_see(row):
        check("rmm.workflows.manage")
