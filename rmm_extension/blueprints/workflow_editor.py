"""The designer of one workflow: what starts it, its steps in order, and publishing it.

Each change saves the draft at once, by the revision the page was made from: of two people who change it at
the same time one is told. Runs do what is published, so that nothing happens before that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rmm_extension.domain.contracts.workflows import MOST_FIELDS, MOST_STEPS
from rmm_extension.domain.errors import Conflict, Invalid
from rmm_extension.domain.workflow_words import SUBJECT_WORDS, event_groups, event_words, starting
from rmm_extension.domain.workflows import MANUAL, MANUAL_KINDS, definition_of
from rmm_extension.forms.workflows import read_fields, read_trigger
from rmm_extension.models import Workflow
from rmm_extension.services.unit import unit
from rmm_extension.workflows import catalog, check, definitions, edits, overview
from rmm_extension.workflows.check import Report
from rmm_extension.workflows.edits import Document

from .access import requires
from .context import act, actor, allows, current_rmm, end_reading, session
from .routing import Routes
from .workflow_cards import cards, problems_elsewhere, problems_of_trigger
from .workflow_help import names_at

routes = Routes()

_KIND_WORDS = {
    "text": "Text",
    "long_text": "Long text",
    "number": "Number",
    "choice": "Choice",
    "flag": "Yes or no",
}
KINDS = [(kind, _KIND_WORDS.get(kind, kind)) for kind in MANUAL_KINDS]


@routes.get("/workflows/<uuid:workflow_id>")
@requires("rmm.view")
def workflow_page(workflow_id: UUID) -> ResponseReturnValue:
    """The workflow as it stands: its trigger and its steps, with what is wrong with them."""
    row = definitions.get(session(), actor().tenant_id, workflow_id)
    return render_template("rmm/workflows/designer.html", **_values(row))


@routes.form("/workflows/<uuid:workflow_id>/trigger")
@requires("rmm.workflows.manage")
def workflow_trigger(workflow_id: UUID) -> ResponseReturnValue:
    """What starts it."""
    row = definitions.get(session(), actor().tenant_id, workflow_id)
    if request.method == "GET":
        problems = check.check(current_rmm(), session(), actor(), row.draft).errors
        return _trigger(row, row.draft["trigger"], problems_of_trigger(problems))
    trigger = read_trigger(request.form)
    if request.form.get("do") == "more":
        return _trigger(row, {**trigger, "fields": [*read_fields(request.form), {"label": ""}]}, {})
    try:
        save(workflow_id, lambda document: edits.with_trigger(document, trigger))
    except Invalid as error:
        return _trigger(row, trigger, problems_of_trigger(error.errors)), 422
    except Conflict as error:
        fresh = definitions.get(session(), actor().tenant_id, workflow_id)
        return _trigger(fresh, trigger, {"": [str(error)]}), 409
    flash("What starts it is saved.", "success")
    return redirect(page_of(workflow_id), 303)


@routes.form("/workflows/<uuid:workflow_id>/publish")
@requires("rmm.workflows.manage")
def workflow_publish(workflow_id: UUID) -> ResponseReturnValue:
    """What the check of the whole workflow says, and publishing it."""
    if request.method == "GET":
        row = definitions.get(session(), actor().tenant_id, workflow_id)
        return render_template("rmm/workflows/publish.html", **_values(row))
    end_reading()
    try:
        with unit(current_rmm()) as opened:
            row = definitions.publish(current_rmm(), opened, actor(), workflow_id, revision())
            start = starting(definition_of(row.draft).trigger)
            said = f"“{row.name}” is published as version {row.published_version}. {start}."
    except (Invalid, Conflict) as error:
        flash(
            "Nothing was published. See what is in the way." if isinstance(error, Invalid) else str(error),
            "danger",
        )
        return redirect(url_for("rmm.workflow_publish", workflow_id=workflow_id), 303)
    flash(said, "success")
    return redirect(page_of(workflow_id), 303)


@routes.post("/workflows/<uuid:workflow_id>/order")
@requires("rmm.workflows.manage")
def workflow_order(workflow_id: UUID) -> ResponseReturnValue:
    """Save the order of the steps: all their names, the first one first."""
    ids = request.form.getlist("ids")
    return change(
        workflow_id, lambda document: edits.ordered(document, ids), "The order of the steps is saved."
    )


@routes.post("/workflows/<uuid:workflow_id>/steps/<step_id>/move")
@requires("rmm.workflows.manage")
def workflow_step_move(workflow_id: UUID, step_id: str) -> ResponseReturnValue:
    """One place up or down."""
    up = request.form.get("way") == "up"
    said = f"The step is done {'earlier' if up else 'later'} now."
    return change(workflow_id, lambda document: edits.moved(document, step_id, up=up), said)


@routes.post("/workflows/<uuid:workflow_id>/steps/<step_id>/duplicate")
@requires("rmm.workflows.manage")
def workflow_step_duplicate(workflow_id: UUID, step_id: str) -> ResponseReturnValue:
    """A copy right behind it."""
    return change(
        workflow_id,
        lambda document: edits.duplicated(document, step_id)[0],
        "The step was copied right behind it.",
    )


@routes.post("/workflows/<uuid:workflow_id>/steps/<step_id>/remove")
@requires("rmm.workflows.manage")
def workflow_step_remove(workflow_id: UUID, step_id: str) -> ResponseReturnValue:
    """Take it out."""
    return change(workflow_id, lambda document: edits.removed(document, step_id), "The step is taken out.")


def change(workflow_id: UUID, edit: Callable[[Document], Document], said: str) -> ResponseReturnValue:
    """Change the draft and lead back to the designer, which says so."""

    def work(opened: Session) -> str:
        _saved(opened, workflow_id, edit)
        return said

    return act(work, page_of(workflow_id))


def save(workflow_id: UUID, edit: Callable[[Document], Document]) -> None:
    """Change the draft; raises what stands in the way."""
    end_reading()
    with unit(current_rmm()) as opened:
        _saved(opened, workflow_id, edit)


def revision() -> int:
    """The revision the page was made from; one that is none is out of date."""
    text = request.form.get("revision", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def page_of(workflow_id: UUID) -> str:
    """The designer's address."""
    return url_for("rmm.workflow_page", workflow_id=workflow_id)


def _saved(opened: Session, workflow_id: UUID, edit: Callable[[Document], Document]) -> None:
    row = definitions.get(opened, actor().tenant_id, workflow_id, lock=True)
    definitions.save(opened, actor(), workflow_id, dict(edit(row.draft)), revision())


def _values(row: Workflow) -> dict[str, Any]:
    """What the designer and the page before publishing show."""
    rmm, tenant_id = current_rmm(), actor().tenant_id
    definition = definition_of(row.draft)
    # The check is about who would publish it; it tells nothing to those who only look.
    may_edit = allows("rmm.workflows.manage")
    report = check.check(rmm, session(), actor(), row.draft) if may_edit else Report()
    found = cards(definition, catalog.offers(rmm, session(), tenant_id), report)
    return {
        "row": row,
        "definition": definition,
        "cards": found,
        "starting": starting(definition.trigger),
        "trigger_problems": _sentences(problems_of_trigger(report.errors)),
        "trigger_warnings": _sentences(problems_of_trigger(report.warnings)),
        "general": problems_elsewhere(report.errors),
        "errors": sum(len(texts) for texts in report.errors.values()),
        "warnings": sum(len(texts) for texts in report.warnings.values()),
        "is_changed": overview.is_changed(row),
        "disconnected": sorted({one.found.label for one in found if one.found.is_disconnected}),
        "is_full": len(found) >= MOST_STEPS,
        "subjects": SUBJECT_WORDS,
    }


def _trigger(row: Workflow, trigger: Mapping[str, Any], problems: Mapping[str, list[str]]) -> str:
    return render_template(
        "rmm/workflows/trigger.html",
        row=row,
        trigger=trigger,
        fields=(trigger.get("fields") or [{"label": ""}])[:MOST_FIELDS],
        groups=event_groups(),
        known=event_words(trigger.get("event", "")).label,
        manual=MANUAL,
        kinds=KINDS,
        most_fields=MOST_FIELDS,
        subjects=SUBJECT_WORDS,
        problems=problems,
        problems_at=[_of_field(problems, place) for place in range(MOST_FIELDS)],
        general=[text for path, texts in problems.items() if not path for text in texts],
        help=names_at(row, None),
    )


def _sentences(problems: Mapping[str, list[str]]) -> list[str]:
    return [text for texts in problems.values() for text in texts]


def _of_field(problems: Mapping[str, list[str]], place: int) -> list[str]:
    """The sentences about one field of the form that starts the workflow."""
    own = (f"fields.{place}", f"fields.{place}.")
    return [
        text
        for path, texts in problems.items()
        if path == own[0] or path.startswith(own[1])
        for text in texts
    ]
