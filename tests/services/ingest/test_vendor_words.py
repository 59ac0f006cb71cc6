"""A vendor's own words for a ticket, and its state of the alert as notes."""

from __future__ import annotations

from typing import Any

import pytest

from rmm_extension.domain.types import AlertEvent, AlertKind, Channel, Outcome, Severity
from rmm_extension.services import manual
from tests.harness.world import World
from tests.services.test_outbound import close

from .incidents import REPORT, SUBJECT, incident, take, told
from .meanwhile import after_reading


def resolved(minutes: int = 30, **changes: Any) -> AlertEvent:
    return incident(minutes, kind=AlertKind.RESET, **{"vendor_status": "closed", **changes})


def test_the_words_become_the_ticket(world: World) -> None:
    assert take(world, incident()).outcome is Outcome.TICKET_CREATED
    (ticket,) = world.tickets()
    assert ticket["title"] == f"[Tactical RMM] {SUBJECT}"
    assert ticket["description"] == REPORT
    alert = world.alert(7001)
    assert (alert["title"], alert["report"], alert["vendor_status"]) == (SUBJECT, REPORT, "sent")


def test_a_template_goes_before_the_vendors_words(world: World) -> None:
    world.do("DELETE FROM rmm_alert_rules")
    world.add_rule(ticketTemplate={"titleTemplate": "{{severity}}: {{message}}"})
    take(world, incident())
    (ticket,) = world.tickets()
    assert (ticket["title"], ticket["description"]) == ("critical: A credential stealer ran.", REPORT)


def test_a_later_decision_has_the_words(world: World) -> None:
    world.do("UPDATE rmm_organization_mappings SET client_id = NULL")
    take(world, incident())
    assert world.alert(7001)["attention"] == "no_client"
    world.do("UPDATE rmm_organization_mappings SET client_id = :client", client=world.client_id)
    with world.app.app_context():
        done = manual.retry_ticket(world.rmm, world.admin, world.alert(7001)["id"])
    assert done.done == 1
    (ticket,) = world.tickets()
    assert (ticket["title"], ticket["description"]) == (f"[Tactical RMM] {SUBJECT}", REPORT)


@pytest.mark.parametrize("conditions", [{"keywords": ["ws-07"]}, {"messagePattern": "^CRITICAL"}])
def test_rules_look_at_the_title_too(world: World, conditions: dict[str, object]) -> None:
    world.do("DELETE FROM rmm_alert_rules")
    world.add_rule(0, conditions)
    assert take(world, incident()).outcome is Outcome.TICKET_CREATED


@pytest.mark.parametrize(
    "minutes, status, note",
    [
        (10, "auto_remediating", "Tactical RMM: sent → auto_remediating."),
        (0, "auto_remediating", "Tactical RMM: sent → auto_remediating."),
        (10, "sent", "Updated in Tactical RMM without a change of its status (sent)."),
        (10, None, None),
        (0, "sent", None),
        (-5, "auto_remediating", None),
    ],
)
def test_each_newer_state_is_a_note(world: World, minutes: int, status: str | None, note: str | None) -> None:
    take(world, incident())
    (ticket,) = world.tickets()
    before = world.notes(ticket["id"])
    for _ in range(2):  # the second is the same delivery again
        take(world, incident(minutes, vendor_status=status))
    assert world.notes(ticket["id"]) == [*before, *([note] if note else [])]
    assert ("vendor_status" in [step["code"] for step in told(world)]) == (note is not None)


def test_the_same_news_at_once_are_one_note(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    take(world, incident())
    news = incident(10, vendor_status="auto_remediating")
    first = after_reading(monkeypatch, lambda: take(world, news, Channel.POLL))
    assert take(world, news).reason == "duplicate"
    assert [done.outcome for done in first] == [Outcome.UPDATED]  # type: ignore[attr-defined]
    (ticket,) = world.tickets()
    assert len([note for note in world.notes(ticket["id"]) if "→" in note]) == 1


def test_a_rise_in_severity_and_a_new_state_are_two_notes(world: World) -> None:
    take(world, incident(severity=Severity.MINOR))
    take(world, incident(10, vendor_status="auto_remediating"))
    (ticket,) = world.tickets()
    assert world.notes(ticket["id"])[-2:] == [
        "Severity rose from minor to critical.",
        "Tactical RMM: sent → auto_remediating.",
    ]


def test_a_closed_ticket_gets_no_note_of_it(world: World) -> None:
    take(world, incident())
    close(world, world.tickets()[0]["id"])
    (ticket,) = world.tickets()
    before = world.notes(ticket["id"])
    take(world, incident(10, vendor_status="auto_remediating"))
    assert world.notes(ticket["id"]) == before
    assert world.alert(7001)["vendor_status"] == "auto_remediating"


def test_its_end_tells_the_state_where_the_rule_leaves_the_ticket(world: World) -> None:
    world.do("DELETE FROM rmm_alert_rules")
    world.add_rule(autoResolveTicket=False)
    take(world, incident())
    assert take(world, resolved()).outcome is Outcome.RESOLVED
    (ticket,) = world.tickets()
    assert world.notes(ticket["id"])[-1] == "Tactical RMM: sent → closed."
    assert ticket["closed_at"] is None
    assert "ticket_untouched_rule_off" in [step["code"] for step in told(world)]


def test_its_end_tells_the_state_where_the_ticket_closes(world: World) -> None:
    take(world, incident())
    take(world, resolved())
    (ticket,) = world.tickets()
    assert ticket["closed_at"] is not None
    assert any(note.endswith("Tactical RMM: sent → closed.") for note in world.notes(ticket["id"]))


def test_the_echo_of_our_own_end_changes_nothing(world: World) -> None:
    take(world, incident())
    with world.app.app_context():
        manual.resolve(world.rmm, world.admin, [world.alert(7001)["id"]], at_vendor=False)
    (ticket,) = world.tickets()
    notes = world.notes(ticket["id"])
    assert take(world, resolved()).reason == "already_resolved"
    assert world.notes(ticket["id"]) == notes
    assert world.alert(7001)["episode"] == 1


@pytest.mark.parametrize("status, outcome", [("sent", Outcome.SKIPPED), ("reopened", Outcome.TICKET_CREATED)])
def test_resolved_here_it_opens_again_only_for_another_state(
    world: World, status: str, outcome: Outcome
) -> None:
    take(world, incident())
    with world.app.app_context():
        manual.resolve(world.rmm, world.admin, [world.alert(7001)["id"]], at_vendor=False)
    assert take(world, incident(20, vendor_status=status)).outcome is outcome
