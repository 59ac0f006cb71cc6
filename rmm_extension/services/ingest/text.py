"""Completing a ticket's words when the alert's text comes after the ticket was made."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy.orm import Session

from rmm_extension.domain import ticket_text
from rmm_extension.domain.types import AlertEvent, Severity
from rmm_extension.services.context import Rmm
from rmm_extension.services.driver import run

from .facts import Facts
from .ticket import ticket_facts

_WRITTEN = """
SELECT a.ticket_id, a.client_id, a.report, a.generated_title, a.generated_description, a.rule_actions,
       r.name AS rule_name
FROM rmm_alerts a
LEFT JOIN rmm_alert_rules r ON r.tenant_id = a.tenant_id AND r.id = a.matched_rule_id
WHERE a.tenant_id = %(tenant)s AND a.id = %(alert)s
  AND a.ticket_id IS NOT NULL AND a.generated_title IS NOT NULL
"""


TEXTS = ("message", "device_name", "title", "report")
"""What of an alert that was decided may come later and is no news of it."""


def complete_text(rmm: Rmm, session: Session, facts: Facts, event: AlertEvent) -> dict[str, Any]:
    """Write title and description anew from ``event``, each only where nobody changed ours.

    What the event leaves open is as it is known. Returns the alert's columns that remember what we wrote;
    nothing when the alert made no ticket.
    """
    tickets = rmm.host.tickets
    if tickets is None:
        return {}
    row = run(session, _WRITTEN, {"tenant": facts.tenant_id, "alert": facts.alert_id}).fetchone()
    if row is None:
        return {}
    actions = row["rule_actions"] or {}
    began = _as_it_began(facts, event, row["report"])
    is_unmapped = row["client_id"] is None and bool(actions.get("useRouting"))
    texts = ticket_facts(rmm, session, facts, began, row["rule_name"], is_unmapped=is_unmapped)
    template = actions.get("ticketTemplate") or {}
    title, description = ticket_text.words(texts, template)
    tickets.complete_text(
        session,
        facts.tenant_id,
        row["ticket_id"],
        old_title=row["generated_title"],
        title=title,
        old_description=row["generated_description"] or "",
        description=description,
    )
    return {"generated_title": title, "generated_description": description}


def words(event: AlertEvent) -> dict[str, Any]:
    """The columns of the vendor's own words that the event brings; part of a report replaces no whole one."""
    told = {"title": event.title, "report": None if event.is_partial else event.report}
    return {name: value for name, value in told.items() if value}


def told(event: AlertEvent) -> dict[str, Any]:
    """The columns that the event brings for an alert that came without its text, or with next to nothing."""
    known = {
        "message": event.message,
        "device_name": event.device_name,
        "severity": None if event.severity is Severity.NONE else event.severity,
        "external_device_id": event.external_device_id,
        "external_organization_id": event.external_organization_id,
        "alert_class": event.alert_class,
        "activity_type": event.activity_type,
        "source_type": event.source_type,
        "vendor_status": event.vendor_status,
        **words(event),
    }
    return {name: value for name, value in known.items() if value}


def _as_it_began(facts: Facts, event: AlertEvent, report: str | None) -> AlertEvent:
    severity = facts.row["severity"] if event.severity is Severity.NONE else event.severity
    return msgspec.structs.replace(
        event,
        occurred_at=facts.row["triggered_at"],
        severity=Severity(severity),
        message=event.message or facts.row["message"],
        title=event.title or facts.row["title"],
        report=words(event).get("report") or report,
    )
