"""Webhooks: what is told of an event, and to which endpoints."""

from __future__ import annotations

from typing import Any

import msgspec

from simulators.huntress import svix
from simulators.huntress.enums import category_of
from simulators.huntress.lab import ACCOUNT_ID, ACCOUNT_NAME, Lab
from simulators.huntress.models import Endpoint, Escalation, Incident
from simulators.huntress.replies import iso
from simulators.huntress.rows import counts_of, organizations_of, status_of

Row = dict[str, Any]

API = "https://api.huntress.io/v1"
ACCOUNT: Row = {"id": ACCOUNT_ID, "name": ACCOUNT_NAME}


def incident_payload(lab: Lab, event_type: str, one: Incident, **more: Any) -> Row:
    """The body of an event about an incident: with `created_at`, and an object for the organization."""
    organization = lab.fleet.organizations.get(one.organization_id)
    told = {
        "account": ACCOUNT,
        "agent_id": one.agent_id,
        "api_url": f"{API}/incident_reports/{one.id}",
        "body": one.body,
        "closed_at": iso(one.closed),
        "created_at": iso(one.created),
        "event_type": event_type,
        "id": one.id,
        "indicator_counts": counts_of(one),
        "organization": {"id": one.organization_id, "name": organization.name if organization else None},
        "platform": one.platform,
        "sent_at": iso(one.sent),
        "severity": one.severity,
        "status": one.status,
        "status_updated_at": iso(one.status_updated),
        "subject": one.subject,
        "summary": one.summary,
        "updated_at": iso(one.updated),
        **more,
    }
    return told | {key: value for key, value in one.poison.items() if key in told}


def escalation_payload(lab: Lab, event_type: str, one: Escalation, **more: Any) -> Row:
    """The body of an event about an escalation, or about a platform action, which has the same keys."""
    organizations = organizations_of(lab, one)
    told = {
        "account": ACCOUNT,
        "api_url": f"{API}/{event_type.partition('.')[0]}s/{one.id}",
        "created_at": iso(one.created),
        "event_type": event_type,
        "id": one.id,
        "organizations": organizations,
        "resolved_at": iso(one.resolved),
        "severity": one.severity,
        "status": status_of(lab, one),
        "subject": one.subject,
        "total_organizations_impacted": len(organizations),
        "type": one.type,
        "updated_at": iso(one.updated),
        **more,
    }
    return told | {key: value for key, value in one.poison.items() if key in told}


def notice_payload(lab: Lab, event_type: str, subject: str, text: str) -> Row:
    """The body of a notification."""
    return {
        "account": ACCOUNT,
        "body": text,
        "created_at": iso(lab.now()),
        "event_type": event_type,
        "id": 7000 + lab.picker.randrange(1000),
        "subject": subject,
    }


def announce(lab: Lab, payload: Row) -> str:
    """Send an event to every endpoint that wants its category; the message's id."""
    message_id, body = svix.new_message_id(), msgspec.json.encode(payload)
    for one in lab.endpoints.values():
        if one.enabled and category_of(payload["event_type"]) in one.categories:
            lab.courier.send(one, message_id, body)
    return message_id


def test_payload(lab: Lab, one: Endpoint) -> Row:
    """What "send test" of the console sends: something that does not exist, of a wanted category."""
    incident = Incident(
        id=1,
        organization_id=0,
        agent_id=None,
        platform="windows",
        severity="low",
        subject="LOW - Incident on test-host (Test)",
        summary="This is a test.",
        body="<p>This is a test.</p>",
        created=lab.now(),
        updated=lab.now(),
        status_updated=lab.now(),
        sent=lab.now(),
    )
    if "Incident Reports" in one.categories:
        return incident_payload(lab, "incident_report.created", incident)
    return notice_payload(lab, "account_notice.notification", "Test", "<p>This is a test.</p>")
