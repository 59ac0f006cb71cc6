"""Remediations of an incident: approving, running, rejecting."""

from __future__ import annotations

from simulators.huntress.lab import Lab
from simulators.huntress.models import Incident, Remediation, User


def settled(lab: Lab, incident: Incident) -> list[Remediation]:
    """The incident's remediations; those that ran long enough are completed."""
    for one in incident.remediations:
        if one.settles is not None and one.settles <= lab.now():
            complete(one, one.settles)
    return incident.remediations


def complete(one: Remediation, now: float, status: str = "completed") -> None:
    """It is over."""
    one.status, one.updated, one.settles = status, now, None
    one.completed = now if status == "completed" else None


def unapproved(incident: Incident) -> list[Remediation]:
    """What nobody has approved yet."""
    return [one for one in incident.remediations if one.status == "unapproved"]


def approve(lab: Lab, incident: Incident, user: User | None) -> int:
    """Approve what is unapproved; assisted ones run at once. How many."""
    waiting, now = unapproved(incident), lab.now()
    for one in waiting:
        one.status, one.approved, one.approved_by, one.updated = "approved", now, user, now
        if one.type == "assisted":
            one.settles = now + lab.settings.remediation_seconds
    incident.updated = now if waiting else incident.updated
    return len(waiting)


def reject(lab: Lab, incident: Incident) -> int:
    """Cancel what is unapproved. How many."""
    waiting = unapproved(incident)
    for one in waiting:
        complete(one, lab.now(), "cancelled")
    incident.updated = lab.now() if waiting else incident.updated
    return len(waiting)
