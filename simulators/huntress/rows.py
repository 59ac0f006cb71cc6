"""Incidents, remediations and escalations as REST tells them."""

from __future__ import annotations

from typing import Any

from simulators.huntress import isolation, remediating
from simulators.huntress.enums import COUNTED
from simulators.huntress.lab import ACCOUNT_ID, ACCOUNT_NAME, Lab
from simulators.huntress.models import Escalation, Incident, Remediation
from simulators.huntress.replies import iso

Row = dict[str, Any]

INLINE = 10
"""So many remediations are told with their incident."""


def counts_of(one: Incident) -> dict[str, int]:
    """Counts by indicator; the older kinds are told also when there is none."""
    return dict.fromkeys(COUNTED, 0) | one.indicators


def incident_row(lab: Lab, one: Incident) -> Row:
    """The incident report."""
    told = {
        "id": one.id,
        "account_id": ACCOUNT_ID,
        "agent_id": one.agent_id,
        "body": one.body,
        "closed_at": iso(one.closed),
        "indicator_counts": counts_of(one),
        "indicator_types": [name for name, count in one.indicators.items() if count],
        "organization_id": one.organization_id,
        "platform": one.platform,
        "remediations": _inline(lab, one),
        "sent_at": iso(one.sent),
        "severity": one.severity,
        "status": one.status,
        "status_updated_at": iso(one.status_updated),
        "subject": one.subject,
        "summary": one.summary,
        "updated_at": iso(one.updated),
    }
    return told | one.poison


def _inline(lab: Lab, one: Incident) -> Row:
    every = remediating.settled(lab, one)
    items = [remediation_row(each) for each in every[:INLINE]]
    return {"total_count": len(every), "has_more": len(every) > INLINE, "items": items}


def remediation_row(one: Remediation) -> Row:
    """A remediation."""
    user = one.approved_by
    return {
        "id": one.id,
        "type": one.type,
        "action": one.action,
        "parameters": one.parameters,
        "status": one.status,
        "approved_at": iso(one.approved),
        "approved_by": {"id": user.id, "email": user.email, "name": user.name} if user else None,
        "completed_at": iso(one.completed),
    }


def status_of(lab: Lab, one: Escalation) -> str:
    """The status as its row tells it."""
    if one.resolved is not None:
        return "resolved"
    return lab.settings.overdue_status if one.overdue else "open"


def organizations_of(lab: Lab, one: Escalation) -> list[Row]:
    """Ids and names of the organizations it is about."""
    known = lab.fleet.organizations
    return [{"id": each, "name": known[each].name} for each in one.organization_ids if each in known]


def escalation_row(lab: Lab, one: Escalation) -> Row:
    """The escalation as the list tells it."""
    told = {
        "id": one.id,
        "account": {"id": ACCOUNT_ID, "name": ACCOUNT_NAME},
        "organizations": organizations_of(lab, one),
        "created_at": iso(one.created),
        "resolved_at": iso(one.resolved),
        "severity": one.severity,
        "status": status_of(lab, one),
        "subject": one.subject,
        "subtype": one.subtype,
        "type": one.type,
        "updated_at": iso(one.updated),
    }
    return told | one.poison


def escalation_with_entities(lab: Lab, one: Escalation) -> Row:
    """The same with the hosts it is about."""
    known = [lab.fleet.agents[each] for each in one.agent_ids if each in lab.fleet.agents]
    items = []
    for agent in known[:INLINE]:
        details = {"hostname": agent.hostname, "platform": agent.platform, "os": agent.os}
        details["firewall_status"] = isolation.status_of(lab, agent)
        items.append({"id": agent.id, "type": "Agent", "details": details})
    entities = {"total_count": len(known), "has_more": len(known) > INLINE, "items": items}
    return escalation_row(lab, one) | {"entities": entities}
