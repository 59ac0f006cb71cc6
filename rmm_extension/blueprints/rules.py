"""The rules of a connection: their order, their hits, and what is done with them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import ConfigError, Conflict
from rmm_extension.domain.rule_words import RuleNames, doing, matching
from rmm_extension.domain.rules import compile_rule
from rmm_extension.models import AlertRule, Integration
from rmm_extension.services import connections, rules
from rmm_extension.services.catch_all import add_catch_all
from rmm_extension.services.queries import rules as queries
from rmm_extension.services.queries.paging import AnyRow
from rmm_extension.services.unit import unit

from .abilities import ALERTS, has_routing, needs
from .access import requires
from .connection import provider_of
from .context import act, actor, current_rmm, end_reading, session
from .narrowing import must_be_uuid
from .routing import Routes
from .rule_choices import names
from .tabs import tabs

routes = Routes()

LONGEST_DOCUMENT = 1_000_000
_PLACE = re.compile(r"^rules\.(\d+)(?:\.(.+))?$")


@dataclass(frozen=True, slots=True)
class Line:
    """One rule of the list, in words. ``fault`` says why it is skipped, though it is switched on."""

    row: AnyRow
    takes: str
    does: str
    fault: str | None


@routes.get("/connections/<uuid:integration_id>/rules")
@requires("rmm.view")
@needs(*ALERTS, vendor=False)
def connection_rules(integration_id: UUID) -> ResponseReturnValue:
    """The rules in the order they are asked."""
    return _page(connections.get(session(), actor().tenant_id, integration_id))


@routes.get("/connections/<uuid:integration_id>/rules/export")
@requires("rmm.view")
@needs(*ALERTS, vendor=False)
def connection_rules_export(integration_id: UUID) -> ResponseReturnValue:
    """All rules as a JSON file that another connection can take."""
    row = connections.get(session(), actor().tenant_id, integration_id)
    document = rules.export_rules(session(), row.tenant_id, row.id)
    name = re.sub(r"[^a-z0-9]+", "-", row.name.lower()).strip("-") or row.provider
    headers = {"Content-Disposition": f'attachment; filename="rules-{name}.json"'}
    body = json.dumps(document, indent=2, ensure_ascii=False)
    return Response(body + "\n", mimetype="application/json", headers=headers)


@routes.post("/connections/<uuid:integration_id>/rules/import")
@requires("rmm.configure")
@needs(*ALERTS, vendor=False)
def connection_rules_import(integration_id: UUID) -> ResponseReturnValue:
    """Take rules from a file or from pasted text, behind the others or instead of them."""
    connections.get(session(), actor().tenant_id, integration_id)
    end_reading()
    replace, text = request.form.get("how") == "replace", ""
    try:
        text = _sent_text()
        document = _parsed(text)
        with unit(current_rmm()) as opened:
            number = rules.import_rules(
                current_rmm(), opened, actor(), integration_id, document, replace=replace
            )
    except rules.RuleInvalid as error:
        return _refused(integration_id, text, _import_errors(error.errors))
    except ConfigError as error:
        return _refused(integration_id, text, [str(error)])
    counted = "1 rule was" if number == 1 else f"{number} rules were"
    flash(f"{counted} imported {'instead of' if replace else 'behind'} those there were.", "success")
    return _back(integration_id)


@routes.post("/connections/<uuid:integration_id>/rules/catch-all")
@requires("rmm.configure")
@needs(*ALERTS, vendor=False)
def connection_rules_catch_all(integration_id: UUID) -> ResponseReturnValue:
    """Add the rule that tickets every alert, where there is none yet."""

    def work(opened: Session) -> str:
        row = connections.get(opened, actor().tenant_id, integration_id, lock=True)
        if queries.rule_list(opened, row.tenant_id, row.id):
            raise Conflict("There are rules already. Make another one with “New rule”.")
        add_catch_all(opened, actor(), row, routed=has_routing(provider_of(row)))
        return "Every alert opens a ticket now. Put other rules before this one to treat some differently."

    return act(work, _list(integration_id))


@routes.post("/connections/<uuid:integration_id>/rules/order")
@requires("rmm.configure")
@needs(*ALERTS, vendor=False)
def connection_rules_order(integration_id: UUID) -> ResponseReturnValue:
    """Save the order in which the rules are asked: all their ids, the first one first."""
    ids = [must_be_uuid(value) for value in request.form.getlist("ids")]

    def work(opened: Session) -> str:
        rules.reorder(current_rmm(), opened, actor(), integration_id, ids)
        return "The order of the rules is saved."

    return act(work, _list(integration_id))


@routes.post("/connections/<uuid:integration_id>/rules/<uuid:rule_id>/move")
@requires("rmm.configure")
@needs(*ALERTS, vendor=False)
def connection_rule_move(integration_id: UUID, rule_id: UUID) -> ResponseReturnValue:
    """One place up or down."""
    up = request.form.get("way") == "up"

    def work(opened: Session) -> str:
        rule = one(opened, integration_id, rule_id)
        rules.move(current_rmm(), opened, actor(), rule_id, up=up)
        return f"“{rule.name}” is asked {'earlier' if up else 'later'} now."

    return act(work, _list(integration_id))


@routes.post("/connections/<uuid:integration_id>/rules/<uuid:rule_id>/switch")
@requires("rmm.configure")
@needs(*ALERTS, vendor=False)
def connection_rule_switch(integration_id: UUID, rule_id: UUID) -> ResponseReturnValue:
    """On or off."""
    active = request.form.get("active") == "1"

    def work(opened: Session) -> str:
        one(opened, integration_id, rule_id)
        rule = rules.set_active(current_rmm(), opened, actor(), rule_id, active)
        return f"“{rule.name}” is on." if active else f"“{rule.name}” is off: it is not asked any more."

    return act(work, _list(integration_id))


@routes.post("/connections/<uuid:integration_id>/rules/<uuid:rule_id>/duplicate")
@requires("rmm.configure")
@needs(*ALERTS, vendor=False)
def connection_rule_duplicate(integration_id: UUID, rule_id: UUID) -> ResponseReturnValue:
    """A copy right behind it, switched off."""

    def work(opened: Session) -> str:
        one(opened, integration_id, rule_id)
        copy = rules.duplicate(current_rmm(), opened, actor(), rule_id)
        return f"“{copy.name}” was added, switched off. Change it, then switch it on."

    return act(work, _list(integration_id))


@routes.post("/connections/<uuid:integration_id>/rules/<uuid:rule_id>/delete")
@requires("rmm.configure")
@needs(*ALERTS, vendor=False)
def connection_rule_delete(integration_id: UUID, rule_id: UUID) -> ResponseReturnValue:
    """For good; what it did stays."""

    def work(opened: Session) -> str:
        name = one(opened, integration_id, rule_id).name
        rules.delete(current_rmm(), opened, actor(), rule_id)
        return f"“{name}” is deleted. Tickets it made stay, and close as it said."

    return act(work, _list(integration_id))


def one(opened: Session, integration_id: UUID, rule_id: UUID) -> AlertRule:
    """A rule of this very connection."""
    found = queries.rule(opened, actor().tenant_id, rule_id)
    if found is None or found.integration_id != integration_id:
        raise rules.UnknownRule("This connection has no such rule.")
    return found


def _page(row: Integration, *, text: str = "", errors: Sequence[str] = ()) -> ResponseReturnValue:
    found = queries.rule_list(session(), row.tenant_id, row.id)
    called = names(row, [_part(rule.actions) for rule in found])
    page = render_template(
        "rmm/rules/list.html",
        row=row,
        tabs=tabs(row, provider_of(row)),
        lines=[_line(rule, called) for rule in found],
        hit_cap=queries.HITS_CAP,
        hit_days=queries.HIT_DAYS,
        active=sum(rule.is_active for rule in found),
        text=text,
        errors=errors,
    )
    return page, 422 if errors else 200


def _line(rule: AnyRow, called: RuleNames) -> Line:
    compiled = compile_rule(rule.id, rule.name, rule.conditions, rule.actions)
    fault = compiled.fault
    if fault is None and compiled.actions is None:
        fault = "its actions cannot be read, so it only records"
    return Line(rule, matching(_part(rule.conditions), called), doing(_part(rule.actions), called), fault)


def _part(value: Any) -> dict[str, Any]:
    """A rule's conditions or actions; whatever cannot be read says nothing."""
    return value if isinstance(value, dict) else {}


def _sent_text() -> str:
    """The document as a file, or as pasted text."""
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        return request.form.get("document", "")
    content = upload.stream.read(LONGEST_DOCUMENT + 1)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError("This file is no text. Choose the JSON file that an export made.") from error


def _parsed(text: str) -> Any:
    if not text.strip():
        raise ConfigError("Choose a file, or paste what an export made.")
    if len(text) > LONGEST_DOCUMENT:
        raise ConfigError("This is too large: at most 1 MB.")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"This is no JSON: line {error.lineno}, column {error.colno}.") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError("This JSON cannot be read.") from error


def _import_errors(errors: Mapping[str, Sequence[str]]) -> list[str]:
    """Each sentence with its place in the document: “Rule 4, conditions.keywords.0: …”."""
    placed = [(_placed(path), text) for path, texts in errors.items() for text in texts]
    return [f"{place}: {text}" if place else text for place, text in placed]


def _placed(path: str) -> str:
    found = _PLACE.match(path)
    if found is None:
        return path
    number = f"Rule {int(found[1]) + 1}"
    return f"{number}, {found[2]}" if found[2] else number


def _refused(integration_id: UUID, text: str, errors: Sequence[str]) -> ResponseReturnValue:
    """The list again, with what was sent and what is wrong with it."""
    return _page(connections.get(session(), actor().tenant_id, integration_id), text=text, errors=errors)


def _list(integration_id: UUID) -> str:
    return url_for("rmm.connection_rules", integration_id=integration_id)


def _back(integration_id: UUID) -> ResponseReturnValue:
    return redirect(_list(integration_id), 303)
