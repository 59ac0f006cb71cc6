"""Workflows that people start from an alert, a ticket, an asset or a device: the offers on these pages, the
form, the starting, and what became of the newest ones there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from flask import Flask, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from rmm_extension.domain.contracts.actions import ActionSpec, FormField
from rmm_extension.domain.errors import Invalid, RMMError
from rmm_extension.domain.values import read_uuid
from rmm_extension.domain.workflows import SUBJECTS, Definition, ManualField, RunState
from rmm_extension.forms.actions import by_field, filled, typed
from rmm_extension.services.queries.paging import AnyRow
from rmm_extension.services.unit import unit
from rmm_extension.workflows import catalog, queries, starting
from rmm_extension.workflows.queries import RunFilter, Startable

from .access import check, requires
from .context import actor, allows, current_rmm, end_reading, session
from .returning import back_url
from .routing import Routes
from .run_access import filled_in_before, may_see, started_by
from .wishes import form_key

routes = Routes()


@dataclass(frozen=True, slots=True)
class Start:
    """A workflow as a page offers it, with its form; ``prefix`` keeps the forms of one page apart, ``key``
    makes a second click the first one, ``steps`` says what it does."""

    id: UUID
    name: str
    description: str
    definition: Definition
    fields: Sequence[FormField]
    values: Mapping[str, Any]
    prefix: str
    key: str

    @property
    def steps(self) -> str:
        """What it does, in a sentence."""
        names = [step.name for step in self.definition.steps]
        return f"It does: {', '.join(names)}." if names else ""


@dataclass(frozen=True, slots=True)
class Recent:
    """The newest runs about something, and where they are asked for again."""

    rows: Sequence[AnyRow]
    url: str

    @property
    def unfinished(self) -> bool:
        """Whether one of them goes on by itself."""
        still = (RunState.QUEUED, RunState.RUNNING, RunState.WAITING)
        return any(row.state in still for row in self.rows)

    def may_open(self, row: AnyRow) -> bool:
        """Whether the signed-in person may see all of this run."""
        return may_see(row)

    def started_by(self, row: AnyRow) -> str:
        """What began it."""
        return started_by(row)


def add_to(app: Flask) -> None:
    """Let templates ask."""
    app.jinja_env.globals.update(rmm_workflows=offers, rmm_recent_runs=recent)


def offers(kind: str) -> Sequence[Start]:
    """The workflows that the signed-in person may start from such a thing; one statement per request."""
    if not allows("rmm.view"):
        return ()
    return [_start(one) for one in _startable() if kind in one.definition.trigger.subjects]


def recent(kind: str, id_: UUID | str) -> Recent:
    """The newest runs about it."""
    wanted = _about(kind, str(id_))
    rows = queries.runs_about(session(), actor().tenant_id, wanted) if wanted and allows("rmm.view") else ()
    return Recent(rows, url_for("rmm.workflow_runs_about", kind=kind, subject_id=str(id_)))


@routes.get("/workflows/about/<kind>/<subject_id>")
@requires("rmm.view")
def workflow_runs_about(kind: str, subject_id: str) -> ResponseReturnValue:
    """The newest runs about something, alone, as its page asks for them again."""
    id_ = subject_id.replace("\x00", "")
    if _about(kind, id_) is None:
        abort(404)
    return render_template("rmm/workflow_runs/_recent.html", recent=recent(kind, id_))


@routes.form("/workflows/<uuid:workflow_id>/start")
@requires("rmm.view")
def workflow_start(workflow_id: UUID) -> ResponseReturnValue:
    """What will happen, what is to be filled in, and the starting. It leads back to where it was started."""
    kind, id_ = _subject()
    found = next(
        (one for one in queries.manual_workflows(session(), actor().tenant_id) if one.id == workflow_id), None
    )
    if found is None or kind not in found.definition.trigger.subjects:
        abort(404)
    for permission in _needed(found.definition):
        check(permission)
    one = _start(found)
    problems: dict[str, list[str]] = {}
    if request.method == "POST":
        values = typed(one.fields, request.form, one.prefix)
        try:
            return _begin(one, kind, id_, values)
        except Invalid as error:
            problems = by_field(error.errors, one.fields)
        except RMMError as error:
            problems = {"": [str(error)]}
        one = replace(one, values=filled(one.fields, values))
    else:
        one = replace(one, values=filled(one.fields, filled_in_before()))
    page = render_template(
        "rmm/workflow_runs/start.html",
        one=one,
        subject=f"{kind}:{id_}",
        about=f"this {kind}",
        came_from=_came_from(kind, id_),
        back=back_url(_came_from(kind, id_)),
        problems=problems,
    )
    return page, 400 if problems else 200


def manual_fields(fields: Sequence[ManualField]) -> tuple[FormField, ...]:
    """The fields of a workflow's own form, as forms of actions draw them."""
    return tuple(
        FormField(
            name=one.name,
            label=one.label,
            help=one.help,
            kind=one.kind,
            required=one.required,
            default=None,
            choices=tuple((word, word) for word in one.choices),
        )
        for one in fields
    )


def _begin(one: Start, kind: str, id_: str, values: Mapping[str, Any]) -> ResponseReturnValue:
    end_reading()
    with unit(current_rmm()) as opened:
        starting.start_manual(current_rmm(), opened, actor(), one.id, kind, id_, values, one.key)
    flash(f"“{one.name}” is started. What becomes of it stands here.", "success")
    return redirect(back_url(_came_from(kind, id_)), 303)


def _startable() -> Sequence[Startable]:
    """The workflows that people start and whose every step this person may do, read once per request."""
    if "rmm_startable" not in g:
        found = queries.manual_workflows(session(), actor().tenant_id)
        g.rmm_startable = [one for one in found if all(allows(each) for each in _needed(one.definition))]
    startable: Sequence[Startable] = g.rmm_startable
    return startable


def _needed(definition: Definition) -> set[str]:
    """The rights that its steps need; a step whose action is gone needs none and fails in words."""
    if "rmm_action_specs" not in g:
        g.rmm_action_specs = catalog.specs(current_rmm())
    specs: Mapping[str, ActionSpec] = g.rmm_action_specs
    return {specs[step.action].permission for step in definition.steps if step.action in specs}


def _start(found: Startable) -> Start:
    fields = manual_fields(found.definition.trigger.fields)
    return Start(
        id=found.id,
        name=found.name,
        description=found.description,
        definition=found.definition,
        fields=fields,
        values=filled(fields, {}),
        prefix=f"w{found.id.hex[-8:]}_",
        key=form_key(),
    )


def _subject() -> tuple[str, str]:
    kind, _, id_ = request.values.get("subject", "").replace("\x00", "").partition(":")
    if kind not in SUBJECTS or not id_:
        abort(404)
    return kind, id_


def _came_from(kind: str, id_: str) -> str:
    return request.values.get("back", "") or f"{kind}:{id_}"


def _about(kind: str, id_: str) -> RunFilter | None:
    if kind == "ticket":
        return RunFilter(ticket_id=id_)
    if kind == "asset":
        return RunFilter(asset_id=id_)
    known = read_uuid(id_)
    if known is None or kind not in ("alert", "device"):
        return None
    return RunFilter(alert_id=known) if kind == "alert" else RunFilter(device_id=known)
