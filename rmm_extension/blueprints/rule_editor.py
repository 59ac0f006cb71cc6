"""The editor of a rule, and what can be tried before it is saved: the pattern, the ticket's words, a dry run.

Every try takes the form as it stands. With script it is asked for alone and replaces its part of the page;
without, its button sends the form and the page comes back with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from rmm_extension.domain.dry_run import OUTCOMES
from rmm_extension.domain.ticket_text import PLACEHOLDERS
from rmm_extension.domain.values import read_uuid
from rmm_extension.forms.rules import RuleForm, rule_form
from rmm_extension.models import Integration
from rmm_extension.services import connections, rules
from rmm_extension.services.dry_run import dry_run
from rmm_extension.services.rule_preview import preview, try_pattern
from rmm_extension.services.rules import RuleDraft, RuleInvalid
from rmm_extension.services.unit import unit

from .abilities import ALERTS, needs
from .access import requires
from .context import actor, current_rmm, end_reading, session
from .routing import Routes
from .rule_choices import choices, recent
from .rules import one

routes = Routes()

_UNNAMED = "This rule"
"""What a rule is called in a try while it has no name."""


@dataclass(frozen=True, slots=True)
class Editor:
    """The form of a rule of a connection, over what is stored of it; a new rule has no id."""

    row: Integration
    rule_id: UUID | None
    stored: RuleDraft | None
    form: RuleForm

    @property
    def tried(self) -> RuleDraft:
        """The rule as it is filled in, with a name for a try."""
        draft = self.form.draft(self.stored)
        return replace(draft, name=draft.name.strip() or _UNNAMED)


@routes.form("/connections/<uuid:integration_id>/rules/new")
@routes.form("/connections/<uuid:integration_id>/rules/<uuid:rule_id>")
@requires("rmm.configure")
@needs(*ALERTS, vendor=False)
def connection_rule(integration_id: UUID, rule_id: UUID | None = None) -> ResponseReturnValue:
    """A new rule, or one there is: everything it matches and does, and what that would come to."""
    editor = _opened(integration_id, rule_id)
    wanted = request.form.get("do", "save") if request.method == "POST" else ""
    if wanted != "save":
        return _page(editor, dry=wanted == "dry_run")
    try:
        saved = _save(editor)
    except RuleInvalid as error:
        return _page(_opened(integration_id, rule_id), error), 422
    flash(saved, "success")
    return redirect(url_for("rmm.connection_rules", integration_id=integration_id), 303)


@routes.post("/connections/<uuid:integration_id>/rules/try")
@routes.post("/connections/<uuid:integration_id>/rules/<uuid:rule_id>/try")
@requires("rmm.configure")
@needs(*ALERTS, vendor=False)
def connection_rule_try(integration_id: UUID, rule_id: UUID | None = None) -> ResponseReturnValue:
    """One part of the editor for the form as it stands: ``pattern``, ``preview`` or ``dry_run``."""
    part = request.form.get("do", "")
    if part == "pattern":  # asked at every pause in typing, so that it reads nothing it does not need
        _stored(integration_id, rule_id)
        return render_template("rmm/rules/_pattern.html", **_pattern(RuleForm()))
    if part not in _TRIES:
        abort(404)
    values = _TRIES[part](_opened(integration_id, rule_id))
    return render_template(f"rmm/rules/_{part}.html", **values)


def _stored(integration_id: UUID, rule_id: UUID | None) -> tuple[Integration, RuleDraft | None]:
    row = connections.get(session(), actor().tenant_id, integration_id)
    return row, rules.draft_of(one(session(), integration_id, rule_id)) if rule_id else None


def _opened(integration_id: UUID, rule_id: UUID | None) -> Editor:
    row, stored = _stored(integration_id, rule_id)
    alerts = recent(row)
    sample = next((alert.message for alert in alerts if alert.message), "")
    return Editor(row, rule_id, stored, rule_form(choices(row, alerts), stored, sample=sample))


def _save(editor: Editor) -> str:
    """Save the form, and say what changed."""
    draft, integration_id = editor.form.draft(editor.stored), editor.row.id
    end_reading()
    with unit(current_rmm()) as opened:
        if editor.rule_id is None:
            made = rules.create(current_rmm(), opened, actor(), integration_id, draft)
            state = "" if made.is_active else ", switched off"
            return f"“{made.name}” was added behind the other rules{state}."
        before = rules.draft_of(one(opened, integration_id, editor.rule_id))
        after = rules.draft_of(rules.update(current_rmm(), opened, actor(), editor.rule_id, draft))
    changed = ", ".join(editor.form.changes(before, after))
    return f"“{after.name}” is saved. Changed: {changed}." if changed else f"“{after.name}” stays as it was."


def _page(editor: Editor, error: RuleInvalid | None = None, *, dry: bool = False) -> str:
    """The whole editor. Past alerts are asked only when a person wants it."""
    general = editor.form.refuse(error.errors) if error else []
    return render_template(
        "rmm/rules/edit.html",
        row=editor.row,
        rule_id=editor.rule_id,
        stored=editor.stored,
        form=editor.form,
        general=general,
        placeholders=PLACEHOLDERS,
        **_pattern(editor.form),
        **_preview(editor),
        **(_dry_run(editor) if dry else {}),
    )


def _pattern(form: RuleForm) -> dict[str, Any]:
    """Whether the pattern is in the text beside it; nothing without a pattern."""
    pattern = form.draft().conditions.get("messagePattern")
    return {"pattern": try_pattern(pattern, form.sample.data or "") if pattern else None}


def _preview(editor: Editor) -> dict[str, Any]:
    """The words of the ticket for the chosen alert."""
    chosen = read_uuid(editor.form.preview_alert.data or "")
    tenant_id, integration_id = editor.row.tenant_id, editor.row.id
    try:
        found = preview(current_rmm(), session(), tenant_id, integration_id, editor.tried, chosen)
    except RuleInvalid as error:
        return {"preview": None, "preview_errors": _told(editor.form, error)}
    return {"preview": found}


def _dry_run(editor: Editor) -> dict[str, Any]:
    """What the rule would have done with the alerts of some days."""
    days = editor.form.looked_days
    tenant_id, integration_id = editor.row.tenant_id, editor.row.id
    try:
        run = dry_run(
            current_rmm(),
            session(),
            tenant_id,
            integration_id,
            editor.tried,
            rule_id=editor.rule_id,
            days=days,
        )
    except RuleInvalid as error:
        return {"run": None, "days": days, "run_errors": _told(editor.form, error)}
    return {"run": run, "days": days, "outcomes": OUTCOMES}


_TRIES = {"preview": _preview, "dry_run": _dry_run}


def _told(form: RuleForm, error: RuleInvalid) -> Sequence[str]:
    """Why nothing can be tried, each sentence with its field; they stand at the fields, too."""
    general = form.refuse(error.errors)
    return [*general, *(f"{field.label.text}: {text}" for field in form for text in field.errors)]
