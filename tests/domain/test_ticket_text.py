"""The words of a ticket."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain import ticket_text
from rmm_extension.domain.ticket_text import PLACEHOLDERS, TicketFacts, description, render, title

FACTS = TicketFacts(
    provider="tacticalrmm",
    external_alert_id="524",
    external_device_id="agent-1",
    device_name="SERVER-01",
    severity="critical",
    alert_class="check",
    activity_type="tacticalrmm_alert",
    message="Disk C: is at 95% capacity",
    triggered_at=datetime(2026, 6, 12, 3, 0, 5, tzinfo=UTC),
    organization="Northwind",
    external_organization_id="1",
)


def facts(**changes: Any) -> TicketFacts:
    return replace(FACTS, **changes)


@pytest.mark.parametrize(
    "template, expected",
    [
        ("[Alert] {{device}}: {{message}}", "[Alert] SERVER-01: Disk C: is at 95% capacity"),
        ("{{ Device }}/{{DEVICE}}/{{device }}", "SERVER-01/SERVER-01/SERVER-01"),
        ("{{foo}} {{ device.name }} {{}}", "{{foo}} {{ device.name }} {{}}"),
        ("{{severity}} {{organization}} {{provider}}", "critical Northwind Tactical RMM"),
        ("{{alert_class}} {{device_id}} {{triggered_at}}", "check agent-1 2026-06-12 03:00:05 UTC"),
        ("{device} {{{device}}}", "{device} {SERVER-01}"),
    ],
)
def test_templates(template: str, expected: str) -> None:
    assert render(template, FACTS) == expected


def test_every_documented_placeholder_is_known() -> None:
    template = " ".join(f"{{{{{name}}}}}" for name in PLACEHOLDERS)
    told = facts(client="Northwind Dental", rule="Servers", link="https://psa/rmm/devices/1")
    assert "{{" not in render(template, told)
    assert (
        render("{{client}}|{{rule}}|{{link}}", told) == "Northwind Dental|Servers|https://psa/rmm/devices/1"
    )


def test_what_is_absent_is_empty_but_the_device_has_a_name() -> None:
    bare = facts(
        device_name=None,
        external_device_id=None,
        message=None,
        organization=None,
        external_organization_id=None,
        alert_class=None,
    )
    assert render("{{device}}|{{message}}|{{organization}}|{{alert_class}}", bare) == "Unknown device|||"
    assert render("{{device}}", facts(device_name=None)) == "agent-1"
    assert render("{{organization}}", facts(organization=None)) == "1"


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({}, "[Tactical RMM Alert] check on SERVER-01: Disk C: is at 95% capacity"),
        ({"message": None}, "[Tactical RMM Alert] check on SERVER-01"),
        ({"message": "x" * 59}, f"[Tactical RMM Alert] check on SERVER-01: {'x' * 59}"),
        ({"message": "x" * 60}, "[Tactical RMM Alert] check on SERVER-01"),
        (
            {"provider": "ninjaone", "alert_class": "SMART_FAIL", "message": None},
            "[NinjaOne Alert] SMART_FAIL on SERVER-01",
        ),
        ({"alert_class": None, "message": None}, "[Tactical RMM Alert] tacticalrmm_alert on SERVER-01"),
        (
            {"alert_class": None, "activity_type": None, "device_name": None, "message": None},
            "[Tactical RMM Alert] Alert on agent-1",
        ),
        (
            {"device_name": None, "external_device_id": None, "message": None},
            "[Tactical RMM Alert] check on unknown device",
        ),
        ({"message": "two\nlines"}, "[Tactical RMM Alert] check on SERVER-01: two lines"),
        (
            {"alert_class": "Disk full", "message": "Disk full: C: is at 95%"},
            "[Tactical RMM Alert] Disk full on SERVER-01: C: is at 95%",
        ),
        ({"alert_class": "Disk full", "message": "Disk full"}, "[Tactical RMM Alert] Disk full on SERVER-01"),
        (
            {"alert_class": "Disk full", "message": f"Disk full: {'x' * 59}"},
            f"[Tactical RMM Alert] Disk full on SERVER-01: {'x' * 59}",
        ),
    ],
)
def test_the_default_title(changes: dict[str, Any], expected: str) -> None:
    assert title(facts(**changes)) == expected


def test_a_title_is_one_line_of_bounded_length() -> None:
    assert title(FACTS, "{{message}}\n  {{device}}") == "Disk C: is at 95% capacity SERVER-01"
    assert len(title(facts(message="y" * 5000), "{{message}}")) == ticket_text.TITLE_LENGTH


def test_a_template_that_leaves_nothing_gives_the_default_title() -> None:
    assert title(facts(message=None), " {{message}} ") == "[Tactical RMM Alert] check on SERVER-01"


def test_the_default_description_tells_what_is_known() -> None:
    told = facts(
        client="Northwind Dental",
        location="HQ",
        lan_ip="10.0.0.5",
        wan_ip="8.8.8.8",
        last_user="mara",
        link="https://psa/rmm/devices/1",
    )
    assert description(told).splitlines() == [
        "Alert from Tactical RMM",
        "",
        "Severity: critical",
        "Device: SERVER-01",
        "Client: Northwind Dental",
        "Location: HQ",
        "LAN address: 10.0.0.5",
        "WAN address: 8.8.8.8",
        "Last user: mara",
        "Activity type: tacticalrmm_alert",
        "Alert class: check",
        "Triggered at: 2026-06-12 03:00:05 UTC",
        "Device page: https://psa/rmm/devices/1",
        "",
        "Disk C: is at 95% capacity",
    ]


def test_the_default_description_leaves_out_what_is_not() -> None:
    lines = description(facts(message=None, alert_class=None, activity_type=None)).splitlines()
    assert lines[2:] == ["Severity: critical", "Device: SERVER-01", "Triggered at: 2026-06-12 03:00:05 UTC"]


@pytest.mark.parametrize("hours", [-11, 0, 2, 14])
def test_times_are_told_in_utc_whatever_zone_they_come_in(hours: int) -> None:
    moment = FACTS.triggered_at.astimezone(timezone(timedelta(hours=hours)))
    assert render("{{triggered_at}}", facts(triggered_at=moment)) == "2026-06-12 03:00:05 UTC"


def test_values_are_never_templates() -> None:
    sly = facts(message="{{device}} {{ 7*7 }}", device_name="{{message}}")
    assert render("{{message}}", sly) == "{{device}} {{ 7*7 }}"
    assert render("{{device}}", sly) == "{{message}}"


@pytest.mark.parametrize(
    "template",
    [
        "{{ 7*7 }}",
        "{{ ''.__class__ }}",
        "{% for x in y %}",
        "{{ message|upper }}",
        "{0} %s %(message)s ${message}",
        "{{ __import__('os') }}",
    ],
)
def test_no_template_runs(template: str) -> None:
    assert render(template, FACTS) == template


def test_the_notes() -> None:
    assert ticket_text.creation_note(FACTS).splitlines() == [
        "Created automatically from a Tactical RMM alert.",
        "External alert ID: 524",
        "External device ID: agent-1",
        "Severity: critical",
    ]
    assert "device" not in ticket_text.creation_note(facts(external_device_id=None))
    again = ticket_text.occurrence_note(3, "525", "Disk full")
    assert again.splitlines() == [
        "Alert re-triggered — occurrence 3.",
        "External alert ID: 525",
        "Disk full",
    ]
    assert ticket_text.occurrence_note(3, "525", None).splitlines()[-1] == "External alert ID: 525"
    assert ticket_text.resolved_note("ninjaone", "u").startswith("Alert resolved in NinjaOne.")


@given(st.text(), st.text())
def test_any_template_renders(template: str, message: str) -> None:
    told = facts(message=message)
    assert isinstance(render(template, told), str)
    found = title(told, template or None)
    assert 0 < len(found) <= ticket_text.TITLE_LENGTH
    assert "\n" not in found


@pytest.mark.parametrize(
    "changes, template, expected",
    [
        ({"title": "Incident on PC-1"}, None, "[Tactical RMM] Incident on PC-1"),
        ({"title": "Two\nlines"}, None, "[Tactical RMM] Two lines"),
        ({"title": "Incident on PC-1"}, "{{severity}}", "critical"),
        ({"title": "Incident", "is_unmapped": True}, None, "[Tactical RMM] [Unmapped Org] Incident"),
        ({"is_unmapped": True}, "{{severity}}", "[Unmapped Org] critical"),
        (
            {"is_unmapped": True},
            None,
            "[Tactical RMM Alert] [Unmapped Org] check on SERVER-01: Disk C: is at 95% capacity",
        ),
    ],
)
def test_a_title_of_the_vendors_own(changes: dict[str, Any], template: str | None, expected: str) -> None:
    assert title(facts(**changes), template) == expected


UNMAPPED = "is not mapped to a client, so this ticket was made for the fallback client."


@pytest.mark.parametrize(
    "changes, template, expected",
    [
        ({"report": "What was found."}, None, "What was found."),
        ({"report": "What was found."}, "{{severity}}", "critical"),
        (
            {"report": "What was found.", "is_unmapped": True},
            None,
            f"The organization Northwind {UNMAPPED}\n\nWhat was found.",
        ),
        (
            {"organization": None, "external_organization_id": None, "is_unmapped": True},
            "{{severity}}",
            f"The organization of this alert {UNMAPPED}\n\ncritical",
        ),
    ],
)
def test_a_report_of_the_vendors_own(changes: dict[str, Any], template: str | None, expected: str) -> None:
    assert description(facts(**changes), template) == expected


def test_notes_of_what_happens_at_the_vendor() -> None:
    at = datetime(2026, 11, 20, 9, 5, tzinfo=UTC)
    assert ticket_text.status_note("huntress", "sent", "closed") == "Huntress: sent → closed."
    unchanged = "Updated in Huntress without a change of its status (sent)."
    assert ticket_text.status_note("huntress", "sent", "sent") == unchanged
    note = ticket_text.comment_note("huntress", at, "Mara: done\nMore.")
    assert note == "Comment in Huntress, 2026-11-20 09:05:00 UTC:\nMara: done\nMore."
    ended = ticket_text.resolved_note("huntress", "7", "Huntress: sent → closed.")
    assert ended == "Alert resolved in Huntress.\nExternal alert ID: 7\nHuntress: sent → closed."
