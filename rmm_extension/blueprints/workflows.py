"""Workflows: the list, the gallery they are made from, and what is done with one as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rmm_extension.domain.contracts.actions import form_fields
from rmm_extension.domain.errors import Conflict, Invalid
from rmm_extension.domain.workflow_words import STATES, event_groups, starting
from rmm_extension.domain.workflows import MANUAL, SUBJECTS, WorkflowState
from rmm_extension.forms.actions import PREFIX, by_field, filled, labelled, typed
from rmm_extension.forms.workflows import read_text
from rmm_extension.models import Workflow
from rmm_extension.services.unit import unit
from rmm_extension.workflows import catalog, definitions, recipes
from rmm_extension.workflows.overview import workflow_lines
from rmm_extension.workflows.recipes import Recipe

from .access import requires
from .context import act, actor, current_rmm, end_reading, session
from .narrowing import Options, argument, chips, word
from .routing import Routes
from .workflow_choices import SCRIPT, listing, offered, recipe_options

routes = Routes()

STATE_OPTIONS: Options = [(state.value, words) for state, words in STATES.items()]


@routes.get("/workflows")
@requires("rmm.view")
def workflow_list() -> ResponseReturnValue:
    """Every workflow, by name."""
    state = argument("state", STATE_OPTIONS)
    return render_template(
        "rmm/workflows/list.html",
        lines=workflow_lines(session(), actor().tenant_id, WorkflowState(state) if state else None),
        starting=starting,
        states=STATE_OPTIONS,
        chips=chips({"state": ("State", word(STATE_OPTIONS, state))}),
    )


@routes.form("/workflows/new")
@requires("rmm.workflows.manage")
def workflow_new() -> ResponseReturnValue:
    """The gallery of recipes, and an empty workflow that begins with what starts it."""
    if request.method == "GET":
        return _gallery({})
    event = request.form.get("event", "")
    trigger = {"event": event, **({"subjects": list(SUBJECTS)} if event == MANUAL else {})}
    return _made(lambda problems: _gallery(problems), lambda: {"trigger": trigger, "steps": []})


@routes.form("/workflows/new/<key>")
@requires("rmm.workflows.manage")
def workflow_recipe(key: str) -> ResponseReturnValue:
    """What a recipe asks before its workflow is made."""
    recipe = recipes.find(key)
    if recipe is None:
        abort(404)
    if request.method == "GET":
        return _asked(recipe, {}, {})
    value = typed(form_fields(recipe.contract), request.form)
    return _made(
        lambda problems: _asked(recipe, value, problems), lambda: recipes.document(recipe, value), recipe.key
    )


@routes.form("/workflows/<uuid:workflow_id>/details")
@requires("rmm.workflows.manage")
def workflow_details(workflow_id: UUID) -> ResponseReturnValue:
    """Its name and what it is for."""
    row = definitions.get(session(), actor().tenant_id, workflow_id)
    if request.method == "GET":
        return _details(row, {"name": row.name, "description": row.description}, {})
    value = _naming()
    end_reading()
    try:
        with unit(current_rmm()) as opened:
            definitions.rename(opened, actor(), workflow_id, **value)
    except Invalid as error:
        return _details(definitions.get(session(), actor().tenant_id, workflow_id), value, error.errors), 422
    flash(f"“{value['name']}” is saved.", "success")
    return redirect(_page(workflow_id), 303)


@routes.post("/workflows/<uuid:workflow_id>/copy")
@requires("rmm.workflows.manage")
def workflow_copy(workflow_id: UUID) -> ResponseReturnValue:
    """A draft like it."""
    with unit(current_rmm()) as opened:
        made = definitions.copy(opened, actor(), workflow_id)
        new_id, name = made.id, made.name
    flash(f"“{name}” was made. It is a draft: nothing starts it before it is published.", "success")
    return redirect(_page(new_id), 303)


@routes.post("/workflows/<uuid:workflow_id>/pause")
@requires("rmm.workflows.manage")
def workflow_pause(workflow_id: UUID) -> ResponseReturnValue:
    """Start no more runs."""

    def work(opened: Session) -> str:
        row = definitions.pause(opened, actor(), workflow_id)
        return f"“{row.name}” is paused: nothing starts it. Runs that are under way go on."

    return act(work, _page(workflow_id))


@routes.post("/workflows/<uuid:workflow_id>/resume")
@requires("rmm.workflows.manage")
def workflow_resume(workflow_id: UUID) -> ResponseReturnValue:
    """Start runs again."""

    def work(opened: Session) -> str:
        row = definitions.resume(current_rmm(), opened, actor(), workflow_id)
        return f"“{row.name}” is on. What happened meanwhile starts nothing."

    return act(work, _page(workflow_id))


@routes.form("/workflows/<uuid:workflow_id>/delete")
@requires("rmm.workflows.manage")
def workflow_delete(workflow_id: UUID) -> ResponseReturnValue:
    """Name the consequence, then delete."""
    if request.method == "GET":
        row = definitions.get(session(), actor().tenant_id, workflow_id)
        return render_template("rmm/workflows/delete.html", row=row)

    def work(opened: Session) -> str:
        name = definitions.get(opened, actor().tenant_id, workflow_id).name
        definitions.delete(opened, actor(), workflow_id)
        return f"“{name}” is deleted, with the history of its runs."

    return act(work, url_for("rmm.workflow_list"))


Problems = Mapping[str, list[str]]


def _made(
    again: Callable[[Problems], str], document: Callable[[], Mapping[str, Any]], recipe: str | None = None
) -> ResponseReturnValue:
    """Make the workflow and lead to its designer, or show the form once more with what is wrong."""
    naming = _naming()
    end_reading()
    try:
        with unit(current_rmm()) as opened:
            row = definitions.create(opened, actor(), naming["name"], document(), recipe=recipe)
            workflow_id = row.id
    except Invalid as error:
        return again(error.errors), 422
    except Conflict as error:
        return again({"": [str(error)]}), 422
    flash(f"“{naming['name']}” was made. Nothing starts it before it is published.", "success")
    return redirect(_page(workflow_id), 303)


def _naming() -> dict[str, str]:
    return {
        "name": " ".join(read_text(request.form.get("name")).split()),
        "description": read_text(request.form.get("description")),
    }


def _gallery(problems: Problems) -> str:
    has = {offer.entry.module.key: offer.available for offer in _offers()}
    return render_template(
        "rmm/workflows/new.html",
        recipes=recipes.RECIPES,
        lacking={recipe.key: _lacking(recipe, has) for recipe in recipes.RECIPES},
        events=event_groups(),
        manual=MANUAL,
        problems=problems,
    )


def _asked(recipe: Recipe, value: Mapping[str, Any], problems: Problems) -> str:
    fields = form_fields(recipe.contract)
    told = by_field(problems, fields)
    has = {offer.entry.module.key: offer.available for offer in _offers()}
    options = {**offered(fields, None), **recipe_options(recipe)}
    return render_template(
        "rmm/workflows/recipe.html",
        recipe=recipe,
        fields=fields,
        prefix=PREFIX,
        values=filled(fields, value),
        options=options,
        listing=listing(recipe.providers) if options.get(SCRIPT) == [] else None,
        problems=told,
        labelled=[*labelled(fields, told)],
        lacking=_lacking(recipe, has),
        name=request.form.get("name", recipe.title),
    )


def _details(row: Workflow, value: Mapping[str, str], problems: Problems) -> str:
    labels = {"name": "Name", "description": "Description"}
    told = [
        (name, labels[name], text) for name, texts in problems.items() for text in texts if name in labels
    ]
    return render_template(
        "rmm/workflows/details.html", row=row, value=value, problems=problems, labelled=told
    )


def _offers() -> list[catalog.Offer]:
    return list(catalog.offers(current_rmm(), session(), actor().tenant_id))


def _lacking(recipe: Recipe, has: Mapping[str, bool]) -> list[str]:
    """What the recipe needs and the tenant has not, by name."""
    return [label for key, label in recipe.modules.items() if not has.get(key)]


def _page(workflow_id: UUID) -> str:
    return url_for("rmm.workflow_page", workflow_id=workflow_id)
