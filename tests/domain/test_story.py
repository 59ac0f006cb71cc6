"""Each code of the history as the sentence a person reads."""

from __future__ import annotations

from typing import Any

import pytest

from rmm_extension.domain.story import (
    TEMPLATES,
    attention,
    heading,
    ordinal,
    outcome_words,
    sentence,
    sentences,
)
from rmm_extension.domain.types import Outcome

TABLE: list[tuple[dict[str, Any], str]] = [
    (
        {"code": "received", "channel": "webhook", "provider": "tacticalrmm", "severity": "critical"},
        "Received by webhook from Tactical RMM (severity critical).",
    ),
    (
        {
            "code": "received",
            "channel": "poll",
            "provider": "NinjaOne",
            "severity": "major",
            "previous_severity": "minor",
        },
        "Received by polling from NinjaOne (severity major, before minor).",
    ),
    ({"code": "duplicate"}, "Delivered again without a change; nothing was done."),
    ({"code": "no_window"}, "In no maintenance window."),
    ({"code": "suppressed", "window": "Patch night"}, "Suppressed by the maintenance window “Patch night”."),
    ({"code": "no_rule"}, "No rule matched, so no ticket was made."),
    (
        {"code": "rule_skipped", "rule": "Printers", "reason": "severity critical is not minor"},
        "Rule “Printers” skipped: severity critical is not minor.",
    ),
    (
        {"code": "rule_matched", "rule": "Disks", "reason": "keyword disk"},
        "Rule “Disks” matched: keyword disk.",
    ),
    (
        {"code": "record_only", "reason": "the rule makes no ticket."},
        "Recorded without a ticket: the rule makes no ticket.",
    ),
    ({"code": "ticket_created", "number": "T-1042", "ticket_id": "x"}, "Ticket T-1042 created."),
    ({"code": "joined_ticket", "number": "T-1042", "count": 3}, "Joined ticket T-1042 as 3rd occurrence."),
    ({"code": "joined_ticket", "number": "T-1042"}, "Joined ticket T-1042."),
    ({"code": "ticket_failed", "reason": "no board"}, "No ticket could be made: no board."),
    (
        {"code": "no_client", "organization": "Acme"},
        "The organization Acme is not mapped to a client, so no ticket was made yet.",
    ),
    (
        {"code": "no_client", "organization": None},
        "Its organization is not mapped to a client, so no ticket was made yet.",
    ),
    (
        {"code": "opted_out", "organization": "Acme"},
        "The organization Acme makes no tickets (its mapping says so), so none was made.",
    ),
    (
        {"code": "routing_incomplete", "lacks": ["no board", "no fallback client"]},
        "The routing of the connection is incomplete (no board, no fallback client),"
        " so no ticket was made yet.",
    ),
    (
        {"code": "routing_incomplete"},
        "The routing of the connection is incomplete (something is not chosen), so no ticket was made yet.",
    ),
    (
        {"code": "vendor_status", "provider": "huntress", "old": "sent", "new": "auto_remediating"},
        "Huntress: sent → auto_remediating.",
    ),
    (
        {"code": "vendor_status", "provider": "huntress", "old": "sent", "new": "sent"},
        "Updated in Huntress without a change of its status (sent).",
    ),
    (
        {"code": "commented", "provider": "huntress", "note_id": "m", "note": "Done", "number": "T-9"},
        "Comment in Huntress: “Done”. It is a note on ticket T-9.",
    ),
    (
        {"code": "commented", "provider": "huntress", "note_id": "m", "note": "Done"},
        "Comment in Huntress: “Done”.",
    ),
    ({"code": "title_changed"}, "The alert's title changed."),
    ({"code": "report_received"}, "The rest of what the vendor tells of it arrived."),
    ({"code": "acknowledged", "by": "ninjaone"}, "Acknowledged by NinjaOne."),
    ({"code": "message_changed"}, "The alert's text changed."),
    ({"code": "priority_raised", "number": "T-9"}, "The priority of ticket T-9 was raised."),
    (
        {"code": "awaiting_details", "seconds": 120},
        "Waiting up to 120 s for the alert's text before deciding.",
    ),
    ({"code": "cleared", "provider": "Tactical RMM"}, "Cleared in Tactical RMM."),
    ({"code": "acknowledged", "by": "Mara"}, "Acknowledged by Mara."),
    ({"code": "ticket_closed", "number": "T-1", "status": "Resolved"}, "Ticket T-1 closed as Resolved."),
    (
        {"code": "ticket_kept", "number": "T-1", "reason": "Mara commented at 14:02"},
        "Ticket T-1 stays open: Mara commented at 14:02.",
    ),
    ({"code": "new_episode", "number": 2}, "Fired again after it was resolved: episode 2 begins."),
    (
        {"code": "severity_changed", "old": "minor", "new": "critical"},
        "Severity changed from minor to critical.",
    ),
    (
        {"code": "vendor_reset", "accepted": True, "message": "done", "by": "Mara"},
        "The vendor resolved the alert for Mara: done.",
    ),
    (
        {"code": "vendor_reset", "accepted": False, "message": "Not allowed."},
        "The vendor did not resolve the alert: Not allowed.",
    ),
    ({"code": "warning", "message": "Board 7 is gone"}, "Board 7 is gone."),
    ({"code": "ticket_created"}, "Ticket ? created."),
    ({"code": "warning", "message": "{0} {rule}"}, "{0} {rule}."),
    ({"code": "hold_started", "minutes": 10}, "Hold started (minutes 10)."),
    ({"code": "hold_ended"}, "Hold ended."),
    ({}, "Something happened."),
]


@pytest.mark.parametrize("step,expected", TABLE)
def test_sentence(step: dict[str, Any], expected: str) -> None:
    assert sentence(step) == expected


@pytest.mark.parametrize("code", sorted(TEMPLATES))
def test_every_template_survives_missing_parameters(code: str) -> None:
    assert sentence({"code": code})


@pytest.mark.parametrize(
    "number,expected",
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (101, "101st")],
)
def test_ordinal(number: int, expected: str) -> None:
    assert ordinal(number) == expected


def test_reasons_for_attention_are_words() -> None:
    assert "Map the organization" in attention("no_client")
    assert attention("The host said no.") == "The host said no."
    assert attention(None) == ""


def test_what_is_no_step_is_left_out() -> None:
    assert sentences([{"code": "no_window"}, "rubbish", None]) == ["In no maintenance window."]
    assert sentences(None) == []


@pytest.mark.parametrize(
    "outcome, steps, expected",
    [
        ("updated", [{"code": "notified", "names": "Mara"}, {"code": "warning", "message": "x"}], "Notified"),
        ("updated", [{"code": "details_received"}], "Updated"),
        ("updated", None, "Updated"),
        ("held", [{"code": "held"}], "Waiting whether it lasts"),
        ("occurrence_appended", [], "Joined a ticket"),
    ],
)
def test_heading(outcome: str, steps: Any, expected: str) -> None:
    assert heading(outcome, steps) == expected


def test_every_outcome_has_words() -> None:
    words = [outcome_words(outcome) for outcome in Outcome]
    assert len(set(words)) == len(words)
    assert not any("_" in one or one != one[:1].upper() + one[1:] for one in words)
