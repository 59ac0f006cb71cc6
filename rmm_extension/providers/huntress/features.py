"""Which features of the extension need what of a key of Huntress."""

from __future__ import annotations

from dataclasses import dataclass

READING, WRITING = "Read", "User-based API key"


@dataclass(frozen=True, slots=True)
class Feature:
    """What people know it as, and the list that proves it may be read; one without changes something."""

    name: str
    path: str = ""


ORGANIZATIONS = Feature("Organizations", "/v1/organizations")
AGENTS = Feature("Agents", "/v1/agents")
INCIDENTS = Feature("Incident reports", "/v1/incident_reports")
ESCALATIONS = Feature("Escalations", "/v1/escalations")
FEATURES = (
    ORGANIZATIONS,
    AGENTS,
    INCIDENTS,
    ESCALATIONS,
    Feature("Resolving incidents and escalations"),
    Feature("Isolating and releasing hosts"),
)
