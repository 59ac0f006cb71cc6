"""Testing a workflow's draft with something that is here: simulated, or really."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from rmm_extension.domain.contracts.actions import FormField
from rmm_extension.domain.errors import Invalid, RMMError
from rmm_extension.domain.workflow_words import SUBJECT_WORDS
from rmm_extension.domain.workflow_words import starting as starting_words
from rmm_extension.domain.workflows import MANUAL, Definition, definition_of
from rmm_extension.forms.actions import PREFIX, by_field, filled, typed
from rmm_extension.services.unit import unit
from rmm_extension.workflows import definitions, past_events, starting

from .access import requires
from .context import actor, current_rmm, end_reading, session
from .narrowing import Options, argument
from .routing import Routes
from .run_access import filled_in_before
from .wishes import form_key
from .workflow_start import manual_fields

routes = Routes()

_PLURALS = {
    "alert": "alerts",
    "device": "devices",
    "ticket": "tickets",
    "asset": "assets",
    "sync": "syncs",
    "connection": "connections",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is tested: the draft, where it would be started from if people start it, and with what."""

    workflow_id: UUID
    definition: Definition
    subject_type: str | None
    fields: Sequence[FormField]

    @property
    def event(self) -> str:
        """The draft's trigger."""
        return self.definition.trigger.event

    @property
    def about(self) -> str:
        """What such an event is about."""
        return past_events.subject_of(self.event) or self.subject_type or ""


@routes.form("/workflows/<uuid:workflow_id>/test")
@requires("rmm.workflows.manage")
def workflow_test(workflow_id: UUID) -> ResponseReturnValue:
    """Choose something that is here, and how; then the run's page shows each step."""
    workflow = definitions.get(session(), actor().tenant_id, workflow_id)
    asked = _asked(workflow_id, workflow.draft)
    problems: dict[str, list[str]] = {}
    values: Mapping[str, Any] = filled_in_before()
    if request.method == "POST" and asked is not None:
        values = typed(asked.fields, request.form)
        try:
            return _begin(asked, values)
        except Invalid as error:
            problems = _in_words(error, asked.fields)
        except RMMError as error:
            problems = {"": [str(error)]}
    page = render_template(
        "rmm/workflow_runs/test.html",
        workflow=workflow,
        ready=asked is not None and bool(asked.definition.steps),
        starting=starting_words(asked.definition.trigger) if asked else "",
        problems=problems,
        key=form_key(),
        prefix=PREFIX,
        text=argument("q"),
        chosen=request.values.get("about", ""),
        really=request.form.get("how") == "really",
        **(_choices(asked, values) if asked else {}),
    )
    return page, 400 if problems else 200


def _choices(asked: Asked, values: Mapping[str, Any]) -> dict[str, Any]:
    past = past_events.choices(
        current_rmm(),
        session(),
        actor().tenant_id,
        asked.event,
        subject_type=asked.subject_type,
        text=argument("q"),
    )
    return {
        "past": past,
        "subjects": _subjects(asked.definition),
        "subject_type": asked.subject_type,
        "fields": asked.fields,
        "values": filled(asked.fields, values),
        "what": _PLURALS[asked.about],
        "what_one": asked.about,
    }


def _asked(workflow_id: UUID, draft: Mapping[str, Any]) -> Asked | None:
    """The draft as far as it is one: ``None`` before it has a trigger."""
    if not draft.get("trigger"):
        return None
    definition = definition_of({"steps": [], **draft})
    subject_type = None
    fields: Sequence[FormField] = ()
    if definition.trigger.event == MANUAL:
        offered = definition.trigger.subjects
        if not offered:
            return None
        wanted = request.values.get("subject", "")
        subject_type = wanted if wanted in offered else offered[0]
        fields = manual_fields(definition.trigger.fields)
    return Asked(workflow_id, definition, subject_type, fields)


def _subjects(definition: Definition) -> Options:
    return [(one, f"From {SUBJECT_WORDS[one]}") for one in definition.trigger.subjects]


def _begin(asked: Asked, values: Mapping[str, Any]) -> ResponseReturnValue:
    about = request.form.get("about", "").replace("\x00", "")
    if not about:
        raise Invalid({"": [f"Choose one of the {_PLURALS[asked.about]}."]})
    end_reading()
    with unit(current_rmm()) as opened:
        run_id = starting.start_test(
            current_rmm(),
            opened,
            actor(),
            asked.workflow_id,
            asked.event,
            about,
            request.form.get("how") != "really",
            form_key(),
            subject_type=asked.subject_type,
            fields=values,
        )
    return redirect(url_for("rmm.workflow_run", run_id=run_id), 303)


def _in_words(error: Invalid, fields: Sequence[FormField]) -> dict[str, list[str]]:
    """What is wrong, at its field; what is wrong with the draft itself by the place in it."""
    found = by_field({k: v for k, v in error.errors.items() if k.partition(".")[0] not in _DRAFT}, fields)
    of_draft = [
        f"{path}: {line}"
        for path, lines in error.errors.items()
        if path.partition(".")[0] in _DRAFT
        for line in lines
    ]
    return {**found, "": [*found.get("", []), *of_draft]} if of_draft else found


_DRAFT = ("trigger", "steps")
