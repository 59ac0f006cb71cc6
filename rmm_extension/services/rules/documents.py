"""Rules as a JSON document: taken out of one connection, put into another.

A document is checked wholly before anything is written. It is taken as it is or not at all: a rule that names
a board, priority, status or user this host does not have is refused with its place in the document, because
without it the rule would do something else than it says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rmm_extension.host import Actor
from rmm_extension.models import AlertRule, Integration, new_id
from rmm_extension.services import connections
from rmm_extension.services.catch_all import next_place
from rmm_extension.services.context import Rmm

from .check import Errors, RuleInvalid, read_json, refused
from .rows import changed

FORMAT, VERSION = "rmm-alert-rules", 1
MOST_RULES = 500
_KEYS = frozenset({"format", "version", "rules"})


def export_rules(session: Session, tenant_id: str, integration_id: UUID) -> dict[str, Any]:
    """All rules of the connection, in their order, as a document that :func:`import_rules` takes."""
    connections.get(session, tenant_id, integration_id)
    columns = (
        AlertRule.name,
        AlertRule.description,
        AlertRule.is_active,
        AlertRule.conditions,
        AlertRule.actions,
    )
    statement = select(*columns).where(
        AlertRule.tenant_id == tenant_id, AlertRule.integration_id == integration_id
    )
    rules = [
        {
            "name": row.name,
            "description": row.description,
            "isActive": row.is_active,
            "conditions": row.conditions,
            "actions": row.actions,
        }
        for row in session.execute(statement.order_by(AlertRule.priority_order, AlertRule.id))
    ]
    return {"format": FORMAT, "version": VERSION, "rules": rules}


def import_rules(
    rmm: Rmm, session: Session, actor: Actor, integration_id: UUID, document: Any, *, replace: bool
) -> int:
    """Add the document's rules behind those of the connection, or instead of them; how many they are.

    Raises :class:`~.check.RuleInvalid` with every mistake: ``rules.3.conditions.keywords.0``.
    """
    row = connections.get(session, actor.tenant_id, integration_id, lock=True)
    rules = _checked(rmm, session, row, document)
    if replace:
        mine = (AlertRule.tenant_id == row.tenant_id, AlertRule.integration_id == row.id)
        session.execute(delete(AlertRule).where(*mine))
    first = next_place(session, row)
    session.add_all(
        AlertRule(
            tenant_id=row.tenant_id,
            id=new_id(),
            integration_id=row.id,
            priority_order=first + place,
            **values,
        )
        for place, values in enumerate(rules)
    )
    names = ", ".join(values["name"] for values in rules)
    way = "instead of the rules there were" if replace else "behind the rules there were"
    changed(session, actor, row, "rules.imported", changes={"rules": names, "placed": way})
    return len(rules)


def _checked(rmm: Rmm, session: Session, row: Integration, document: Any) -> list[dict[str, Any]]:
    errors = _form(document)
    if errors:
        raise RuleInvalid(errors)
    read = [read_json(rule) for rule in document["rules"]]
    errors = _placed([wrong for _, wrong in read])
    if not errors:
        errors = _placed(refused(rmm, session, row, [values["actions"] for values, _ in read]))
    if errors:
        raise RuleInvalid(errors)
    return [values for values, _ in read]


def _form(document: Any) -> Errors:
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        return {"": [f"This is not a document of rules: its “format” must be “{FORMAT}”."]}
    if document.get("version") != VERSION or isinstance(document["version"], bool):
        return {"version": [f"This version of the document is not known; {VERSION} is."]}
    if unknown := sorted(str(key) for key in document.keys() - _KEYS):
        return {key: ["There is no such part of a document of rules."] for key in unknown}
    rules = document.get("rules")
    if not isinstance(rules, list) or not rules:
        return {"rules": ["The document has no rules."]}
    if len(rules) > MOST_RULES:
        return {"rules": [f"These are too many rules: at most {MOST_RULES}."]}
    return {}


def _placed(errors_by_rule: list[Errors]) -> Errors:
    return {
        f"rules.{place}.{path}" if path else f"rules.{place}": texts
        for place, errors in enumerate(errors_by_rule)
        for path, texts in errors.items()
    }
