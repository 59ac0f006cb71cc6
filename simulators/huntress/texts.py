"""What an analyst of Huntress writes: subjects, summaries, bodies in HTML, remediations."""

from __future__ import annotations

from html import escape
from typing import Any

from simulators.huntress import names
from simulators.huntress.lab import SUBDOMAIN
from simulators.huntress.models import Incident, Remediation


def subject_of(severity: str, target: str, organization: str) -> str:
    """As REST and webhooks tell it."""
    return f"{severity.upper()} - Incident on {target} ({organization})"


def summary_of(indicators: dict[str, int]) -> str:
    """A sentence for each indicator, and what to do."""
    found = [f"Huntress detected {names.FINDINGS[name]}." for name, count in indicators.items() if count]
    advice = "We recommend the remediation steps listed below."
    return "\n\n".join([*found, advice])


def body_of(incident_id: int, target: str, indicators: dict[str, int], summary: str) -> str:
    """A page of HTML with style, lists, a table, a link and entities."""
    rows = "".join(
        f"<tr><td>{escape(name.replace('_', ' ').title())}</td><td>{count}</td></tr>"
        for name, count in indicators.items()
    )
    paragraphs = "".join(f"<p>{escape(part)}</p>" for part in summary.split("\n\n"))
    link = f"https://{SUBDOMAIN}.huntress.io/incident_reports/{incident_id}"
    return (
        "<html><head><style>.lead { color: #c00; }</style></head><body>"
        f"<h2 class='lead'>Incident on {escape(target)}</h2>{paragraphs}"
        f"<table><tr><th>Indicator</th><th>Count</th></tr>{rows}</table>"
        "<ul><li>Isolate the host&nbsp;&ndash; if it is not yet</li><li>Don&#39;t restart it</li></ul>"
        f'<p>Details:<br/><a href="{link}">open the report &rarr;</a></p></body></html>'
    )


def remediation(incident: Incident, number: int, target: str) -> Remediation:
    """The step of that number, from 0."""
    steps = names.STEPS[names.family_of(incident.platform)]
    kind, action, about = steps[number % len(steps)]
    parameters: Any = None
    if kind == "containment":
        parameters = target
    elif about is not None:
        parameters = [{"name": "path", "description": about}]
    moment = incident.created
    return Remediation(incident.id * 100 + number, kind, action, parameters, moment, moment)


def note_of(incident: Incident, number: int) -> str:
    """A comment."""
    return f"Comment {number} on incident {incident.id}: please isolate the host & reset its passwords."
