"""/v1/incident_reports with their remediations and their resolution."""

from __future__ import annotations

from typing import Any

from flask import Response

from simulators.huntress import enums, remediating, soc
from simulators.huntress.endpoints import body, credential, lab, number, posts, reads, the, word, words
from simulators.huntress.models import Incident
from simulators.huntress.paging import listing
from simulators.huntress.replies import iso, refusal
from simulators.huntress.rows import incident_row, remediation_row

Row = dict[str, Any]


def incident_reports() -> Row:
    """Narrowed by status, severity, platform, indicator, organization and agent."""
    wanted = {
        "status": word("status", enums.STATUSES),
        "severity": word("severity", enums.SEVERITIES),
        "platform": word("platform", enums.PLATFORMS),
        "organization_id": number("organization_id"),
        "agent_id": number("agent_id"),
    }
    indicator = word("indicator_type", enums.INDICATORS)
    rows = [
        one
        for one in lab().incidents.values()
        if all(value in (None, getattr(one, name)) for name, value in wanted.items())
        and (indicator is None or one.indicators.get(indicator))
    ]
    return listing("incident_reports", rows, lambda one: incident_row(lab(), one))


def _the_incident(incident_id: int) -> Incident:
    return the(lab().incidents, incident_id, "Incident Report")


def _told(one: Incident) -> Row:
    return {"incident_report": incident_row(lab(), one)}


def incident_report(incident_id: int) -> Row:
    """One of them."""
    return _told(_the_incident(incident_id))


def resolve(incident_id: int) -> Row:
    """Close it, once all its remediations are approved."""
    found = _the_incident(incident_id)
    if found.status != "sent":
        raise refusal(422, "Incident Report cannot be resolved unless report status is 'sent'.")
    if remediating.unapproved(found):
        message = "Confirm that all remediations are approved and report status is 'sent'."
        raise refusal(409, f"Incident Report cannot be resolved. {message}")
    soc.change_status(lab(), found, "closed")
    return _told(found)


def remediations(incident_id: int) -> Row:
    """All of an incident, narrowed by type and status."""
    types = words("types[]", enums.REMEDIATION_TYPES)
    statuses = words("statuses[]", enums.REMEDIATION_STATUSES)
    rows = [
        one
        for one in remediating.settled(lab(), _the_incident(incident_id))
        if (not types or one.type in types) and (not statuses or one.status in statuses)
    ]
    return listing("remediations", rows, remediation_row)


def remediation(incident_id: int, remediation_id: int) -> Row:
    """One of them."""
    rows = {one.id: one for one in remediating.settled(lab(), _the_incident(incident_id))}
    return {"remediation": remediation_row(the(rows, remediation_id, "Remediation"))}


def approve(incident_id: int) -> Row:
    """Approve what is unapproved."""
    found = _sent(incident_id)
    if not remediating.approve(lab(), found, credential().user):
        raise refusal(422, "Unable to approve remediations")
    return _told(found)


def reject(incident_id: int) -> Response:
    """Send the incident back to the SOC."""
    found, data = _sent(incident_id), body()
    if not data.get("comment") or not isinstance(data.get("useful"), bool):
        raise refusal(400, "comment is missing, useful is missing")
    if not remediating.reject(lab(), found):
        raise refusal(422, "Unable to reject remediations")
    lab().rejections.append({"at": iso(lab().now()), "incident_id": found.id, **data})
    return Response(status=201)


def _sent(incident_id: int) -> Incident:
    found = _the_incident(incident_id)
    if found.status != "sent":
        raise refusal(409, "Incident Report must have a status of 'sent'.")
    return found


ONE = "/incident_reports/<int:incident_id>"
ADDRESSES = [
    reads("/incident_reports", incident_reports),
    reads(ONE, incident_report),
    posts(f"{ONE}/resolution", resolve),
    reads(f"{ONE}/remediations", remediations),
    reads(f"{ONE}/remediations/<int:remediation_id>", remediation),
    posts(f"{ONE}/remediations/bulk_approval", approve),
    posts(f"{ONE}/remediations/bulk_rejection", reject),
]
