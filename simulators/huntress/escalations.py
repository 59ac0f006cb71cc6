"""/v1/escalations and their resolution."""

from __future__ import annotations

from typing import Any

from flask import request

from simulators.huntress import enums, soc
from simulators.huntress.endpoints import body, checked, lab, number, posts, reads, the, word
from simulators.huntress.models import Escalation
from simulators.huntress.paging import BY_TIME, listing
from simulators.huntress.replies import refusal
from simulators.huntress.rows import escalation_row, escalation_with_entities

Row = dict[str, Any]

SORTS = {
    **BY_TIME,
    "severity": lambda one: enums.SEVERITIES.index(one.severity),
    "due_at": lambda one: one.due or 0.0,
}


def _state(one: Escalation) -> str:
    if one.resolved is not None:
        return "resolved"
    return "overdue" if one.overdue else "open"


def escalations() -> Row:
    """Narrowed by status, severity, subtype and organization."""
    status, severity = word("status", enums.ESCALATION_FILTERS), word("severity", enums.SEVERITIES)
    subtype, organization_id = request.args.get("subtype"), number("organization_id")
    rows = [
        one
        for one in lab().escalations.values()
        if status in (None, _state(one))
        and severity in (None, one.severity)
        and subtype in (None, one.subtype)
        and (organization_id is None or organization_id in one.organization_ids)
    ]
    return listing("escalations", rows, lambda one: escalation_row(lab(), one), SORTS)


def escalation(escalation_id: int) -> Row:
    """One of them, with its entities."""
    found = the(lab().escalations, escalation_id, "Escalation")
    return {"escalation": escalation_with_entities(lab(), found)}


def resolve(escalation_id: int) -> Row:
    """Resolve it; unwanted access takes a determination and a scope, or neither."""
    found = the(lab().escalations, escalation_id, "Escalation")
    data = body()
    given = {
        "determination": checked("determination", data.get("determination"), enums.DETERMINATIONS),
        "scope": checked("scope", data.get("scope"), enums.SCOPES),
    }
    method = _method(found, given)
    if found.resolved is not None:
        raise refusal(409, "Escalation has already been resolved")
    if not found.by_api:
        raise refusal(422, "Escalation cannot be resolved through the API")
    soc.resolve_escalation(lab(), found)
    return {"escalation": escalation_with_entities(lab(), found), "resolution_method": method}


def _method(found: Escalation, given: dict[str, Any]) -> str:
    named = [name for name, value in given.items() if value is not None]
    if found.type not in enums.UNWANTED_ACCESS:
        if named:
            raise refusal(400, "This Escalation does not take resolution parameters")
        return "direct"
    if len(named) == 1:
        raise refusal(400, "determination and scope must be provided together")
    return "rule" if named else "dismiss"


ADDRESSES = [
    reads("/escalations", escalations),
    reads("/escalations/<int:escalation_id>", escalation),
    posts("/escalations/<int:escalation_id>/resolution", resolve),
]
