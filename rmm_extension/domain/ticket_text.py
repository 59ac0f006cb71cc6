"""The words of a ticket made from an alert: title, description and notes. Plain text, escaped by the host."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .labels import provider_label

SHORT_MESSAGE = 60
TITLE_LENGTH = 255
UNMAPPED = "[Unmapped Org]"
"""Stands in the title of a ticket of the fallback client."""
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_]+)\s*\}\}")
PLACEHOLDERS = {
    "device": "the device's name",
    "message": "the alert's text",
    "severity": "critical, major, moderate, minor or none",
    "client": "the client here",
    "organization": "the organization at the vendor",
    "alert_class": "the kind of alert, as the vendor names it",
    "triggered_at": "when it began",
    "provider": "the vendor",
    "device_id": "the device's id at the vendor",
    "rule": "this rule's name",
    "link": "the device's page here",
}
"""What a template may name, in the words of the editor's help."""


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """What is known of an alert when its ticket is written; ``None`` where it is not.

    ``title`` and ``report`` are the vendor's own words for a ticket. ``is_unmapped``: the ticket goes to the
    fallback client, because nobody here is the organization's.
    """

    provider: str
    external_alert_id: str
    external_device_id: str | None
    device_name: str | None
    severity: str
    alert_class: str | None
    activity_type: str | None
    message: str | None
    triggered_at: datetime
    organization: str | None
    external_organization_id: str | None
    client: str | None = None
    location: str | None = None
    lan_ip: str | None = None
    wan_ip: str | None = None
    last_user: str | None = None
    rule: str | None = None
    link: str | None = None
    title: str | None = None
    report: str | None = None
    is_unmapped: bool = False


def title(facts: TicketFacts, template: str | None = None) -> str:
    """The rule's title template rendered, or the default where nothing is left; one line, 255 characters."""
    words = (render(template, facts) if template else "").split()
    if words and facts.is_unmapped:
        words = [UNMAPPED, *words]
    return " ".join(words or _default_title(facts).split())[:TITLE_LENGTH]


def description(facts: TicketFacts, template: str | None = None) -> str:
    """The rule's description template rendered, or what the vendor reports, or the default."""
    body = render(template, facts) if template else facts.report or _default_description(facts)
    return f"{_unmapped(facts)}\n\n{body}" if facts.is_unmapped else body


def words(facts: TicketFacts, template: Mapping[str, Any]) -> tuple[str, str]:
    """Title and description as a rule's ``ticketTemplate`` wants them."""
    return title(facts, template.get("titleTemplate")), description(
        facts, template.get("descriptionTemplate")
    )


def render(template: str, facts: TicketFacts) -> str:
    """Replace ``{{ placeholder }}``, whatever its case; an unknown one stays as it is. Runs no code."""
    values = placeholder_values(facts)

    def value(match: re.Match[str]) -> str:
        return values.get(match[1].lower(), match[0])

    return _PLACEHOLDER.sub(value, template)


def creation_note(facts: TicketFacts, by: str | None = None) -> str:
    """The internal note of a new ticket; ``by`` is the person who asked for it."""
    lines = [
        f"Created {f'by {by}' if by else 'automatically'} from a {provider_label(facts.provider)} alert.",
        f"External alert ID: {facts.external_alert_id}",
    ]
    if facts.external_device_id:
        lines.append(f"External device ID: {facts.external_device_id}")
    lines.append(f"Severity: {facts.severity}")
    return "\n".join(lines)


def occurrence_note(count: int, external_alert_id: str, message: str | None) -> str:
    """The internal note when the same condition fires again."""
    lines = [f"Alert re-triggered — occurrence {count}.", f"External alert ID: {external_alert_id}"]
    return "\n".join([*lines, message] if message else lines)


def linked_note(by: str, external_alert_id: str, message: str | None) -> str:
    """The internal note when a person puts an alert on the open ticket of its condition."""
    lines = [f"Alert linked by {by}.", f"External alert ID: {external_alert_id}"]
    return "\n".join([*lines, message] if message else lines)


def resolved_here_note(by: str, external_alert_id: str) -> str:
    """The internal note when a person ends the alert here."""
    return f"Alert resolved here by {by}.\nExternal alert ID: {external_alert_id}"


def reopened_note(count: int, external_alert_id: str, message: str | None) -> str:
    """The internal note when the condition fires again so soon that its closed ticket goes on."""
    lines = [
        f"Alert re-triggered soon after the ticket was closed — occurrence {count}."
        " The ticket is open again.",
        f"External alert ID: {external_alert_id}",
    ]
    return "\n".join([*lines, message] if message else lines)


def resolved_note(provider: str, external_alert_id: str, status: str | None = None) -> str:
    """The internal note when the vendor says the alert is over; ``status`` is :func:`status_note` of it."""
    lines = [f"Alert resolved in {provider_label(provider)}.", f"External alert ID: {external_alert_id}"]
    return "\n".join([*lines, status] if status else lines)


def status_note(provider: str, old: str, new: str) -> str:
    """The internal note when the vendor's own state of the alert moved, or something else of it did."""
    if old == new:
        return f"Updated in {provider_label(provider)} without a change of its status ({new})."
    return f"{provider_label(provider)}: {old} → {new}."


def comment_note(provider: str, at: datetime, text: str) -> str:
    """The internal note of what somebody wrote about the alert at the vendor."""
    return f"Comment in {provider_label(provider)}, {_spoken(at)}:\n{text}"


def still_active(others: int) -> str:
    """Why a ticket stays open although one of its alerts is over."""
    if others == 1:
        return "another alert on it is still active"
    return f"{others} other alerts on it are still active"


def placeholder_values(facts: TicketFacts) -> dict[str, str]:
    """What each placeholder of a template says."""
    return {
        "device": facts.device_name or facts.external_device_id or "Unknown device",
        "message": facts.message or "",
        "severity": facts.severity,
        "organization": facts.organization or facts.external_organization_id or "",
        "client": facts.client or "",
        "provider": provider_label(facts.provider),
        "alert_class": facts.alert_class or "",
        "device_id": facts.external_device_id or "",
        "triggered_at": _spoken(facts.triggered_at),
        "rule": facts.rule or "",
        "link": facts.link or "",
    }


def _default_title(facts: TicketFacts) -> str:
    mark = f"{UNMAPPED} " if facts.is_unmapped else ""
    if facts.title:
        return f"[{provider_label(facts.provider)}] {mark}{facts.title}"
    what = facts.alert_class or facts.activity_type or "Alert"
    where = facts.device_name or facts.external_device_id or "unknown device"
    # Some vendors begin the message with the kind of alert, which stands here already.
    message = (facts.message or "").removeprefix(f"{what}: ")
    tail = f": {message}" if message not in ("", what) and len(message) < SHORT_MESSAGE else ""
    return f"[{provider_label(facts.provider)} Alert] {mark}{what} on {where}{tail}"


def _default_description(facts: TicketFacts) -> str:
    known = [
        ("Severity", facts.severity),
        ("Device", facts.device_name or facts.external_device_id or "unknown device"),
        ("Client", facts.client),
        ("Location", facts.location),
        ("LAN address", facts.lan_ip),
        ("WAN address", facts.wan_ip),
        ("Last user", facts.last_user),
        ("Activity type", facts.activity_type),
        ("Alert class", facts.alert_class),
        ("Triggered at", _spoken(facts.triggered_at)),
        ("Device page", facts.link),
    ]
    lines = [f"Alert from {provider_label(facts.provider)}", ""]
    lines += [f"{name}: {value}" for name, value in known if value]
    return "\n".join([*lines, "", facts.message] if facts.message else lines)


def _unmapped(facts: TicketFacts) -> str:
    name = facts.organization or facts.external_organization_id
    whose = f"The organization {name}" if name else "The organization of this alert"
    return f"{whose} is not mapped to a client, so this ticket was made for the fallback client."


def _spoken(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
