"""What has happened before anybody looks: incidents, escalations and reports."""

from __future__ import annotations

from simulators.huntress.enums import INDICATORS
from simulators.huntress.lab import Lab
from simulators.huntress.reports import open_reports
from simulators.huntress.soc import Finding, raise_escalation, raise_incident

SEVERITIES = ("critical", "high", "low", "high")
STATUSES = ("sent", "sent", "closed", "sent", "auto_remediating", "dismissed")
HOUR = 3600.0


def open_initial(lab: Lab, incidents: int, escalations: int = 3) -> None:
    """Let some time have passed; nobody is told of it by webhook."""
    agents, organizations = list(lab.fleet.agents.values()), list(lab.fleet.organizations.values())
    open_reports(lab)
    for number in range(incidents if agents else 0):
        whole = number % 5 == 4
        where = organizations[number % len(organizations)] if whole else agents[number * 7 % len(agents)]
        finding = Finding(
            severity=SEVERITIES[number % 4],
            indicators={INDICATORS[5 if whole else number % 5]: 1 + number % 3},
            remediations=(2, 0, 3, 12)[number % 4],
            status=STATUSES[number % 6],
            age=(incidents - number) * HOUR,
        )
        raise_incident(lab, where, finding, announced=False)
    for number in range(escalations if organizations else 0):
        about = organizations[number : number + 1 + number % 2]
        raise_escalation(lab, about, number=number, age=(escalations - number) * HOUR, announced=False)
