"""The steps of a workflow: the palette they are taken from, and the form of each, made from its action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from rmm_extension.domain.contracts.actions import form_fields
from rmm_extension.domain.errors import Conflict, Invalid
from rmm_extension.domain.values import read_uuid
from rmm_extension.forms.actions import PREFIX, by_field
from rmm_extension.forms.workflows import MODE, TEMPLATE, Input, inputs_of, read_step, shown_inputs
from rmm_extension.models import Workflow
from rmm_extension.services.unit import unit
from rmm_extension.workflows import catalog, check, definitions, edits
from rmm_extension.workflows.catalog import Offer

from .access import DENIED, requires
from .context import actor, allows, current_rmm, end_reading, session
from .narrowing import Options, argument
from .routing import Routes
from .workflow_cards import LABELS, Found, find, labels_of, problems_of
from .workflow_choices import SCRIPT, connections_of, listing, offered, picking_script, scripts
from .workflow_editor import page_of, revision, save
from .workflow_help import attempt, names_at

routes = Routes()


@dataclass(frozen=True, slots=True)
class Editor:
    """The form of one step: the step as it is shown, its place, and its action."""

    row: Workflow
    step: Mapping[str, Any]
    place: int
    found: Found
    inputs: Sequence[Input]


@routes.get("/workflows/<uuid:workflow_id>/palette")
@requires("rmm.workflows.manage")
def workflow_palette(workflow_id: UUID) -> ResponseReturnValue:
    """What a step can do: the actions of every module that is available."""
    row = definitions.get(session(), actor().tenant_id, workflow_id)
    offers = catalog.offers(current_rmm(), session(), actor().tenant_id)
    there = [offer for offer in offers if offer.available]
    return render_template(
        "rmm/workflows/palette.html",
        row=row,
        place=_place(len(edits.steps_of(row.draft))),
        offers=there,
        lacking=_lacking(there),
        absent=[offer.entry.module.label for offer in offers if not offer.available],
        steps=edits.steps_of(row.draft),
    )


@routes.post("/workflows/<uuid:workflow_id>/steps")
@requires("rmm.workflows.manage")
def workflow_step_add(workflow_id: UUID) -> ResponseReturnValue:
    """Put a step in, and lead to its form."""
    offers = catalog.offers(current_rmm(), session(), actor().tenant_id)
    found = find(offers, request.form.get("action", ""))
    if found.spec is None or not found.available:
        abort(404, description="This action is not available (any more). Open the list of actions again.")
    spec = found.spec
    end_reading()
    with unit(current_rmm()) as opened:
        row = definitions.get(opened, actor().tenant_id, workflow_id, lock=True)
        document, step_id = edits.added(row.draft, spec, _place(len(edits.steps_of(row.draft))))
        definitions.save(opened, actor(), workflow_id, document, revision())
    flash(f"“{spec.label}” is added. Say what it works with.", "success")
    return redirect(_address(workflow_id, step_id), 303)


@routes.form("/workflows/<uuid:workflow_id>/steps/<step_id>")
@requires("rmm.workflows.manage")
def workflow_step(workflow_id: UUID, step_id: str) -> ResponseReturnValue:
    """One step: what its action works with, when it is done, and what follows its failure."""
    editor = _opened(workflow_id, step_id)
    if request.method == "GET":
        return _page(editor, _wrong(editor) if request.args.get("check") else {})
    version = editor.found.spec.version if editor.found.spec else None
    step = read_step(editor.step, editor.inputs, request.form, version)
    try:
        save(workflow_id, lambda document: edits.with_step(document, step))
    except Invalid as error:
        return _page(_showing(editor, step), problems_of(error.errors, editor.place)), 422
    except Conflict as error:
        return _page(_showing(_opened(workflow_id, step_id), step), {"": [str(error)]}), 409
    saved = _opened(workflow_id, step_id)
    if wrong := _wrong(saved):
        number = sum(len(texts) for texts in wrong.values())
        flash(f"“{step['name']}” is saved. {_count(number)} to mend before it can be published.", "warning")
        return redirect(_address(workflow_id, step_id, check=1), 303)
    flash(f"“{step['name']}” is saved.", "success")
    return redirect(page_of(workflow_id), 303)


@routes.post("/workflows/<uuid:workflow_id>/expression")
@requires("rmm.workflows.manage")
def workflow_expression(workflow_id: UUID) -> ResponseReturnValue:
    """What becomes of an expression that is being typed; the part of a page alone.

    The address names the step, none for the trigger's filter, and the run whose values are taken.
    """
    row = definitions.get(session(), actor().tenant_id, workflow_id)
    step_id = argument("step")
    position = edits.place_of(row.draft, step_id) if step_id else None
    source, is_template = request.form.get("source", ""), request.form.get("kind") == "template"
    tried = attempt(row, position, source, is_template=is_template)
    return render_template("rmm/workflows/_tried.html", tried=tried)


def _lacking(offers: Sequence[Offer]) -> Mapping[str, str]:
    """What the signed-in person's role may not do, by the actions that need it. They may be planned all the
    same: whoever publishes needs the right."""
    needed = {spec.id: spec.permission for offer in offers for spec in offer.entry.module.actions}
    return {id_: DENIED.get(right, "do this") for id_, right in needed.items() if not allows(right)}


def _opened(workflow_id: UUID, step_id: str) -> Editor:
    row = definitions.get(session(), actor().tenant_id, workflow_id)
    place = edits.place_of(row.draft, step_id)
    step = edits.steps_of(row.draft)[place]
    found = find(catalog.offers(current_rmm(), session(), actor().tenant_id), step["action"])
    fields = form_fields(found.spec.input) if found.spec else ()
    return Editor(row, step, place, found, inputs_of([picking_script(one) for one in fields]))


def _showing(editor: Editor, step: Mapping[str, Any]) -> Editor:
    return Editor(editor.row, step, editor.place, editor.found, editor.inputs)


def _wrong(editor: Editor) -> dict[str, list[str]]:
    report = check.check(current_rmm(), session(), actor(), editor.row.draft)
    return problems_of(report.errors, editor.place)


def _page(editor: Editor, problems: Mapping[str, list[str]]) -> str:
    step, found = editor.step, editor.found
    connection_id = read_uuid(str(step.get("connection") or ""))
    bindings = step.get("inputs") or {}
    names = {one.field.name for one in editor.inputs}
    own, told = _by_place(problems, editor.inputs)
    options = _options(editor, connection_id)
    return render_template(
        "rmm/workflows/step.html",
        row=editor.row,
        step=step,
        number=editor.place + 1,
        found=found,
        connections=connections_of(found.provider) if found.provider else [],
        device=_device_text(step.get("device")),
        inputs=shown_inputs(editor.inputs, bindings),
        strangers=sorted(set(bindings) - names) if found.spec else [],
        options=options,
        listing=listing([found.provider or ""], connection_id) if options.get(SCRIPT) == [] else None,
        prefix=PREFIX,
        mode=MODE,
        template=TEMPLATE,
        own=own,
        problems=told,
        labelled=_labelled(editor, own, told),
        help=names_at(editor.row, editor.place),
    )


def _options(editor: Editor, connection_id: UUID | None) -> dict[str, Options]:
    """What the fields pick from, the scripts of the vendor's libraries included."""
    fields = [one.field for one in editor.inputs if one.field.picks != SCRIPT]
    found = offered(fields, connection_id)
    if editor.found.provider and any(one.field.picks == SCRIPT for one in editor.inputs):
        found[SCRIPT] = scripts(editor.found.provider, connection_id)
    return found


def _by_place(
    problems: Mapping[str, list[str]], inputs: Sequence[Input]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The sentences about what every step has, by its name, and those about inputs, by the path of what is
    drawn; what has no place of its own is the step's, by ``""``."""
    own, told = dict[str, list[str]](), dict[str, list[str]]()
    for path, texts in problems.items():
        name = path.partition(".")[0]
        if path.startswith("inputs.") and (drawn := _drawn(path.removeprefix("inputs."), inputs)):
            told.setdefault(drawn, []).extend(texts)
        else:
            own.setdefault(name if name in LABELS else "", []).extend(texts)
    return own, told


def _drawn(path: str, inputs: Sequence[Input]) -> str:
    """The path of an input, of what is drawn within it, or of the part that inputs lie in."""
    for field in sorted((one.field for one in inputs), key=lambda one: len(one.name), reverse=True):
        if path == field.name or path.startswith(f"{field.name}."):
            ((within, _),) = by_field(
                {f"_{path.removeprefix(field.name)}": []}, [replace(field, name="_")]
            ).items()
            return field.name + within.removeprefix("_")
    part = path.partition(".")[0]
    return part if any(one.field.name.startswith(f"{part}.") for one in inputs) else ""


def _labelled(
    editor: Editor, own: Mapping[str, list[str]], told: Mapping[str, list[str]]
) -> list[tuple[str, str, str]]:
    """Where on the page each sentence belongs, what that is called, and the sentence."""
    labels = labels_of(editor.found.spec)
    found = [(name, LABELS[name], text) for name, texts in own.items() if name for text in texts]
    for path, texts in told.items():
        label = next((labels[name] for name in _ways_up(path) if name in labels), path)
        found += [(_anchor(editor, path), label, text) for text in texts]
    return found


def _ways_up(path: str) -> list[str]:
    """The path, and those of everything it lies in."""
    parts = path.split(".")
    return [".".join(parts[:length]) for length in range(len(parts), 0, -1)]


def _anchor(editor: Editor, name: str) -> str:
    """The id of the field; of a part, that of its first field."""
    paths = [one.field.name for one in editor.inputs]
    path = next((one for one in paths if one in _ways_up(name) or one.startswith(f"{name}.")), name)
    is_template = "template" in ((editor.step.get("inputs") or {}).get(path) or {})
    return TEMPLATE + path if is_template else PREFIX + (name if path in _ways_up(name) else path)


def _device_text(binding: Mapping[str, Any] | None) -> str:
    stored = binding or {}
    return str(stored.get("template") or stored.get("value") or "")


def _place(otherwise: int) -> int:
    """Where a new step is put: the number of steps before it."""
    text = request.values.get("at", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else otherwise


def _address(workflow_id: UUID, step_id: str, **more: Any) -> str:
    return url_for("rmm.workflow_step", workflow_id=workflow_id, step_id=step_id, **more)


def _count(number: int) -> str:
    return "1 thing is" if number == 1 else f"{number} things are"
