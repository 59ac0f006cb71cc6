"""What Huntress tells, as alerts: one table for webhook, list and single object.

An incident report is an alert by its id, an escalation by ``escalation:<id>``. The organization of an
incident is an object in webhooks and a number in the API; webhooks may have the number too, which is
deprecated there. No field is taken for sure. Fields by Huntress's API v1 and the description of its webhooks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rmm_extension.domain.types import AlertEvent, AlertKind
from rmm_extension.domain.values import identifier, moment, storable, text
from rmm_extension.providers.huntress import words
from rmm_extension.providers.huntress.plain import line, plain
from rmm_extension.providers.huntress.report import Known, escalation_report, incident_report

ESCALATION = "escalation:"
"""What the id of an alert begins with that is an escalation."""
INCIDENT_CLASS, ESCALATION_CLASS = "Incident report", "Escalation"
_TIMES = ("updated_at", "status_updated_at", "closed_at", "resolved_at", "sent_at", "created_at")
_SCALARS = ("status", "severity", "platform", "subject", "summary", "agent_id", "organization_id", "type")
_SUBJECT = re.compile(r"Incident on (\S.*?)(?: \(.*\))?$")
_PARTIAL = Known()


class Nameless(Exception):
    """An object without the id it is known by."""


class Unreadable(Exception):
    """A value that decides whether there is a ticket, or where it goes, cannot be read: that of ``field``."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def of_incident(row: Mapping[str, Any], now: datetime, known: Known = _PARTIAL) -> AlertEvent | None:
    """The event of an incident report; ``None`` for one that Huntress is deleting.

    ``now`` stands for a missing time, ``known`` is what was read beside it. Raises :class:`Nameless` and
    :class:`Unreadable`.
    """
    number, status = _number(row), _status(row)
    if status == words.DELETING:
        return None
    agent_id = identifier(row.get("agent_id"))
    subject = line(row.get("subject"))
    return AlertEvent(
        kind=AlertKind.RESET if status in words.CLOSED else AlertKind.TRIGGERED,
        external_id=number,
        occurred_at=changed_at(row) or now,
        severity=words.severity(row.get("severity")),
        external_device_id=agent_id,
        external_organization_id=organization_id(row),
        device_name=known.hostname or (_hostname(subject) if agent_id else None),
        condition=number,
        alert_class=INCIDENT_CLASS,
        activity_type="incident_report",
        source_type=text(row.get("platform")),
        message=plain(row.get("summary")) or plain(row.get("body")) or subject,
        title=subject or f"{_severity_word(row)} incident {number}",
        report=incident_report(row, known),
        is_partial=not known.is_whole,
        vendor_status=status,
        raw=storable(dict(row)),
    )


def of_escalation(row: Mapping[str, Any], now: datetime, known: Known = _PARTIAL) -> AlertEvent:
    """The event of an escalation, which may be of several organizations. Raises as :func:`of_incident`."""
    number, status = _number(row), _status(row)
    kind, subject = line(row.get("type")), line(row.get("subject"))
    title = ": ".join(dict.fromkeys(filter(None, (kind, subject)))) or f"Escalation {number}"
    return AlertEvent(
        kind=AlertKind.RESET if status == words.RESOLVED else AlertKind.TRIGGERED,
        external_id=f"{ESCALATION}{number}",
        occurred_at=changed_at(row) or now,
        severity=words.severity(row.get("severity")),
        external_organization_id=organization_id(row),
        condition=f"{ESCALATION}{number}",
        alert_class=ESCALATION_CLASS,
        activity_type=kind or "escalation",
        source_type="escalation",
        message=title,
        title=title,
        report=escalation_report(row, known),
        is_partial=not known.is_whole,
        vendor_status=status,
        raw=storable(dict(row)),
    )


def changed_at(row: Mapping[str, Any]) -> datetime | None:
    """When it last changed, by the best time that it tells."""
    return next((found for name in _TIMES if (found := moment(row.get(name)))), None)


def organization_id(row: Mapping[str, Any]) -> str | None:
    """The organization's id from either shape; ``None`` where several are named."""
    inner = row.get("organization")
    if isinstance(inner, Mapping) and (found := identifier(inner.get("id"))):
        return found
    several = row.get("organizations")
    if isinstance(several, list) and len(several) == 1 and isinstance(several[0], Mapping):
        return identifier(several[0].get("id"))
    return identifier(row.get("organization_id"))


def _number(row: Mapping[str, Any]) -> str:
    """The id of a row whose values can be read."""
    found = identifier(row.get("id"))
    if found is None:
        raise Nameless
    for name in _SCALARS:
        if isinstance(row.get(name), (list, dict, bool)):
            raise Unreadable(name)
    if not isinstance(row.get("organization"), (dict, type(None))):
        raise Unreadable("organization")
    return found


def _status(row: Mapping[str, Any]) -> str | None:
    found = text(row.get("status"))
    return found.casefold() if found else None


def _severity_word(row: Mapping[str, Any]) -> str:
    return (text(row.get("severity")) or "an").capitalize()


def _hostname(subject: str | None) -> str | None:
    """The host that the subject names ("CRITICAL - Incident on HOST (Organization)")."""
    found = _SUBJECT.search(subject or "")
    return found[1] if found else None
