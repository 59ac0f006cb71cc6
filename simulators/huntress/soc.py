"""What Huntress's analysts do: raising incidents and escalations, moving them on, commenting, closing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from simulators.huntress import names, texts
from simulators.huntress.events import announce, escalation_payload, incident_payload
from simulators.huntress.lab import FIRST_ESCALATION, FIRST_INCIDENT, Lab
from simulators.huntress.models import Agent, Escalation, Incident, Organization

OVER = ("closed", "dismissed", "partner_dismissed")
UNSENT = ("auto_remediating", "deleting")
MOST_HOSTS_NAMED = 3


@dataclass(frozen=True)
class Finding:
    """What an incident is about. Texts that are not given are written as an analyst would."""

    severity: str = "high"
    platform: str | None = None
    indicators: Mapping[str, int] = field(default_factory=lambda: {"footholds": 1})
    remediations: int = 2
    status: str = "sent"
    subject: str | None = None
    summary: str | None = None
    body: str | None = None
    age: float = 0.0
    """Seconds since it happened."""


def raise_incident(
    lab: Lab, where: Agent | Organization, finding: Finding, *, announced: bool = True
) -> Incident:
    """An incident on a host, or of an organization as a whole."""
    agent = where if isinstance(where, Agent) else None
    organization_id = where.organization_id if isinstance(where, Agent) else where.id
    organization = lab.fleet.organizations[organization_id]
    incident_id = lab.next_id(lab.incidents, FIRST_INCIDENT)
    target = agent.hostname if agent else f"{names.PEOPLE[incident_id % 4]}@{organization.key}.example"
    indicators, moment = dict(finding.indicators), lab.now() - finding.age
    summary = texts.summary_of(indicators) if finding.summary is None else finding.summary
    made = Incident(
        id=incident_id,
        organization_id=organization_id,
        agent_id=agent.id if agent else None,
        platform=finding.platform or (agent.platform if agent else "microsoft_365"),
        severity=finding.severity,
        subject=finding.subject or texts.subject_of(finding.severity, target, organization.name),
        summary=summary,
        body=finding.body or texts.body_of(incident_id, target, indicators, summary),
        created=moment,
        updated=moment,
        status_updated=moment,
        status=finding.status,
        sent=None if finding.status in UNSENT else moment,
        closed=moment if finding.status == "closed" else None,
        indicators=indicators,
    )
    made.remediations = [texts.remediation(made, number, target) for number in range(finding.remediations)]
    lab.incidents[incident_id] = made
    if announced:
        announce(lab, incident_payload(lab, "incident_report.created", made))
    return made


def change_status(lab: Lab, incident: Incident, status: str) -> None:
    """Another status. Of all changes only a close is told by a webhook."""
    now = lab.now()
    incident.status, incident.status_updated, incident.updated = status, now, now
    if status == "sent":
        incident.sent, incident.closed = now, None
    if status == "closed":
        incident.closed = now
        announce(lab, incident_payload(lab, "incident_report.closed", incident))


def comment(lab: Lab, incident: Incident, text: str | None = None) -> str:
    """An analyst's or a partner's comment; the id of its message."""
    said = text or texts.note_of(incident, len(incident.comments) + 1)
    incident.comments.append(said)
    if lab.settings.comment_touches:
        incident.updated = lab.now()
    return announce(lab, incident_payload(lab, "incident_report.comment_added", incident, comment=said))


def raise_escalation(
    lab: Lab,
    organizations: list[Organization],
    *,
    number: int = 0,
    severity: str = "high",
    subject: str | None = None,
    age: float = 0.0,
    announced: bool = True,
) -> Escalation:
    """An escalation of one of the known types (`number` picks it) about some organizations."""
    kind, usual, subtype = names.ESCALATIONS[number % len(names.ESCALATIONS)]
    moment = lab.now() - age
    agents = [one.id for each in organizations for one in lab.fleet.agents_of(each.id)[:MOST_HOSTS_NAMED]]
    made = Escalation(
        id=lab.next_id(lab.escalations, FIRST_ESCALATION),
        type=kind,
        subject=subject or usual,
        severity=severity,
        organization_ids=[one.id for one in organizations],
        created=moment,
        updated=moment,
        subtype=subtype,
        due=moment + 7 * 86400,
        agent_ids=agents if kind == "Environmental Issue" else [],
    )
    lab.escalations[made.id] = made
    if announced:
        announce(lab, escalation_payload(lab, "escalation.created", made))
    return made


def resolve_escalation(lab: Lab, one: Escalation) -> None:
    """It is done with."""
    one.resolved = one.updated = lab.now()
    announce(lab, escalation_payload(lab, "escalation.closed", one))


def let_escalation_pass(lab: Lab, one: Escalation) -> None:
    """Its time is over."""
    one.overdue, one.updated = True, lab.now()
    message = f'The escalation "{one.subject}" is overdue.'
    announce(lab, escalation_payload(lab, "escalation.overdue", one, message=message))
