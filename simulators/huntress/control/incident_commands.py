"""Incidents: raising them, one or many, moving them on, commenting, poisoning."""

from __future__ import annotations

from typing import Any

from simulators.huntress import enums, remediating, soc
from simulators.huntress.control.blueprint import (
    BadCommand,
    agent_of,
    command,
    fields,
    flag,
    lab,
    mapping,
    one_of,
    organization_of,
    query,
    row_of,
)
from simulators.huntress.models import Agent, Incident, Organization
from simulators.huntress.replies import iso
from simulators.huntress.soc import Finding

POISON: dict[str, Any] = {
    "organization_id": {"id": "x"},
    "severity": ["high"],
    "status": {"name": "sent"},
    "subject": 17,
    "summary": {"text": None},
    "indicator_types": "footholds",
    "remediations": "none",
}
"""What a poisoned row tells unless something else is asked for; it stays sortable and has its id."""


def incident_summary(one: Incident) -> dict[str, Any]:
    """The incident as the control page shows it."""
    agent = lab().fleet.agents.get(one.agent_id or 0)
    organization = lab().fleet.organizations.get(one.organization_id)
    return {
        "id": one.id,
        "subject": one.subject,
        "severity": one.severity,
        "status": one.status,
        "platform": one.platform,
        "organization": organization.name if organization else None,
        "organization_id": one.organization_id,
        "agent_id": one.agent_id,
        "host": agent.hostname if agent else None,
        "updated_at": iso(one.updated),
        "remediations": len(remediating.settled(lab(), one)),
        "unapproved": len(remediating.unapproved(one)),
        "comments": len(one.comments),
        "poisoned": sorted(one.poison),
    }


@query("/api/incidents")
def list_incidents() -> Any:
    """All, oldest first."""
    return [incident_summary(one) for one in lab().incidents.values()]


@query("/api/rejections")
def list_rejections() -> Any:
    """What was sent back to the SOC."""
    return list(lab().rejections)


def _indicators(given: Any) -> dict[str, int]:
    """Counts by indicator: an object, a list, or names with commas between."""
    if isinstance(given, str):
        given = [one.strip() for one in given.split(",") if one.strip()]
    counts = given if isinstance(given, dict) else dict.fromkeys(given, 1)
    if unknown := set(counts) - set(enums.INDICATORS):
        raise BadCommand(f"no indicator {sorted(unknown)}; there are {', '.join(enums.INDICATORS)}")
    return {name: int(count) for name, count in counts.items()}


def _finding(data: dict[str, Any]) -> Finding:
    given: dict[str, Any] = {
        "severity": one_of(data, "severity", enums.SEVERITIES),
        "platform": one_of(data, "platform", enums.PLATFORMS),
        "status": one_of(data, "status", enums.STATUSES),
        "indicators": _indicators(data["indicators"]) if data.get("indicators") else None,
        "remediations": int(data["remediations"]) if "remediations" in data else None,
        "age": float(data.get("age", 0)),
        **{name: data.get(name) for name in ("subject", "summary", "body")},
    }
    return Finding(**{name: value for name, value in given.items() if value is not None})


def _where(data: dict[str, Any]) -> Agent | Organization:
    """The host, the organization, or the first host there is."""
    if data.get("agent_id"):
        return agent_of(data["agent_id"])
    if data.get("organization_id"):
        return organization_of(data["organization_id"])
    return next(iter(lab().fleet.agents.values()))


@command("/api/incidents/raise")
def raise_incident() -> Any:
    """{"agent_id"? or "organization_id"?, "severity"?, "platform"?, "indicators"?, "remediations"?,
    "status"?, "subject"?, "summary"?, "body"?, "age"?: seconds, "announced"?: whether by webhook}."""
    data = fields()
    with lab().lock:
        announced = flag(data.get("announced", True))
        made = soc.raise_incident(lab(), _where(data), _finding(data), announced=announced)
        return {"id": made.id}


@command("/api/incidents/burst")
def burst() -> Any:
    """{"count", "spread"?: seconds back from now over which they came, and what an incident takes}."""
    data = fields()
    count, spread = int(data["count"]), float(data.get("spread", 0))
    announced = flag(data.get("announced", True))
    ids = []
    with lab().lock:
        agents = list(lab().fleet.agents.values())
        for number in range(count):
            where = _where(data) if data.get("organization_id") else agents[number % len(agents)]
            age = spread * (count - 1 - number) / max(count - 1, 1)
            made = soc.raise_incident(lab(), where, _finding(data | {"age": age}), announced=announced)
            ids.append(made.id)
    return {"ids": ids}


def _incident(incident_id: int) -> Incident:
    return row_of(lab().incidents, incident_id, "incident")


@command("/api/incidents/<int:incident_id>/status")
def set_status(incident_id: int) -> Any:
    """{"status"}."""
    data = fields()
    with lab().lock:
        status = one_of(data, "status", enums.STATUSES)
        if status is None:
            raise BadCommand("status is missing")
        soc.change_status(lab(), _incident(incident_id), status)
        return incident_summary(_incident(incident_id))


@command("/api/incidents/<int:incident_id>/severity")
def set_severity(incident_id: int) -> Any:
    """{"severity"}: as an analyst rates it now; no webhook tells."""
    data = fields()
    with lab().lock:
        found = _incident(incident_id)
        found.severity = one_of(data, "severity", enums.SEVERITIES) or found.severity
        found.updated = lab().now()
        return incident_summary(found)


@command("/api/incidents/<int:incident_id>/comment")
def add_comment(incident_id: int) -> Any:
    """{"text"?}."""
    text = fields().get("text")
    with lab().lock:
        return {"svix_id": soc.comment(lab(), _incident(incident_id), text)}


@command("/api/incidents/<int:incident_id>/approve")
def approve(incident_id: int) -> Any:
    """{"finish"?}: approve what is unapproved, and let what runs be done at once."""
    finish = flag(fields().get("finish", False))
    with lab().lock:
        found = _incident(incident_id)
        approved = remediating.approve(lab(), found, lab().credentials["writer"].user)
        for one in found.remediations if finish else []:
            if one.settles is not None:
                remediating.complete(one, lab().now())
        return {"approved": approved}


@command("/api/incidents/<int:incident_id>/remediations")
def set_remediation(incident_id: int) -> Any:
    """{"id", "status": completed, failed or cancelled}: what became of one."""
    data = fields()
    with lab().lock:
        rows = {one.id: one for one in _incident(incident_id).remediations}
        status = one_of(data, "status", ("completed", "failed", "cancelled")) or "completed"
        remediating.complete(row_of(rows, data["id"], "remediation"), lab().now(), status)
        _incident(incident_id).updated = lab().now()
        return {"status": status}


@command("/api/incidents/<int:incident_id>/poison")
def poison(incident_id: int) -> Any:
    """{"fields"?: object}: what its row tells otherwise than it is; an empty object heals it."""
    data = fields()
    with lab().lock:
        found = _incident(incident_id)
        found.poison = mapping(data["fields"]) if "fields" in data else dict(POISON)
        found.updated = lab().now()
        return incident_summary(found)


@command("/api/incidents/<int:incident_id>/delete")
def delete(incident_id: int) -> Any:
    """It is not there any more; no webhook tells."""
    with lab().lock:
        return {"deleted": lab().incidents.pop(_incident(incident_id).id).id}
